"""The declared images: read from images.toml, and turned into Dockerfiles."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tests.testbed.places import DATA, MIRROR_ADDRESS

DATA_FILE = DATA / "images.toml"
FILES = DATA / "images"
LABEL = "dev.devenv.testbed.lookalike"
HUB = "docker.io"


@dataclass(frozen=True, slots=True)
class Image:
    """One [[image]] of images.toml; what each key means stands at the top of that file."""

    name: str
    also: tuple[str, ...] = ()
    base: str = ""
    scratch: bool = False
    before: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    maven: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    host_trust: bool = False
    run: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    workdir: str = ""
    user: str = ""
    expose: tuple[int, ...] = ()
    volumes: tuple[str, ...] = ()
    stop_signal: str = ""
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The image's name with each of its tags."""
        repository = self.name.rpartition(":")[0]
        return (self.name, *(f"{repository}:{tag}" for tag in self.also))

    @property
    def sources(self) -> tuple[Path, ...]:
        """The files of ours that go into it."""
        return tuple(FILES / name for name, _ in self.files)


def read_images(path: Path = DATA_FILE) -> tuple[Image, ...]:
    """The images in the file's order; raises ValueError for an unknown key, no tag, or an unknown `from`."""
    images: list[Image] = []
    for entry in tomllib.loads(path.read_text())["image"]:
        image = _parse_image(entry)
        if image.base and image.base not in {known.name for known in images}:
            raise ValueError(f"{path.name}: {image.name} is made from {image.base}, which is not declared before it")
        images.append(image)
    return tuple(images)


def _parse_image(entry: Mapping[str, Any]) -> Image:
    values = {("base" if key == "from" else key): _freeze(value) for key, value in entry.items()}
    unknown = set(values) - {field.name for field in fields(Image)}
    if unknown or ":" not in str(values.get("name", "")):
        raise ValueError(
            f"images.toml: {entry.get('name', 'an image')} needs a name with a tag, and knows no {sorted(unknown)}"
        )
    return Image(**values)


def _freeze(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(value.items())
    return tuple(value) if isinstance(value, list) else value


def find_reference(name: str) -> str:
    """Where an image lies in the mirror: Docker Hub's at their own path, others' under their registry's name."""
    first, _, rest = name.partition("/")
    if rest and ("." in first or ":" in first):
        path = rest if first == HUB else name
    else:
        path = name if rest else f"library/{name}"
    return f"{MIRROR_ADDRESS}/{path}"


def render_dockerfile(image: Image, base: str, trust: Mapping[str, str]) -> str:
    """The Dockerfile of an image, FROM `base`; `trust`: file name → target, for an image with host_trust."""
    lines = [f"FROM {base}" + (" AS build" if image.scratch else "")]
    lines += [f"RUN {line}" for line in _join(image.before)]
    if image.packages:
        lines.append(f"RUN {_install(image.packages)}")
    lines += [f"COPY context/{name} {target}" for name, target in image.files]
    lines += [f"COPY maven/{_name_jar(coordinates)} {target}" for coordinates, target in image.maven]
    if image.host_trust:
        lines += [f"COPY trust/{name} {target}" for name, target in trust.items()]
        lines += ["RUN update-ca-certificates"] if trust else []
    lines += [f"RUN {line}" for line in _join(image.run)]
    if image.scratch:
        lines += ["FROM scratch", "COPY --from=build /rootfs/ /"]
    return "\n".join([*lines, *_render_config(image)]) + "\n"


def _join(lines: Sequence[str]) -> list[str]:
    return [" \\\n && ".join(f"{{ {line}; }}" for line in lines)] if lines else []


def _install(packages: Sequence[str]) -> str:
    install = f"DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends {' '.join(packages)}"
    options = "-o Dpkg::Options::=--force-confold"
    clean = "rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*.log /var/log/apt"
    return f"apt-get update && {install} {options} && {clean}"


def _name_jar(coordinates: str) -> str:
    _, artifact, version = coordinates.split(":")
    return f"{artifact}-{version}.jar"


def _render_config(image: Image) -> list[str]:
    lines = [f"LABEL {LABEL}=true"]
    lines += [f"ENV {name}={json.dumps(value)}" for name, value in image.env]
    lines += [f"EXPOSE {port}" for port in image.expose]
    lines += [f"VOLUME {json.dumps(list(image.volumes))}"] if image.volumes else []
    singles = {"WORKDIR": image.workdir, "USER": image.user, "STOPSIGNAL": image.stop_signal}
    lines += [f"{word} {value}" for word, value in singles.items() if value]
    lists = {"ENTRYPOINT": image.entrypoint, "CMD": image.cmd}
    return lines + [f"{word} {json.dumps(list(value))}" for word, value in lists.items() if value]
