"""`devenv config`."""

from __future__ import annotations

import typer

from devenv.cli.app import app
from devenv.cli.load import Choice, load_environment
from devenv.cli.options import FileOption, OutputOption, ProfileOption, VerboseOption

config = typer.Typer(help="Look at the configuration.", no_args_is_help=True)
app.add_typer(config, name="config")


@config.command()
def show(
    file: FileOption = None,
    profile: ProfileOption = None,
    output: OutputOption = "text",
    verbose: VerboseOption = False,
) -> None:
    """Print the merged environment."""
    from dataclasses import asdict

    from devenv.terminal.render import print_json, print_lines

    environment = load_environment(Choice(file, profile))
    if output == "json":
        print_json(asdict(environment))
        return
    lines = [f"name: {environment.name}", "services:"]
    lines += [f"  {name}  {service.origin}" for name, service in environment.services.items()]
    lines += ["dependencies:"]
    lines += [f"  {name}: {d.mode}  {d.origin}" for name, d in environment.dependencies.items()]
    print_lines(lines)
