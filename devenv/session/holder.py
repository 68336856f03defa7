"""Who holds a session: told to a second one that wants it, whether it asks this machine or the agent in a pod."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import asdict, dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Holder:
    """A user's process on a machine; `terminal` is "" for one in the background, `since` local time (ISO 8601)."""

    user: str
    host: str
    pid: int
    terminal: str
    since: str

    def words(self) -> str:
        """For people: "ann@laptop (process 12, terminal pts/3, since 12:04)"."""
        where = f"terminal {self.terminal}" if self.terminal else "in the background"
        return f"{self.user}@{self.host} (process {self.pid}, {where}, since {_clock(self.since)})"

    def message(self) -> dict[str, object]:
        """As JSON has it."""
        return {**asdict(self), "words": self.words()}


@cache
def me() -> Holder:
    """This process, since it was first asked."""
    return Holder(_user(), socket.gethostname(), os.getpid(), _terminal(), time.strftime("%Y-%m-%dT%H:%M:%S"))


def _user() -> str:
    # Imported here: it brings much along.
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())


def _terminal() -> str:
    for number in (0, 1, 2):
        try:
            return os.ttyname(number).removeprefix("/dev/")
        except OSError:
            continue
    return ""


def _clock(since: str) -> str:
    """Without the date where that is today's."""
    day, _, clock = since.partition("T")
    return clock[:5] if day == time.strftime("%Y-%m-%d") else f"{day} {clock[:5]}"
