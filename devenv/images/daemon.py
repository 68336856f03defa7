"""The Docker daemon: one client, made when first needed, and its errors in our words."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from devenv import problems
from devenv.errors import DevenvError, ToolError

if TYPE_CHECKING:
    from docker import DockerClient

SOCKET = "/var/run/docker.sock"
TIMEOUT_SECONDS = 120


def address() -> str:
    """Where the daemon is looked for."""
    return os.environ.get("DOCKER_HOST") or f"unix://{SOCKET}"


@cache
def docker_client() -> DockerClient:
    """The client. ToolError docker-missing or docker-not-running."""
    import docker

    with translate("reach the daemon"):
        return docker.from_env(timeout=TIMEOUT_SECONDS, version="auto")


def _unreachable() -> ToolError:
    local = address().removeprefix("unix://")
    if address().startswith("unix://") and not Path(local).exists() and shutil.which("docker") is None:
        return ToolError(problems.DOCKER_MISSING)
    return ToolError(problems.DOCKER_NOT_RUNNING, address=address())


@contextmanager
def translate(doing: str) -> Iterator[None]:
    """Errors of the Docker SDK, and of requests below it, as ToolError."""
    import docker.errors
    import requests.exceptions

    try:
        yield
    except DevenvError:
        raise
    except (docker.errors.APIError, docker.errors.BuildError) as error:
        raise of_text(doing, str(getattr(error, "explanation", None) or error)) from error
    except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
        raise _unreachable() from error


def of_text(doing: str, text: str) -> ToolError:
    """The error for what the daemon said while doing something."""
    if "no space left on device" in text:
        return ToolError(problems.DISK_FULL, doing=doing)
    return ToolError(problems.COMMAND_FAILED, command=f"docker ({doing})", code=1, details=text.splitlines()[-15:])
