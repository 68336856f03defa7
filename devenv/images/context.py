"""What goes into a build: the files of its context, their hash, and the tar that the daemon gets."""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from devenv.ports import BuildRequest

TAG_LENGTH = 12
CHUNK = 1024 * 1024
OUTSIDE_DOCKERFILE = ".devenv.Dockerfile"


def context_files(request: BuildRequest) -> list[str]:
    """The relative paths of the context minus `.dockerignore`, sorted; the Dockerfile is always among them.

    The matching is the Docker SDK's, which follows the Docker CLI's.
    """
    from docker.utils.build import exclude_paths

    patterns = _ignore_patterns(request)
    inside = _dockerfile_inside(request)
    found = exclude_paths(str(request.context), patterns, dockerfile=inside or ".dockerignore")
    return sorted(path for path in found if path)


def _ignore_patterns(request: BuildRequest) -> list[str]:
    own = request.dockerfile.with_name(request.dockerfile.name + ".dockerignore")
    for file in (own, request.context / ".dockerignore"):
        if file.is_file():
            lines = (line.strip() for line in file.read_text().splitlines())
            return [line for line in lines if line and not line.startswith("#")]
    return []


def _dockerfile_inside(request: BuildRequest) -> str | None:
    try:
        return request.dockerfile.relative_to(request.context).as_posix()
    except ValueError:
        return None


def context_hash(request: BuildRequest) -> str:
    """12 hex characters over everything that goes into the build: names, exec bits, contents, links, arguments."""
    digest = hashlib.sha256()
    for path in context_files(request):
        with suppress(FileNotFoundError):
            _add_file(digest, request.context / path, path)
    _field(digest, request.dockerfile.read_bytes())
    _field(digest, (request.target or "").encode())
    for name, value in sorted(request.args.items()):
        _field(digest, f"{name}={value}".encode())
    return digest.hexdigest()[:TAG_LENGTH]


def _field(digest: hashlib._Hash, data: bytes) -> None:
    digest.update(len(data).to_bytes(8, "big"))
    digest.update(data)


def _add_file(digest: hashlib._Hash, place: Path, name: str) -> None:
    status = place.lstat()
    _field(digest, os.fsencode(name))
    if stat.S_ISLNK(status.st_mode):
        _field(digest, b"link " + os.fsencode(os.readlink(place)))
    elif stat.S_ISREG(status.st_mode):
        _field(digest, b"exec" if status.st_mode & stat.S_IXUSR else b"file")
        inner = hashlib.sha256()
        with place.open("rb") as file:
            while chunk := file.read(CHUNK):
                inner.update(chunk)
        _field(digest, inner.digest())


def context_tar(request: BuildRequest) -> tuple[IO[bytes], str]:
    """The context as an uncompressed tar, and the name of the Dockerfile in it."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    inside = _dockerfile_inside(request)
    with tarfile.open(fileobj=file, mode="w") as tar:
        for path in context_files(request):
            # A file that is gone since it was listed is no part of the context any more.
            with suppress(FileNotFoundError):
                tar.add(request.context / path, arcname=path, recursive=False)
        if inside is None:
            tar.add(request.dockerfile, arcname=OUTSIDE_DOCKERFILE)
    file.seek(0)
    return file, inside or OUTSIDE_DOCKERFILE
