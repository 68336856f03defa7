"""`devenv version`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from devenv import __version__
from devenv.cli.app import app
from devenv.cli.options import OutputOption, VerboseOption

if TYPE_CHECKING:
    from devenv.flows.version import Part, Versions

LIBRARIES = ("docker", "kubernetes", "pydantic", "pyyaml", "questionary", "rich", "typer", "watchdog")


@app.command()
def version(output: OutputOption = "text", verbose: VerboseOption = False) -> None:
    """Print the versions of devenv and of all it works with; what is missing has a reason. Always exits with 0."""
    from dataclasses import asdict

    from devenv.terminal.render import print_json, print_lines, table

    found = _versions()
    if output == "json":
        print_json(asdict(found))
        return
    shown = {name: known for name, known in asdict(found).items() if name not in ("libraries", "reasons")}
    rows = [(name.replace("_", " "), known or f"none: {found.reasons[name]}") for name, known in shown.items()]
    lines = table(rows)
    libraries = [f"{name} {known or 'none'}" for name, known in found.libraries.items()]
    print_lines([*lines, f"libraries      {', '.join(libraries[:4])}", f"               {', '.join(libraries[4:])}"])


def _versions() -> Versions:
    import platform

    from devenv.flows.version import Versions

    parts = {part.name.replace(" ", "_"): part for part in _outside()}
    return Versions(
        devenv=__version__,
        python=platform.python_version(),
        platform=platform.platform(),
        **{name: part.version for name, part in parts.items()},
        libraries=_libraries(),
        reasons={name: part.reason for name, part in parts.items() if part.version is None},
    )


def _outside() -> list[Part]:
    from devenv.cli.load import load_machine
    from devenv.config.model import Settings
    from devenv.errors import DevenvError
    from devenv.flows.version import PARTS, Part, look
    from devenv.host.paths import settings_file
    from devenv.terminal.progress import make_progress
    from devenv.wiring import make_world

    try:
        settings = load_machine()
    except DevenvError as error:
        sys.stderr.write(f"warning: {error.message}; devenv doctor shows more\n")
        settings = Settings(settings_file())
    try:
        return look(make_world(settings, make_progress(color=False)))
    except OSError as error:
        # Folders of this user that can't be made: everything else about this machine can still be told.
        return [Part(name, None, str(error)) for name in PARTS]


def _libraries() -> dict[str, str | None]:
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as version_of

    found: dict[str, str | None] = {}
    for name in LIBRARIES:
        try:
            found[name] = version_of(name)
        except PackageNotFoundError:
            found[name] = None
    return found
