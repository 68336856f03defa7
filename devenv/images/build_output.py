"""What a build prints: read until the end or until told to stop, and what its failure comes to."""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from devenv import problems
from devenv.errors import ToolError
from devenv.images.daemon import unreachable
from devenv.ports import BuildRequest, Stop

TAIL = 20
POLL_SECONDS = 0.2

CLASSIC_STEP = re.compile(r"Step \d+/\d+ : (?P<instruction>\w+)\s+(?:--platform=\S+\s+)?(?P<image>\S+)")
BUILDX_BASE = re.compile(r"failed to solve: (?P<image>\S+): failed to resolve source metadata")
NO_DAEMON = "Cannot connect to the Docker daemon"
PULL_HINT = (
    "check the name; docker login for a private registry, a mirror in Docker's own settings for one out of reach"
)


def until(
    answers: Iterator[dict[str, Any]], stop: Stop | None, *, cancel: Callable[[], None] = lambda: None
) -> Iterator[dict[str, Any]]:
    """The answers as they come, ending early once `stop` is set, even while none comes.

    A thread reads them; `cancel`, called where this ends before the answers do, should end its reading.
    """
    came: queue.SimpleQueue[dict[str, Any] | BaseException | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(answers, came), name="docker-answers", daemon=True).start()
    ended = False
    try:
        while stop is None or not stop.is_set():
            try:
                answer = came.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
            ended = answer is None or isinstance(answer, BaseException)
            if answer is None:
                return
            if isinstance(answer, BaseException):
                raise answer
            yield answer
    finally:
        if not ended:
            cancel()


def _read(answers: Iterator[dict[str, Any]], came: queue.SimpleQueue[dict[str, Any] | BaseException | None]) -> None:
    try:
        for answer in answers:
            came.put(answer)
    except Exception as error:  # noqa: BLE001 - raised again where the answers are read
        came.put(error)
    came.put(None)


def build_error(request: BuildRequest, lines: Sequence[str]) -> ToolError:
    """What a failed build comes to, from what it printed: the disk, the daemon, a base image or a step."""
    text = "\n".join(lines)
    if "no space left on device" in text:
        return ToolError(problems.DISK_FULL, doing=f"building {request.service}")
    if NO_DAEMON in text:
        return unreachable()
    base = base_image(lines)
    if base:
        return ToolError(
            problems.IMAGE_PULL_FAILED, name=request.service, image=base, hint=PULL_HINT, details=lines[-1:]
        )
    return ToolError(
        problems.BUILD_FAILED, service=request.service, dockerfile=request.dockerfile, details=lines[-TAIL:]
    )


def base_image(lines: Sequence[str]) -> str | None:
    """The base image that a build failed to pull, or None where it failed at something else."""
    found = BUILDX_BASE.search("\n".join(lines))
    if found:
        return found["image"]
    steps = [(at, step) for at, line in enumerate(lines) if (step := CLASSIC_STEP.match(line))]
    if not steps or steps[-1][1]["instruction"].upper() != "FROM":
        return None
    at, step = steps[-1]
    # " ---> <image id>" follows once the image is there.
    return None if any(line.lstrip().startswith("--->") for line in lines[at + 1 :]) else step["image"]


def interrupted(request: BuildRequest) -> ToolError:
    """The error of a build that was told to stop."""
    return ToolError(
        problems.BUILD_FAILED, service=request.service, dockerfile=request.dockerfile, details=["it was interrupted"]
    )
