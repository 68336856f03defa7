from __future__ import annotations

from pathlib import Path

import pytest

from devenv.config.validate import validate
from devenv.errors import ConfigError
from devenv.terminal.explained import validated_line
from tests.unit.config.conftest import Write
from tests.unit.config.test_load import FILES

SHIPPED = Path(__file__).parents[3] / "profiles"


def test_an_environment_and_what_was_read(write: Write) -> None:
    root = write(FILES)
    valid = validate(None, start=root)
    assert validated_line(valid, root) == "devenv.yaml: ok (1 service, 2 dependencies, 3 files)"
    assert valid.files[:2] == (root / "devenv.yaml", root / "profiles/default.yaml")


def test_a_profile_alone(write: Write) -> None:
    root = write({**FILES, "devenv.yaml": "broken: [\n"})
    valid = validate(root / "profiles/default.yaml", start=root)
    assert validated_line(valid, root) == "profiles/default.yaml: ok (2 dependencies, 2 files)"
    (root / "profiles/default.yaml").write_text("include: [postgers]\n")
    with pytest.raises(ConfigError) as caught:
        validate(root / "profiles/default.yaml", start=root)
    assert caught.value.details[0].startswith('profiles/default.yaml:1:11  include[0]  there is no profile "postgers"')


@pytest.mark.parametrize("name", ["postgres", "redis"])
def test_a_shipped_profile(name: str) -> None:
    assert validate(SHIPPED / f"{name}.yaml", start=Path.cwd()).dependencies == 1


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("dev.yaml", "services: {}\n", "environment"),
        ("team.yaml", "dependencies: {}\n", "profile"),
        ("dev.yaml", "", "environment"),
        ("profiles/a.yaml", "", "profile"),
        ("devenv.yaml", "", "environment"),
    ],
)
def test_what_a_file_is(write: Write, name: str, text: str, kind: str) -> None:
    root = write({name: text})
    assert validate(root / name, start=root).kind == kind


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no file"):
        validate(tmp_path / "x.yaml", start=tmp_path)


def test_a_local_file_is_checked_with_what_it_is_laid_onto(write: Write) -> None:
    root = write(
        {"devenv.yaml": "services: {web: {image: x}}\n", "devenv.local.yaml": "services: {web: {needs: []}}\n"}
    )
    valid = validate(root / "devenv.local.yaml", start=root)
    assert valid.files == (root / "devenv.local.yaml", root / "devenv.yaml")
