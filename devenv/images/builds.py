"""Builds images with buildx where it is, else with the daemon's classic builder, and pushes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cached_property
from typing import Any

from devenv import problems
from devenv.config.model import Settings
from devenv.errors import ToolError
from devenv.images.build_output import build_error, interrupted, until
from devenv.images.context import context_hash, context_tar
from devenv.images.daemon import canceller, docker_client, open_client, translate
from devenv.images.lookup import look_up
from devenv.images.registry_api import find_config, read_config
from devenv.ports import BuildRequest, Command, Commands, ImageConfig, Stop

Line = Callable[[str], None]


class DockerImages:
    """Images for one local registry."""

    def __init__(self, settings: Settings, commands: Commands) -> None:
        self._mirrors = settings.mirrors
        self._port = settings.registry_port
        self._commands = commands

    def tag(self, request: BuildRequest) -> str:
        """The hash of everything that goes into the build. ToolError dockerfile-missing, build-failed (unreadable)."""
        if not request.dockerfile.is_file():
            raise ToolError(problems.DOCKERFILE_MISSING, service=request.service, path=request.dockerfile)
        try:
            return context_hash(request)
        except PermissionError as error:
            raise ToolError(
                problems.BUILD_FAILED,
                service=request.service,
                dockerfile=request.dockerfile,
                details=[f"{error.filename} can't be read"],
                hint="make it readable, or list it in .dockerignore",
            ) from error

    def find(self, image: str) -> ImageConfig | None:
        """The config of an image in the registry, or None."""
        return find_config(self._port, image)

    def look_up(self, image: str) -> ImageConfig:
        """The config of a prebuilt image; its `unknown` says why it is not known. ToolError docker-not-running."""
        return look_up(image, self._mirrors)

    def reference(self, image: str) -> str:
        """How a pod (and a push) names the image."""
        return f"localhost:{self._port}/{image}"

    @cached_property
    def _has_buildx(self) -> bool:
        if self._commands.find("docker") is None:
            return False
        return self._commands.run(Command(("docker", "buildx", "version"))).code == 0

    def build(self, request: BuildRequest, *, stop: Stop | None = None, on_line: Line | None = None) -> ImageConfig:
        """Build and push. ToolError build-failed, disk-full, push-failed, docker-not-running, image-pull-failed."""
        if self._has_buildx:
            self._build_with_buildx(request, stop, on_line)
        else:
            self._build_classic(request, stop, on_line)
        if stop and stop.is_set():
            raise interrupted(request)
        reference = self.reference(request.image)
        _push(reference, stop, on_line)
        with translate(f"inspect {reference}"):
            attributes = docker_client().images.get(reference).attrs
        return read_config(attributes.get("Config") or {}, attributes.get("Architecture"))

    def _build_with_buildx(self, request: BuildRequest, stop: Stop | None, on_line: Line | None) -> None:
        argv = ["docker", "buildx", "build", "--load", "--progress", "plain", "--provenance=false"]
        argv += ["--tag", self.reference(request.image), "--file", str(request.dockerfile)]
        argv += ["--target", request.target] if request.target else []
        for name, value in request.args.items():
            argv += ["--build-arg", f"{name}={value}"]
        done = self._commands.run(Command((*argv, str(request.context))), stop=stop, on_line=on_line)
        if done.code and not (stop and stop.is_set()):
            raise build_error(request, done.output.splitlines())

    def _build_classic(self, request: BuildRequest, stop: Stop | None, on_line: Line | None) -> None:
        import docker.errors

        context, dockerfile = context_tar(request)
        with context, translate(f"building {request.service}"), closing(open_client()) as client:
            cancel = canceller(client)
            try:
                answers = client.api.build(
                    fileobj=context,
                    custom_context=True,
                    dockerfile=dockerfile,
                    tag=self.reference(request.image),
                    target=request.target or "",
                    buildargs=dict(request.args),
                    rm=True,
                    forcerm=True,
                    decode=True,
                )
                _follow(request, until(answers, stop, cancel=cancel), on_line)
            except docker.errors.APIError as error:
                # A Dockerfile that can't be read is refused as a whole.
                raise build_error(request, str(error.explanation or error).splitlines()) from error


def _follow(request: BuildRequest, answers: Iterator[dict[str, Any]], on_line: Line | None) -> None:
    lines: list[str] = []
    for answer in answers:
        text = str(answer.get("stream") or answer.get("error") or answer.get("status") or "").rstrip()
        if text:
            lines.append(text)
            _say(on_line, text)
        if "error" in answer:
            raise build_error(request, lines)


def _say(on_line: Line | None, text: str) -> None:
    if on_line:
        on_line(text.splitlines()[-1])


def _push(reference: str, stop: Stop | None, on_line: Line | None) -> None:
    with translate(f"push {reference}"):
        answers = docker_client().api.push(reference, stream=True, decode=True)
        for answer in until(answers, stop):
            if "error" in answer:
                raise ToolError(problems.PUSH_FAILED, image=reference, details=[str(answer["error"])])
            if answer.get("status") and on_line:
                on_line(f"pushing {answer.get('id', '')} {answer['status']}")
