"""Programs, processes and folders that are not there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from devenv.ports import Change, Command, Finished, Stop


class FakeCommands:
    """Answers by the longest prefix of the command line in `answers` (code, output), else with success and no output.

    `errors` is what such a command says on stderr besides. `tools` are the programs that `find` knows. Each run first
    pops from `failures`, if there is one, and raises it.
    """

    def __init__(self, *, tools: Sequence[str] = ("docker", "kind", "kubectl")) -> None:
        self.tools = tuple(tools)
        self.calls: list[Command] = []
        self.answers: dict[str, tuple[int, str]] = {}
        self.errors: dict[str, str] = {}
        self.failures: list[BaseException] = []
        self.effects: dict[str, Callable[[], None]] = {}

    @property
    def lines(self) -> list[str]:
        """The command lines that were run."""
        return [" ".join(command.argv) for command in self.calls]

    def run(
        self, command: Command, *, stop: Stop | None = None, on_line: Callable[[str], None] | None = None
    ) -> Finished:
        self.calls.append(command)
        line = " ".join(command.argv)
        for prefix in sorted(p for p in self.effects if line.startswith(p)):
            self.effects[prefix]()
        if self.failures:
            raise self.failures.pop(0)
        prefixes = sorted((p for p in self.answers if line.startswith(p)), key=len)
        code, output = self.answers[prefixes[-1]] if prefixes else (0, "")
        for text in output.splitlines() if on_line else ():
            assert on_line
            on_line(text)
        errors = "".join(text for prefix, text in self.errors.items() if line.startswith(prefix))
        return Finished(command, code, output, output + errors, errors)

    def find(self, tool: str) -> Path | None:
        return Path("/usr/bin") / tool if tool in self.tools else None


class FakeTrust:
    """Trusts what it was told to."""

    def __init__(self, *digests: str) -> None:
        self.digests = set(digests)

    def known(self) -> frozenset[str]:
        return frozenset(self.digests)

    def add(self, digests: Mapping[str, Path]) -> None:
        self.digests |= digests.keys()

    def remove(self, digests: Collection[str]) -> None:
        self.digests -= set(digests)


class FakeProcesses:
    """Processes by number, from 1001 on; `dead` ones do not run any more."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.dead: set[int] = set()
        self.failures: list[BaseException] = []

    def spawn(self, argv: Sequence[str], *, log: Path) -> int:
        if self.failures:
            raise self.failures.pop(0)
        self.calls.append(tuple(argv))
        return 1000 + len(self.calls)

    def is_alive(self, pid: int) -> bool:
        return 1000 < pid <= 1000 + len(self.calls) and pid not in self.dead


class FakeWatcher:
    """Watches nothing: a test says with `tell` what changed."""

    def __init__(self) -> None:
        self.calls: list[tuple[Path, ...]] = []
        self.failures: list[BaseException] = []
        self._listeners: list[tuple[tuple[Path, ...], Callable[[Change], None]]] = []

    @contextmanager
    def watch(
        self, folders: Sequence[Path], on_change: Callable[[Change], None], *, poll: bool = False
    ) -> Iterator[None]:
        if self.failures:
            raise self.failures.pop(0)
        self.calls.append(tuple(folders))
        entry = (tuple(folders), on_change)
        self._listeners.append(entry)
        try:
            yield
        finally:
            self._listeners.remove(entry)

    def tell(self, change: Change) -> None:
        """What changed goes to those who watch a folder above it; an overflow to all."""
        for folders, on_change in list(self._listeners):
            if change.overflow or any(change.path.is_relative_to(folder) for folder in folders):
                on_change(change)
