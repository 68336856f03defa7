"""The Docker daemon: one client, made when first needed, and its errors in our words."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devenv import problems
from devenv.errors import ToolError

if TYPE_CHECKING:
    from docker import DockerClient

SOCKET = "/var/run/docker.sock"
TIMEOUT_SECONDS = 120
KNOCK_SECONDS = 5

_OPENING = threading.Lock()


def address() -> str:
    """Where the daemon is looked for: DOCKER_HOST, else the docker command's current context, else the usual socket."""
    from docker.context import ContextAPI

    given = os.environ.get("DOCKER_HOST")
    if given:
        return given
    # A context file that can't be read is the docker command's to complain about.
    with suppress(Exception):
        context = ContextAPI.get_current_context()
        if context and context.name != "default" and context.Host:
            return str(context.Host)
    return f"unix://{SOCKET}"


def docker_client() -> DockerClient:
    """The one client of this process. ToolError docker-missing or docker-not-running."""
    # Several threads may be the first to ask.
    with _OPENING:
        return shared_client()


@cache
def shared_client() -> DockerClient:
    """That client, opened by who asks first; `docker_client` lets one ask at a time."""
    return open_client()


def open_client() -> DockerClient:
    """A client of one's own, to be closed. ToolError docker-missing or docker-not-running."""
    _knock(address())
    import docker

    # The SDK says so twice: by a warning, and by the error that becomes credentials-unusable.
    warnings.filterwarnings("ignore", "docker-credential-.* not installed", UserWarning)
    with translate("reach the daemon"):
        if os.environ.get("DOCKER_HOST"):
            return docker.from_env(timeout=TIMEOUT_SECONDS, version="auto")
        return docker.DockerClient(base_url=address(), timeout=TIMEOUT_SECONDS, version="auto")


def _knock(where: str) -> None:
    """Refuse an address of a Unix socket on which nobody listens; the SDK would leave its own socket open."""
    if not where.startswith("unix://"):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(KNOCK_SECONDS)
        try:
            probe.connect(where.removeprefix("unix://"))
        except OSError as error:
            raise unreachable() from error


def canceller(client: DockerClient) -> Callable[[], None]:
    """What cuts off the client's last answer while another thread reads it; the daemon then ends a build."""
    from docker.errors import DockerException
    from docker.types import CancellableStream

    answers: list[Any] = []
    client.api.hooks["response"].append(lambda answer, **_: answers.append(answer))

    def cancel() -> None:
        # A connection over ssh can't be cut off; one that is gone needs not be.
        with suppress(DockerException, OSError):
            CancellableStream(iter(()), answers[-1]).close()

    return cancel


def unreachable() -> ToolError:
    """The error for a daemon that does not answer: none is installed, or it does not run."""
    where = address()
    local = where.removeprefix("unix://")
    if where.startswith("unix://") and not Path(local).exists() and shutil.which("docker") is None:
        return ToolError(problems.DOCKER_MISSING)
    return ToolError(problems.DOCKER_NOT_RUNNING, address=where)


@contextmanager
def translate(doing: str) -> Iterator[None]:
    """Errors of the Docker SDK, and of requests and urllib3 below it, as ToolError."""
    import docker.credentials.errors
    import docker.errors
    import requests.exceptions
    import urllib3.exceptions

    try:
        yield
    except docker.errors.APIError as error:
        raise of_text(doing, str(error.explanation or error)) from error
    except docker.errors.DockerException as error:
        # The class itself is what the client raises where it finds no daemon; those below it have reasons of their own.
        raise unreachable() if type(error) is docker.errors.DockerException else of_text(doing, str(error)) from error
    except docker.credentials.errors.StoreError as error:
        raise ToolError(problems.CREDENTIALS_UNUSABLE, reason=" ".join(str(error).split())) from error
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
        raise unreachable() from error


def of_text(doing: str, text: str) -> ToolError:
    """The error for what the daemon said while doing something."""
    if "no space left on device" in text:
        return ToolError(problems.DISK_FULL, doing=doing)
    return ToolError(problems.COMMAND_FAILED, command=f"docker ({doing})", code=1, details=text.splitlines()[-15:])
