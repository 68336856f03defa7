"""What must hold between services and dependencies."""

from __future__ import annotations

from devenv.config.build import at
from devenv.config.model import Environment
from devenv.config.shape import nearest
from devenv.config.source import Fault, Map


def check_environment(environment: Environment, tree: Map, merged: Map, faults: list[Fault]) -> None:
    """Add a fault for each name that clashes, each need that is not there, and each circle of needs."""
    known = [*environment.services, *merged.entries]
    for name, service in environment.services.items():
        if name in merged.entries:
            text = f"a dependency has that name too ({merged.entries[name][0]})"
            faults.append(Fault(service.origin, f"services.{name}", text))
        for index, need in enumerate(service.needs):
            if need not in known or need == name:
                text = f'"{need}" is no service or dependency{nearest(need, known)}; known: {", ".join(known)}'
                origin = at(tree, "services", name, "needs", index).origin
                faults.append(Fault(origin, f"services.{name}.needs[{index}]", text))
    circle = find_circle({name: service.needs for name, service in environment.services.items()})
    if circle:
        text = f"services need each other: {' → '.join(circle)}"
        faults.append(Fault(at(tree, "services", circle[0], "needs").origin, f"services.{circle[0]}.needs", text))


def find_circle(needs: dict[str, tuple[str, ...]]) -> list[str]:
    """One circle among the needs, its first name again at the end; empty where there is none."""
    done: set[str] = set()

    def visit(name: str, chain: list[str]) -> list[str]:
        if name in chain:
            return [*chain[chain.index(name) :], name]
        if name not in done:
            for need in needs.get(name, ()):
                found = visit(need, [*chain, name])
                if found:
                    return found
            done.add(name)
        return []

    return next((circle for name in needs if (circle := visit(name, []))), [])
