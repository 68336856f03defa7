"""What a session and all units print, until Ctrl-C: of the session in this process, or of one elsewhere."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

from devenv import problems
from devenv.config.model import Environment
from devenv.errors import ClusterError, Refused
from devenv.flows.logs import Line, LogRequest, read_logs
from devenv.flows.world import World
from devenv.ports import Kube
from devenv.session.control import ControlClient, find_session
from devenv.session.journal import follow, shown
from devenv.session.live import Session
from devenv.session.place import place_of


def follow_session(session: Session, kube: Kube, world: World, line: Line, *, since: int) -> None:
    """Print what all units print, services from `since` seconds ago, until Ctrl-C ends the session; what is up stays.

    Refused session-taken where another took it over.
    """
    environment = session.environment
    request = LogRequest(environment, follow=True, since=since, fresh=frozenset(environment.dependencies))
    try:
        read_logs(request, kube, session.stopped, line)
    except KeyboardInterrupt:
        name = environment.name
        world.progress.note(f"\nthe session ended; {name} stays up: devenv up goes on, devenv down removes it")
    finally:
        world.stop.set()
        session.close()
    if session.taken_by:
        raise Refused(problems.SESSION_TAKEN, name=environment.name, holder=session.taken_by)


def attach(environment: Environment, kube: Kube, world: World, line: Line, *, tail: int) -> None:
    """Print what the live session said last and says, and what all units print, until Ctrl-C or the session's end.

    ClusterError no-session.
    """
    place = place_of(kube, world, environment.name)
    client = find_session(place.socket)
    if client is None:
        raise ClusterError(problems.NO_SESSION, name=environment.name)
    holder = client.ask("status", timeout=10).get("holder") or {}
    stop = threading.Event()
    note = world.progress.note
    note(f"attached to the session of {holder.get('words', 'another version')}; Ctrl-C leaves it alone")
    saying = threading.Thread(target=_say, args=(place.journal, stop, world, tail), name="journal", daemon=True)
    saying.start()
    ending = threading.Thread(target=_await_end, args=(client, stop), name="end", daemon=True)
    ending.start()
    try:
        read_logs(LogRequest(environment, follow=True, tail=tail), kube, stop, line)
    except KeyboardInterrupt:
        note("\ndetached; the session goes on")
        return
    finally:
        stop.set()
        client.hang_up()
        ending.join()
        client.close()
        saying.join()
    note("the session ended")


def _say(journal: Path, stop: threading.Event, world: World, tail: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        follow(journal, stop, lambda text: world.progress.note(shown(text)), tail=tail)


def _await_end(client: ControlClient, stop: threading.Event) -> None:
    client.wait_end()
    stop.set()
