from __future__ import annotations

import os
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from devenv import problems
from devenv.config.model import Settings
from devenv.errors import ToolError
from devenv.images.builds import DockerImages
from devenv.images.context import context_files, context_hash, context_tar
from devenv.ports import BuildRequest
from tests.fakes.host import FakeCommands


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "web"
    (folder / "src").mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY src /src\n")
    (folder / "src" / "a.py").write_text("a")
    (folder / "src" / "b.py").write_text("b")
    return folder


def request(
    context: Path, *, dockerfile: Path | None = None, target: str | None = None, args: Mapping[str, str] | None = None
) -> BuildRequest:
    return BuildRequest("web", "shop-web:1", context, dockerfile or context / "Dockerfile", target, args or {})


def files(context: Path) -> list[str]:
    return [path for path in context_files(request(context)) if (context / path).is_file()]


def test_the_hash_is_of_contents_not_of_times_or_places(context: Path, tmp_path: Path) -> None:
    before = context_hash(request(context))
    assert len(before) == 12
    os.utime(context / "src" / "a.py", (1, 1))
    context.rename(tmp_path / "elsewhere")
    assert context_hash(request(tmp_path / "elsewhere")) == before


def _write(path: str, text: str) -> Callable[[Path], object]:
    return lambda context: (context / path).write_text(text)


CHANGES: dict[str, Callable[[Path], object]] = {
    "content": _write("src/a.py", "A"),
    "new file": _write("src/c.py", ""),
    "removed": lambda context: (context / "src" / "a.py").unlink(),
    "renamed": lambda context: (context / "src" / "a.py").rename(context / "src" / "z.py"),
    "executable": lambda context: (context / "src" / "a.py").chmod(0o755),
    "Dockerfile": _write("Dockerfile", "FROM scratch\n"),
    "empty folder": lambda context: (context / "empty").mkdir(),
    "link": lambda context: (context / "link").symlink_to("src/a.py"),
    "moved between files": lambda context: (_write("src/a.py", "")(context), _write("src/b.py", "ab")(context)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_goes_into_the_build_changes_the_hash(context: Path, change: Callable[[Path], object]) -> None:
    before = context_hash(request(context))
    change(context)
    assert context_hash(request(context)) != before


def test_a_links_target_counts(context: Path) -> None:
    (context / "link").symlink_to("src/a.py")
    before = context_hash(request(context))
    (context / "link").unlink()
    (context / "link").symlink_to("src/b.py")
    assert context_hash(request(context)) != before


def test_target_and_arguments_count_their_order_does_not(context: Path) -> None:
    hashes = {
        context_hash(request(context)),
        context_hash(request(context, target="dev")),
        context_hash(request(context, args={"A": "1"})),
        context_hash(request(context, args={"A": "2"})),
    }
    assert len(hashes) == 4
    one, other = {"A": "1", "B": "2"}, {"B": "2", "A": "1"}
    assert context_hash(request(context, args=one)) == context_hash(request(context, args=other))


@pytest.mark.parametrize(
    ("ignore", "left"),
    [
        ("src", ["Dockerfile"]),
        ("src/*.py\n!src/b.py", ["Dockerfile", "src/b.py"]),
        ("# src\n\n**/a.py", ["Dockerfile", "src/b.py"]),
        ("*", ["Dockerfile"]),
        ("/src/a.py", ["Dockerfile", "src/b.py"]),
        ("Dockerfile\n.dockerignore", ["Dockerfile", "src/a.py", "src/b.py"]),
    ],
)
def test_dockerignore_is_followed_as_docker_does(context: Path, ignore: str, left: list[str]) -> None:
    (context / ".dockerignore").write_text(ignore)
    assert [path for path in files(context) if path != ".dockerignore"] == left


def test_an_ignored_file_does_not_change_the_hash(context: Path) -> None:
    (context / ".dockerignore").write_text("**/*.log\n")
    before = context_hash(request(context))
    (context / "src" / "x.log").write_text("noise")
    assert context_hash(request(context)) == before


def test_a_dockerfiles_own_ignore_file_comes_first(context: Path) -> None:
    (context / ".dockerignore").write_text("src/a.py\n")
    (context / "Dockerfile.dockerignore").write_text("src/b.py\n")
    assert "src/a.py" in files(context)
    assert "src/b.py" not in files(context)


def test_a_dockerfile_outside_the_context_counts_and_travels(context: Path, tmp_path: Path) -> None:
    outside = tmp_path / "Dockerfile.web"
    outside.write_text("FROM scratch\n")
    before = context_hash(request(context, dockerfile=outside))
    tar, name = context_tar(request(context, dockerfile=outside))
    with tar, tarfile.open(fileobj=tar) as archive:
        member = archive.extractfile(name)
        assert member
        assert member.read() == b"FROM scratch\n"
    outside.write_text("FROM other\n")
    assert context_hash(request(context, dockerfile=outside)) != before


def test_the_tar_holds_the_context(context: Path) -> None:
    (context / "link").symlink_to("src/a.py")
    (context / ".dockerignore").write_text("src/b.py\n")
    tar, name = context_tar(request(context))
    assert name == "Dockerfile"
    with tar, tarfile.open(fileobj=tar) as archive:
        names = {member.name: member for member in archive}
    assert set(names) == {".dockerignore", "Dockerfile", "link", "src", "src/a.py"}
    assert names["link"].linkname == "src/a.py"


def test_a_missing_dockerfile_is_told(context: Path, tmp_path: Path) -> None:
    images = DockerImages(Settings(file=tmp_path / "s"), FakeCommands())
    with pytest.raises(ToolError) as raised:
        images.tag(request(context, dockerfile=context / "nope"))
    assert raised.value.problem is problems.DOCKERFILE_MISSING


def test_a_file_that_can_not_be_read_is_named(context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_request: BuildRequest) -> str:
        raise PermissionError(13, "Permission denied", str(context / "src" / "a.py"))

    monkeypatch.setattr("devenv.images.builds.context_hash", refuse)
    images = DockerImages(Settings(file=tmp_path / "s"), FakeCommands())
    with pytest.raises(ToolError) as raised:
        images.tag(request(context))
    assert raised.value.details == (f"{context / 'src' / 'a.py'} can't be read",)
    assert "dockerignore" in raised.value.hint
