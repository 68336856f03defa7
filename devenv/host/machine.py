"""Facts of this machine and its files, as checks ask for them. Nothing is changed by asking."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from devenv.checks.facts import FileFacts, FileKind, InotifyUse


class LocalMachine:
    """This machine and this user."""

    def __init__(self, *, proc: Path = Path("/proc")) -> None:
        self._proc = proc

    @property
    def system(self) -> str:
        """The operating system."""
        return sys.platform

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment variables."""
        return os.environ

    @property
    def home(self) -> Path:
        """The user's home folder."""
        return Path.home()

    @property
    def uid(self) -> int:
        """The user's number."""
        return os.getuid()

    def open_files(self) -> int:
        """How many files this process may have open."""
        import resource

        return resource.getrlimit(resource.RLIMIT_NOFILE)[0]

    def inotify(self) -> InotifyUse:
        """What this user has in use of inotify, counted from its processes. Format: proc_pid_fdinfo(5)."""
        instances = [place for place in self._descriptors() if _target(place) == "anon_inode:inotify"]
        watches = (_watches(place.parents[1] / "fdinfo" / place.name) for place in instances)
        return InotifyUse(len(instances), sum(watches))

    def _descriptors(self) -> Iterator[Path]:
        for process in self._proc.glob("[0-9]*"):
            try:
                if process.stat().st_uid == self.uid:
                    yield from (process / "fd").iterdir()
            except OSError:
                continue


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""


def _watches(info: Path) -> int:
    try:
        return sum(line.startswith("inotify ") for line in info.read_text().splitlines())
    except OSError:
        return 0


class LocalFiles:
    """Files of this machine."""

    def read(self, path: Path) -> str | None:
        """A text file, or None where there is none. OSError where it can't be read."""
        try:
            return path.read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            return None

    def look(self, path: Path) -> FileFacts | None:
        """What is at a path, or None."""
        try:
            facts = path.stat()
        except OSError:
            return None
        return FileFacts(_kind(facts.st_mode), stat.S_IMODE(facts.st_mode), facts.st_uid, os.access(path, os.W_OK))

    def entries(self, folder: Path) -> list[Path]:
        """What is in a folder, sorted; nothing where there is none."""
        try:
            return sorted(folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def space(self, path: Path) -> int | None:
        """Bytes left for this user on the disk of a path, or None where it is not there."""
        try:
            return shutil.disk_usage(path).free
        except OSError:
            return None

    def count_folders(self, folder: Path) -> int:
        """How many folders there are at and below a folder; a file counts as the one that it is in."""
        return sum(1 for _ in os.walk(folder)) if folder.is_dir() else int(folder.exists())

    def is_locked(self, path: Path) -> bool:
        """Whether a running program holds the lock of a file or folder."""
        try:
            handle = os.open(path, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False


def _kind(mode: int) -> FileKind:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    return "socket" if stat.S_ISSOCK(mode) else "other"
