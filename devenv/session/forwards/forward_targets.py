"""What the words of `devenv forward` mean: which unit, which of its ports, which port of this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from devenv import problems
from devenv.config.load import unknown_name
from devenv.config.model import Environment
from devenv.config.sentences import nearest
from devenv.errors import UsageError
from devenv.plan.engine import NAME as ENGINE
from devenv.plan.engine import PORT as ENGINE_PORT
from devenv.session.forwards.forwarding import Target
from devenv.session.forwards.local_ports import Forward

HIGHEST = 65535


@dataclass(frozen=True, slots=True)
class Wish:
    """A unit's name, its port by number or name ("" its only one), and the local port (None: the same number)."""

    name: str
    port: str = ""
    local: int | None = None


def parse_wish(name: str, port: str | None) -> Wish:
    """The words NAME[:PORT] and [LOCAL:]PORT; behind NAME:PORT, a lone number is the local port. UsageError."""
    unit, _, remote = name.partition(":")
    if not port:
        return Wish(unit, remote)
    local, colon, last = port.rpartition(":")
    if remote:
        if colon and last != remote:
            raise _no_port(port)
        return Wish(unit, remote, _number(local if colon else last))
    return Wish(unit, last, (_number(local) if local else 0) if colon else None)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= HIGHEST):
        raise _no_port(text)
    return int(text)


def _no_port(text: str) -> UsageError:
    return UsageError(problems.FORWARD_PORT, text=text)


def resolve(environment: Environment, wish: Wish) -> Target:
    """Where a wish leads in an environment. UsageError name-unknown, forward-port-unknown, forward-port."""
    ports = _ports_of(environment, wish.name)
    stub = _is_stub(environment, wish.name)
    # A service may be given another one just now, such as a debugger's; a dependency is as its profile says.
    name, port = _choose(wish, ports, free=wish.name in environment.services or not (ports or stub))
    if stub:
        return Target(wish.name, name, port, ENGINE, ENGINE_PORT)
    return Target(wish.name, name, port, wish.name, port)


def _ports_of(environment: Environment, name: str) -> Mapping[str, int]:
    if name in environment.services:
        return environment.services[name].ports
    dependency = environment.dependencies.get(name)
    if dependency and dependency.mode == "stub" and dependency.stub:
        return dependency.stub.ports
    if dependency and dependency.mode == "real" and dependency.real:
        return dependency.real.ports
    there = [key for key, one in environment.dependencies.items() if one.mode != "off"]
    raise unknown_name("service or dependency", name, {*environment.services, *there})


def _is_stub(environment: Environment, name: str) -> bool:
    return name not in environment.services and environment.dependencies[name].mode == "stub"


def _choose(wish: Wish, ports: Mapping[str, int], *, free: bool) -> tuple[str, int]:
    """The port's name and number; with `free`, any number will do: what listens there need not be told before."""
    if not wish.port and len(ports) == 1:
        return next(iter(ports.items()))
    if wish.port in ports:
        return wish.port, ports[wish.port]
    names = {str(number): name for name, number in ports.items()}
    if wish.port in names:
        return names[wish.port], int(wish.port)
    if free and wish.port.isascii() and wish.port.isdigit():
        number = _number(wish.port)
        if number:
            return wish.port, number
    known = ", ".join(f"{name} ({number})" for name, number in ports.items()) or "any number"
    word = nearest(wish.port, [*ports, *names])
    raise UsageError(problems.FORWARD_PORT_UNKNOWN, name=wish.name, port=wish.port or "?", nearest=word, known=known)


def find_forwards(forwards: Sequence[Forward], what: str) -> list[Forward]:
    """The forwards that NAME, NAME:PORT or a local port means. UsageError forward-unknown."""
    name, _, port = what.partition(":")
    found = [
        forward
        for forward in forwards
        if what == str(forward.local)
        or (name == forward.unit and port in ("", forward.name, str(forward.port), str(forward.local)))
    ]
    if found:
        return found
    known = list(dict.fromkeys(f"{forward.unit}:{forward.name}" for forward in forwards))
    word = nearest(what, [*{forward.unit for forward in forwards}, *known])
    raise UsageError(problems.FORWARD_UNKNOWN, name=what, nearest=word, known=", ".join(known) or "none")
