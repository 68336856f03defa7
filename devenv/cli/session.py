"""`devenv session`: the background process that `devenv up -d` starts."""

from __future__ import annotations

from dataclasses import replace

from devenv.cli.app import app
from devenv.cli.load import Choice, load_environment, load_machine
from devenv.cli.options import FileOption, OffOption, ProfileOption, RealOption, StubOption, TakeOverOption


@app.command(hidden=True)
def session(
    file: FileOption = None,
    profile: ProfileOption = None,
    real: RealOption = None,
    stub: StubOption = None,
    off: OffOption = None,
    take_over: TakeOverOption = False,
) -> None:
    """Watch, sync and forward until told to end."""
    from devenv.session.journal import Journal, Kept
    from devenv.session.live import Session
    from devenv.session.place import place_of
    from devenv.terminal.progress import make_progress
    from devenv.wiring import make_world

    environment = load_environment(Choice(file, profile, real or (), stub or (), off or ()))
    world = make_world(load_machine(), make_progress(color=False))
    kube = world.connect(world.clusters.access())
    # What this process says otherwise, such as a traceback, must not outgrow the limit either.
    journal = Journal(place_of(kube, world, environment.name).journal, output=True)
    world = replace(world, progress=Kept(journal))
    live = Session(environment, kube, world, take_over=take_over)
    live.open()
    live.run()
