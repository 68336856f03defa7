"""Processes that outlive the one that starts them, and who listens on a port."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

LISTENING = "0A"


class LocalProcesses:
    """Processes of this machine."""

    def spawn(self, argv: Sequence[str], *, log: Path) -> int:
        """Start a program in a session of its own, its output at the end of `log`; returns its process number."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(
                list(argv), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        # Not waited for here: that it ended is asked by `is_alive`, which also takes its exit status away.
        process.returncode = 0
        return process.pid

    def is_alive(self, pid: int) -> bool:
        """Whether that process still runs."""
        try:
            ended, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            ended = 0
        if ended == pid:
            return False
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


def is_free(port: int, *, address: str = "127.0.0.1") -> bool:
    """Whether nobody listens on a TCP port of an address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def holder(port: int, *, proc: Path = Path("/proc")) -> str:
    """Who listens on a TCP port: "process 12 (nginx)", or "another program" where that can't be seen."""
    pid = holder_pid(port, proc=proc)
    return f"process {pid} ({_name(proc / str(pid))})" if pid else "another program"


def holder_pid(port: int, *, proc: Path = Path("/proc")) -> int | None:
    """The process that listens on a TCP port; None where nobody does, or that can't be seen.

    Format: proc(5), /proc/net/tcp; the inode of the socket leads to the process that has it open.
    """
    inodes = set(listeners(port, proc=proc))
    folders = proc.glob("[0-9]*") if inodes else ()
    return next((int(folder.name) for folder in folders if _has_open(folder, inodes)), None)


def listeners(port: int, *, proc: Path = Path("/proc")) -> list[str]:
    """The inodes of the sockets that listen on a TCP port of any address."""
    return [inode for name in ("tcp", "tcp6") for inode in _listening(proc / "net" / name, port)]


def _listening(table: Path, port: int) -> list[str]:
    try:
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
    except OSError:
        return []
    return [row[9] for row in rows if row[3] == LISTENING and int(row[1].rpartition(":")[2], 16) == port]


def _has_open(folder: Path, inodes: set[str]) -> bool:
    try:
        links = list((folder / "fd").iterdir())
    except OSError:
        return False
    return any((match := re.fullmatch(r"socket:\[(\d+)\]", _target(link))) and match[1] in inodes for link in links)


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""


def _name(folder: Path) -> str:
    try:
        return (folder / "comm").read_text().strip()
    except OSError:
        return "?"
