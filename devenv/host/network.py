"""Ports, names and servers, as checks ask for them."""

from __future__ import annotations

import errno
import os
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path

from devenv.checks.facts import Answer, Holder
from devenv.host.processes import holder, holder_pid, is_free, listeners

FETCH_SECONDS = 6.0
KNOCK_SECONDS = 1.0


class LocalNetwork:
    """The network as this machine sees it."""

    def __init__(self, *, proc: Path = Path("/proc")) -> None:
        self._proc = proc

    def holder(self, port: int) -> Holder | None:
        """Who listens on a TCP port of this machine; None where nobody does."""
        tables = (self._proc / "net" / "tcp").exists()
        if not listeners(port, proc=self._proc) if tables else is_free(port):
            return None
        pid = holder_pid(port, proc=self._proc)
        if pid is None:
            return Holder("another program")
        process = self._proc / str(pid)
        return Holder(holder(port, proc=self._proc), _argv(process), _folder(process))

    def listens(self, socket_file: Path) -> bool:
        """Whether somebody listens on a Unix socket; one that is not ours to ask counts as listened on."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(KNOCK_SECONDS)
            try:
                probe.connect(str(socket_file))
            except OSError as error:
                return error.errno not in (errno.ECONNREFUSED, errno.ENOENT)
        return True

    def resolve(self, host: str) -> Sequence[str]:
        """The addresses of a name; nothing where it has none."""
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return []
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    def fetch(self, url: str) -> Answer:
        """Ask an HTTP server for its head, whatever it answers. OSError with the reason where it does not."""
        request = urllib.request.Request(url, method="HEAD")
        try:
            with urllib.request.urlopen(request, timeout=FETCH_SECONDS) as answer:
                return Answer(answer.status, _ahead(answer.headers.get("Date")))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _ahead(error.headers.get("Date")))
        except urllib.error.URLError as error:
            raise OSError(str(getattr(error.reason, "strerror", None) or error.reason)) from error


def _ahead(date: str | None) -> float | None:
    try:
        return time.time() - parsedate_to_datetime(date).timestamp() if date else None
    except ValueError:
        return None


def _argv(process: Path) -> tuple[str, ...]:
    try:
        return tuple((process / "cmdline").read_text(errors="replace").rstrip("\0").split("\0"))
    except OSError:
        return ()


def _folder(process: Path) -> Path | None:
    try:
        return Path(os.readlink(process / "cwd"))
    except OSError:
        return None
