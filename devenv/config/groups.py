"""Groups: names for several services and dependencies, and for other groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from devenv.config.checks import find_circles
from devenv.config.sentences import nearest
from devenv.config.source import Fault, Leaf, Located, Map
from devenv.config.source import Sequence as LocatedSequence

Members = Mapping[str, Sequence[Leaf]]


def groups_of(tree: Map, names: Sequence[str], faults: list[Fault]) -> dict[str, tuple[str, ...]]:
    """The groups of devenv.yaml, each with the services and dependencies in it; `names` are all that there are.

    Faults: a name that is taken, a member that is not there, groups that hold each other.
    """
    given = tree.value("groups")
    entries = given.entries if isinstance(given, Map) else {}
    members = {name: _leaves(listed) for name, (_, listed) in entries.items()}
    for name, (origin, _) in entries.items():
        if name in names:
            faults.append(
                Fault(origin, f"groups.{name}", "a service or dependency has that name too: rename one of them")
            )
    _check_members(members, [*names, *members], faults)
    circles = _check_circles(members, faults)
    return {} if circles else {name: tuple(dict.fromkeys(_resolve(name, members))) for name in members}


def _leaves(listed: Located) -> list[Leaf]:
    return [leaf for leaf in listed.items if isinstance(leaf, Leaf)] if isinstance(listed, LocatedSequence) else []


def _check_members(members: Members, known: Sequence[str], faults: list[Fault]) -> None:
    for name, leaves in members.items():
        for index, leaf in enumerate(leaves):
            if leaf.value not in known:
                text = f'"{leaf.value}" is no service, dependency or group{nearest(str(leaf.value), known)}'
                shown = f"{text}; known: {', '.join(known)}"
                faults.append(Fault(leaf.origin, f"groups.{name}[{index}]", shown))


def _check_circles(members: Members, faults: list[Fault]) -> bool:
    circles = find_circles({name: [str(leaf.value) for leaf in leaves] for name, leaves in members.items()})
    for circle in circles:
        origin = next(leaf.origin for leaf in members[circle[0]] if leaf.value == circle[1])
        text = (
            f"groups hold each other: {' → '.join(circle)}; one of them must go without"
            if len(circle) > 2
            else "a group can't hold itself: remove it here"
        )
        faults.append(Fault(origin, f"groups.{circle[0]}", text))
    return bool(circles)


def _resolve(name: str, members: Members) -> list[str]:
    if name not in members:
        return [name]
    return [inner for leaf in members[name] for inner in _resolve(str(leaf.value), members)]
