"""What must hold between services and dependencies, seen on their trees so that other faults hide none of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from devenv.config.search import shown_place
from devenv.config.sentences import nearest_or_all
from devenv.config.source import Fault, Leaf, Located, Map
from devenv.config.source import Sequence as LocatedSequence

Needs = Mapping[str, Sequence[str]]


def check_names(services: Map, dependencies: Map, faults: list[Fault]) -> None:
    """Add a fault for each name that clashes, each need that is not there, and each circle of needs."""
    known = [*services.entries, *(name for name in dependencies.entries if name not in services.entries)]
    needs = {name: list(needs_of(service)) for name, (_, service) in services.entries.items()}
    for name, (origin, _) in services.entries.items():
        if name in dependencies.entries:
            place = shown_place(dependencies.entries[name][0], origin.file.parent)
            text = f"a dependency has that name too, in {place}: rename one of them"
            faults.append(Fault(origin, f"services.{name}", text))
        for index, leaf in enumerate(needs[name]):
            if isinstance(leaf.value, str) and leaf.value not in known:
                text = f'"{leaf.value}" is no service or dependency{nearest_or_all(leaf.value, known)}'
                faults.append(Fault(leaf.origin, f"services.{name}.needs[{index}]", text))
    for circle in find_circles({name: [str(leaf.value) for leaf in listed] for name, listed in needs.items()}):
        origin = next(leaf.origin for leaf in needs[circle[0]] if leaf.value == circle[1])
        names = f"services need each other: {' → '.join(circle)}; one of them must go without"
        text = names if len(circle) > 2 else "a service can't need itself: remove it here"
        faults.append(Fault(origin, f"services.{circle[0]}.needs", text))


def needs_of(service: Located) -> Iterator[Leaf]:
    """What a service says it needs, as far as it has the right shape."""
    listed = service.value("needs") if isinstance(service, Map) else None
    for item in listed.items if isinstance(listed, LocatedSequence) else ():
        if isinstance(item, Leaf):
            yield item


def find_circles(needs: Needs) -> list[list[str]]:
    """Circles among the needs that share no name, each with its first name again at the end."""
    left, circles = dict(needs), []
    while circle := _find_circle(left):
        circles.append(circle)
        left = {name: listed for name, listed in left.items() if name not in circle}
    return circles


def _find_circle(needs: Needs) -> list[str]:
    done: set[str] = set()

    def visit(name: str, chain: list[str]) -> list[str]:
        if name in chain:
            return [*chain[chain.index(name) :], name]
        if name in done:
            return []
        found = next((circle for need in needs.get(name, ()) if (circle := visit(need, [*chain, name]))), [])
        done.add(name)
        return found

    return next((circle for name in needs if (circle := visit(name, []))), [])
