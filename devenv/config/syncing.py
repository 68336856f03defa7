"""A service's `sync:`: its rules, and how it is synced."""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path

from devenv.config import model, schema
from devenv.config.disk import exists, is_file
from devenv.config.sentences import nearest_or_all, nearest_path
from devenv.config.shape import locate
from devenv.config.source import Fault, Located, describe_scalar

SIGNALS = ("HUP", "INT", "QUIT", "USR1", "USR2", "TERM", "KILL", "ALRM", "CONT", "STOP", "WINCH")
LONGEST_GATE = 600
OWN = "/.devenv"

_TIME = re.compile(r"([0-9]{1,5})(s|m)")
_SECONDS = {"s": 1, "m": 60}


class SyncBuilder:
    """Reads the sync of one service; `root` is the folder that sources are relative to."""

    def __init__(self, name: str, tree: Located, root: Path, faults: list[Fault]) -> None:
        self._name, self._tree, self._root, self._faults = name, tree, root, faults
        self._beside = tree.origin.file.name

    def _fault(self, text: str, *path: str | int) -> None:
        origin, shown = locate(self._tree, ("sync", *path))
        self._faults.append(Fault(origin, f"services.{self._name}.{shown}", text))

    def rules(self, given: list[schema.SyncFile] | schema.SyncMap) -> tuple[model.SyncRule, ...]:
        """The rules, each with a target of its own."""
        listed, above = (given.rules, ("rules",)) if isinstance(given, schema.SyncMap) else (given, ())
        built = tuple(self._rule(rule, (*above, index)) for index, rule in enumerate(listed))
        for index, rule in enumerate(built):
            if rule.target in [other.target for other in built[:index]]:
                text = f"{rule.target} is the target of another rule too: each needs its own"
                self._fault(text, *above, index, "to")
        return built

    def syncing(self, given: list[schema.SyncFile] | schema.SyncMap) -> model.Syncing:
        """How the service is synced."""
        if not isinstance(given, schema.SyncMap):
            return model.Syncing()
        return model.Syncing(
            gate=self._gate(given.gate),
            in_place=given.in_place,
            probes=given.probes,
            wait_for_sync=given.wait_for_sync,
            watch=given.watch,
            agent=given.agent,
        )

    def _gate(self, given: str | int) -> int:
        found = _TIME.fullmatch(str(given))
        seconds = int(found[1]) * _SECONDS[found[2]] if found else LONGEST_GATE + 1
        if seconds <= LONGEST_GATE:
            return seconds
        cure = f": write {given}s" if str(given).isdecimal() and int(given) <= LONGEST_GATE else ""
        self._fault(f"expected a time from 0s to 10m, such as 30s, got {describe_scalar(given)}{cure}", "gate")
        return model.Syncing().gate

    def _rule(self, rule: schema.SyncFile, path: tuple[str | int, ...]) -> model.SyncRule:
        source = Path(os.path.normpath(self._root / rule.source))
        if not exists(source):
            text = f"there is no file or folder {rule.source} beside {self._beside}{nearest_path(source)}"
            self._fault(text, *path, "from")
        if ".." in rule.to.split("/"):
            self._fault(f'expected a path without "..", got "{rule.to}"', *path, "to")
        target = target_of(rule.to, source)
        if f"{target}/".startswith(f"{OWN}/"):
            self._fault(f"{OWN} is devenv's own folder in the container: write another one", *path, "to")
        origin, _ = locate(self._tree, ("sync", *path))
        return model.SyncRule(source, target, self._reload(rule.reload, path), is_file(source), origin)

    def _reload(self, given: schema.ReloadMap | model.ReloadKind, path: tuple[str | int, ...]) -> model.Reload:
        if not isinstance(given, schema.ReloadMap):
            return model.Reload(given)
        if given.exec:
            return model.Reload("exec", command=tuple(given.exec))
        signal = (given.signal or "").removeprefix("SIG")
        if signal not in SIGNALS:
            text = f'expected a signal, got "{given.signal}"{nearest_or_all(signal, SIGNALS)}'
            self._fault(text, *path, "reload", "signal")
        return model.Reload("signal", signal=signal)


def target_of(to: str, source: Path) -> str:
    """Where a rule's files go, without dots and doubled slashes; a file goes into a folder written with a slash."""
    into = f"{to}/{source.name}" if is_file(source) and to.endswith("/") else to
    return "/" + posixpath.normpath(into).lstrip("/")
