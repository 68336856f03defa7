from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devenv.cli.load import Choice, load_environment
from devenv.completion.answer import FILES, answer, main
from devenv.completion.names import recall

Ask = Callable[..., list[str]]

PROFILE = """\
include: [redis]
dependencies:
  payments:
    stub: {wiremock: ../stubs, ports: {http: 8080}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "shop"
    (root / "profiles").mkdir(parents=True)
    (root / "stubs").mkdir()
    (root / "devenv.yaml").write_text("services:\n  orders:\n    image: x\n  web:\n    image: x\n")
    (root / "profiles/default.yaml").write_text(PROFILE)
    (root / "profiles/slim.yaml").write_text("dependencies: {}\n")
    monkeypatch.chdir(root)
    return root


@pytest.fixture(params=["kept", "scanned"])
def ask(project: Path, request: pytest.FixtureRequest) -> Ask:
    """Asks for the values at the end of a line, with names from the cache and from the files' lines."""
    if request.param == "kept":
        load_environment(Choice())
        load_environment(Choice(profiles=["slim"]))
        assert recall(str(project / "devenv.yaml"), "")

    def ask(line: str, shell: str = "fish") -> list[str]:
        return [text.partition("\t")[0] for text in answer([shell, "--", *line.split(" ")])]

    return ask


def test_names(ask: Ask) -> None:
    assert sorted(ask("logs ")) == ["orders", "payments", "redis", "web"]
    assert ask("logs orders w") == ["web"]
    assert ask("test ") == ["orders", "web"]
    assert sorted(ask("up --off ")) == ["payments", "redis"]
    assert sorted(ask("up --off redis --off ")) == ["payments"]
    assert ask("up -p ") == ["default", "slim", "postgres", "redis"]
    assert ask("profiles show sl") == ["slim"]


def test_only_dependencies_that_have_the_form(project: Path) -> None:
    load_environment(Choice())
    assert answer(["bash", "--", "up", "--real", ""]) == ["redis"]
    assert answer(["bash", "--", "up", "--stub", ""]) == ["payments"]


def test_another_profile_and_another_file(project: Path, ask: Ask, tmp_path: Path) -> None:
    assert ask("up -p slim --off ") == []
    other = tmp_path / "my other/devenv.yaml"
    other.parent.mkdir()
    other.write_text("services:\n  other:\n    image: x\n")
    assert answer(["fish", "--", "logs", "--file", str(other), ""]) == ["other\tservice"]
    assert answer(["bash", "--", "logs", "--file", f"'{other}'", ""]) == ["other"]
    assert ask("up -f nowhere.yaml ") == []


def test_commands_options_choices_codes_files(ask: Ask) -> None:
    assert ask("u") == ["up", "url"]
    assert ask("completion z") == ["zsh"]
    assert "--dry-run" in ask("up --d")
    assert "--detach" not in ask("up -d --d")
    assert "--real" in ask("up --real redis --r")
    assert ask("up -o j") == ["json"]
    assert ask("explain crash") == ["crash-loop"]
    assert answer(["zsh", "--", "up", "--file", ""]) == [FILES]
    assert answer(["zsh", "--", "test", "orders", "--", ""]) == [FILES]
    assert "session" not in ask("")


def test_what_stands_before_an_equals_sign() -> None:
    assert answer(["zsh", "--", "up", "--output=j"]) == ["--output=json"]
    assert answer(["bash", "--", "up", "--output", "=", "j"]) == ["json"]


def test_outside_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert answer(["fish", "--", "logs", ""]) == []
    assert [line.partition("\t")[0] for line in answer(["fish", "--", "up", "-p", ""])] == ["postgres", "redis"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    st.lists(st.text(max_size=8) | st.sampled_from(["up", "-p", "--", "=", "--output", "-o", "logs", ""]), max_size=6)
)
def test_never_an_error(project: Path, capfd: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(words) == 0
    assert main(["bash", "--", *words]) == 0
    assert capfd.readouterr().err == ""


def test_a_folder_that_is_gone(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert main(["bash", "--", "logs", ""]) == 0
    assert capfd.readouterr() == ("", "")
