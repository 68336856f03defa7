"""Says why a path is or is not in the containers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from devenv.config.model import SyncRule
from devenv.session.sync.claims import claims_of
from devenv.session.sync.reached import Reached

State = Literal["synced", "behind", "ignored", "skipped", "absent", "outside"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a path stands with one service: `rule` and `place` say where it goes, `why` what decides.

    `behind` means that the container has something else, `skipped` that it can't be sent, `outside` that no rule is
    about it. `pods` has for each pod whether it has the path as it is here.
    """

    service: str
    path: str
    state: State
    rule: str = ""
    place: str = ""
    why: str = ""
    pods: tuple[tuple[str, bool], ...] = ()


def explain(reached: Reached, path: Path) -> list[Explanation]:
    """One answer for each rule that is about the path; one that it is outside where none is."""
    name = reached.service.name
    rules = [(number, rule) for number, rule in enumerate(reached.service.sync) if _is_below(path, rule.source)]
    if not rules:
        return [Explanation(name, str(path), "outside", why="no sync rule's source holds it")]
    return [_explain(reached, number, rule, path) for number, rule in rules]


def _explain(reached: Reached, number: int, rule: SyncRule, path: Path) -> Explanation:
    index = reached.sources.indexes[number]
    below = index.name or str(path.relative_to(rule.source))
    claim = claims_of(reached.service, reached.sources.indexes)[number]
    at = f"{rule.origin.file.name}:{rule.origin.line}"
    place = claim.place(below) if below != "." else claim.folder
    told = (reached.service.name, str(path))
    if below == ".":
        return Explanation(*told, "synced", at, place, "it is the rule's source itself")
    entry = index.entries.get(below)
    if entry is None:
        state, why = _why_not(reached, number, below, path)
        return Explanation(*told, state, at, place, why)
    has = reached.each(lambda target: target.have(number, [below]).get(below) == entry.digest)
    state = "synced" if all(has.values()) else "behind"
    return Explanation(*told, state, at, place, f"by the rule at {at}", tuple(has.items()))


def _why_not(reached: Reached, number: int, below: str, path: Path) -> tuple[State, str]:
    note = reached.sources.indexes[number].notes.get(below)
    if note:
        return "skipped", note
    reason = reached.sources.why(number, below, is_dir=path.is_dir() and not path.is_symlink())
    if reason is not None:
        return "ignored", f"{reason.path} is ignored by {reason}"
    return ("absent", "it is not there") if not os.path.lexists(path) else ("behind", "it was not looked at yet")


def _is_below(path: Path, source: Path) -> bool:
    return path == source or source in path.parents
