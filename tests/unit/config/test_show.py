"""What is shown, read again, means the same."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from devenv.config.load import Loaded, load, load_layers
from devenv.config.model import Environment, Mode
from devenv.config.show import documents
from tests.unit.config.conftest import Write
from tests.unit.config.test_load import FILES

SHOP = Path(__file__).parents[3] / "docs/tutorial/shop"


def plain(value: Any) -> Any:
    """Without origins, and only what is in use."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items() if key != "origin"}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def in_use(environment: Environment) -> Any:
    shown = plain(asdict(environment))
    for dependency in shown["dependencies"].values():
        for form in {"stub", "real"} - {dependency["mode"]}:
            dependency[form] = None
    return shown


def written_again(loaded: Loaded) -> Environment:
    root = loaded.environment.root
    for name, text in documents(loaded).items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    return load(root / "devenv.yaml", start=root)


@pytest.mark.parametrize("modes", [{}, {"payments": "real", "postgres": "off"}])
def test_the_shown_files_mean_the_same(write: Write, modes: dict[str, Mode]) -> None:
    loaded = load_layers(None, start=write(FILES), modes=modes)
    assert in_use(written_again(loaded)) == in_use(loaded.environment)


def test_texts_that_look_like_something_else_stay_texts(write: Write) -> None:
    odd = [
        "5",
        "no",
        "true",
        "~",
        "",
        "22:22",
        "1.10",
        "010",
        " x ",
        "a: b",
        "# c",
        "two\nlines",
        "é",
        "\x07",
        "1e3",
        "$${A}",
        "$A",
    ]
    env = {f"V{index}": text for index, text in enumerate(odd)} | {"N": 5, "B": False}
    root = write({"devenv.yaml": f"services: {{web: {{image: x, env: {json.dumps(env)}}}}}\n"})
    loaded = load_layers(None, start=root)
    assert written_again(loaded).services["web"].env == loaded.environment.services["web"].env


def test_variables_secrets_and_the_local_file(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAG", "3")
    files = {
        "devenv.yaml": "services: {web: {image: 'x:${TAG}', env: {A: {secret: {file: a}}, B: '$${TAG}'}}}\n",
        "devenv.local.yaml": "services: {web: {ports: {http: 80}}}\n",
        "profiles/default.yaml": "include: [redis]\n",
        "profiles/more.yaml": "dependencies: {redis: {real: {env: {C: {secret: {file: c}}, D: '$${with.x}'}}}}\n",
    }
    loaded = load_layers(None, start=write(files), profiles=("default", "more"))
    shown = in_use(loaded.environment)
    (loaded.environment.root / "devenv.local.yaml").unlink()
    again = in_use(written_again(loaded))
    assert again.pop("profile") == "default+more"
    assert shown.pop("profile") == "default, more"
    assert again == shown


def test_paths_of_other_folders_are_seen_from_the_shown_file(write: Write) -> None:
    files = {
        "devenv.yaml": "",
        "profiles/default.yaml": "include: [../team/base]\n",
        "team/base.yaml": "dependencies: {a: {stub: {wiremock: stubs, ports: {http: 1}}}}\n",
        "team/stubs/mappings/a.json": "{}",
    }
    loaded = load_layers(None, start=write(files))
    assert "wiremock: ../team/stubs" in documents(loaded)["profiles/default.yaml"]
    assert in_use(written_again(loaded)) == in_use(loaded.environment)


def test_without_dependencies_there_is_one_file(write: Write) -> None:
    loaded = load_layers(None, start=write({"devenv.yaml": "name: shop\nservices: {}\n"}))
    assert documents(loaded) == {"devenv.yaml": "name: shop\nservices: {}\n"}


def test_the_example_as_it_is_shown() -> None:
    shown = documents(load_layers(None, start=SHOP))
    assert list(shown) == ["devenv.yaml", "profiles/default.yaml"]
    assert "      - {from: services/orders/src, to: /app/src, reload: restart}\n" in shown["devenv.yaml"]
    assert "payments:\n    mode: stub\n    stub:\n" in shown["profiles/default.yaml"]
    assert "${with." not in shown["profiles/default.yaml"]
    assert "real:" not in shown["profiles/default.yaml"].partition("payments:")[2]
