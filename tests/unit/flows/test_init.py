from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from devenv.errors import DevenvError
from devenv.flows.init import Answers, InitRequest, InitResult, init
from tests.fakes.project_files import FakeProjectFiles

FILES = {"Dockerfile": "FROM x\nEXPOSE 80\n", ".env.example": "REDIS_URL=redis://localhost\n"}


@dataclass
class Person:
    """Answers as scripted, and remembers what was shown and asked."""

    ports: Sequence[int] | None = None
    yes: Sequence[bool] = (True, True)
    shown: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    interrupts: bool = False

    def answers(self) -> Answers:
        left = list(self.yes)

        def port(name: str) -> Sequence[int] | None:
            if self.interrupts:
                raise KeyboardInterrupt
            self.asked.append(f"port of {name}")
            return self.ports

        def show(texts: Mapping[str, str], notes: Sequence[str]) -> None:
            self.shown |= {**texts, "notes": "\n".join(notes)}

        def confirm(action: str) -> bool:
            self.asked.append(action)
            return left.pop(0)

        return Answers(port, show, confirm)


def run(files: FakeProjectFiles, person: Person, **request: object) -> InitResult:
    return init(InitRequest(Path("/p"), **request), files, person.answers())  # type: ignore[arg-type]


def test_files_are_shown_before_they_are_written() -> None:
    files, person = FakeProjectFiles(FILES), Person()
    result = run(files, person)
    assert result.written == ("devenv.yaml", "profiles/default.yaml")
    assert {path: person.shown[path] for path in files.written} == files.written
    assert person.asked == ["write devenv.yaml and profiles/default.yaml"]


def test_a_second_run_changes_nothing_and_asks_nothing() -> None:
    files = FakeProjectFiles(FILES)
    run(files, Person())
    person = Person()
    assert run(files, person).written == ()
    assert person.asked == []


def test_what_is_there_is_shown_as_a_difference_and_replaced_on_a_yes() -> None:
    files = FakeProjectFiles({**FILES, "devenv.yaml": "name: mine\n"})
    person = Person()
    run(files, person)
    assert "-name: mine" in person.shown["devenv.yaml"]
    assert person.asked == ["replace devenv.yaml"]
    assert files.written["devenv.yaml"].splitlines()[1] == "name: p"


def test_a_no_writes_nothing() -> None:
    files = FakeProjectFiles(FILES)
    with pytest.raises(DevenvError) as caught:
        run(files, Person(yes=[False]))
    assert caught.value.code == "unconfirmed"
    assert files.written == {}


def test_an_interrupt_at_a_question_writes_nothing() -> None:
    files = FakeProjectFiles({"Dockerfile": "FROM x\n"})
    with pytest.raises(KeyboardInterrupt):
        run(files, Person(interrupts=True))
    assert files.written == {}


def test_only_what_nothing_tells_is_asked() -> None:
    files, person = FakeProjectFiles({"Dockerfile": "FROM x\n"}), Person(ports=[8080])
    run(files, person)
    assert person.asked[0] == "port of p"
    assert "ports: {http: 8080}" in files.written["devenv.yaml"]


def test_without_an_answer_a_note_says_what_to_do() -> None:
    files, person = FakeProjectFiles({"Dockerfile": "FROM x\n"}), Person(ports=None)
    assert "--port p=8000" in run(files, person).notes[0]


def test_a_dry_run_asks_and_writes_nothing() -> None:
    files, person = FakeProjectFiles({"Dockerfile": "FROM x\n"}), Person()
    assert "devenv.yaml" in run(files, person, dry_run=True).files
    assert (person.asked, files.written) == ([], {})


def test_what_is_personal_goes_to_gitignore_on_a_yes() -> None:
    for ignored, yes in (("x", [True, True]), ("x\n", [True, False])):
        files = FakeProjectFiles({**FILES, ".gitignore": ignored})
        run(files, Person(yes=yes))
        assert files.files[".gitignore"] == ("x\ndevenv.local.yaml\n.devenv/\n" if all(yes) else ignored)


def test_dependencies_and_services_of_the_command_line() -> None:
    files = FakeProjectFiles({"a/Dockerfile": "FROM x\nEXPOSE 1\n", "b/Dockerfile.dev": "FROM x\n"})
    given = {"postgres": "", "search": "opensearch:2", "mongo": "mongo:6"}
    run(files, Person(), services={"api": "b/Dockerfile.dev"}, ports={"api": [5]}, dependencies=given, name="shop")
    text, profile = files.written["devenv.yaml"], files.written["profiles/default.yaml"]
    assert "name: shop" in text
    assert "  api:\n    build: {context: b, dockerfile: Dockerfile.dev}\n    ports: {http: 5}" in text
    assert "needs: [postgres, search, mongo]" in text
    assert "image: opensearch:2\n      ports: {http: 9200}" in profile
    assert "image: mongo:6\n      ports: {mongo: 27017}" in profile


@pytest.mark.parametrize(
    ("files", "request_", "code"),
    [
        ({}, {}, "init-nothing"),
        ({"compose.yaml": "services: ["}, {}, "compose-invalid"),
        (FILES, {"compose": "none.yaml"}, "compose-invalid"),
        ({"compose.yaml": "services: {}"}, {}, "init-nothing"),
        (FILES, {"ports": {"x": [1]}}, "init-option"),
        (FILES, {"dependencies": {"oracle": ""}}, "init-option"),
        (FILES, {"dependencies": {"p": "x"}}, "init-option"),
        (FILES, {"name": "A b"}, "init-option"),
    ],
)
def test_what_is_wrong(files: dict[str, str], request_: dict[str, object], code: str) -> None:
    fake = FakeProjectFiles(files)
    with pytest.raises(DevenvError) as caught:
        run(fake, Person(), **request_)
    assert caught.value.code == code
    assert fake.written == {}


def test_a_compose_file_elsewhere_with_paths_from_there() -> None:
    files = FakeProjectFiles(
        {
            "infra/dev.yml": "services: {web: {build: ../web, env_file: web.conf}}",
            "infra/web.conf": "A=1",
            "web/Dockerfile": "FROM x\nEXPOSE 1\n",
        }
    )
    run(files, Person(), compose="infra/dev.yml")
    assert "build: web\n" in files.written["devenv.yaml"]
    assert "env_file: infra/web.conf\n" in files.written["devenv.yaml"]
