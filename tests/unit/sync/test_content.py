from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from devenv.sync import entries
from devenv.sync.content import unchanged
from devenv.sync.entries import Entry, digest_file
from devenv.sync.protocol import CONTENT


def known(place: Path, content: bytes = b"one") -> Entry:
    """What a look a while ago said of the file."""
    place.write_bytes(content)
    os.utime(place, ns=(0, 0))
    return replace(digest_file(str(place), place.stat()), racy=False)


def test_a_file_that_takes_long_to_read_is_as_young_as_when_that_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"one")
    status = (tmp_path / "a").stat()
    now = [status.st_mtime_ns + 1000]

    def read_slowly(handle: int, size: int) -> str:
        now[0] += 2 * entries.RACY_NS
        return "digest"

    monkeypatch.setattr(entries, "_hash", read_slowly)
    monkeypatch.setattr(time, "time_ns", lambda: now[0])
    assert digest_file(str(tmp_path / "a"), status).racy
    assert not digest_file(str(tmp_path / "a"), status).racy


def test_a_file_that_is_still_the_same_is_read(tmp_path: Path) -> None:
    assert unchanged(tmp_path / "a", known(tmp_path / "a")) == b"one"
    assert unchanged(tmp_path / "b", known(tmp_path / "b", b"")) == b""


@pytest.mark.parametrize("content", [b"two", b"longer", b""])
def test_one_that_was_written_since_is_not_taken_for_it(tmp_path: Path, content: bytes) -> None:
    entry = known(tmp_path / "a")
    (tmp_path / "a").write_bytes(content)
    assert unchanged(tmp_path / "a", entry) is None


def test_another_file_in_its_place_is_not_taken_for_it(tmp_path: Path) -> None:
    entry = known(tmp_path / "a")
    (tmp_path / "b").write_bytes(b"two")
    os.utime(tmp_path / "b", ns=(0, 0))
    (tmp_path / "b").replace(tmp_path / "a")
    assert unchanged(tmp_path / "a", entry) is None


def test_a_pipe_in_its_place_keeps_nobody_waiting(tmp_path: Path) -> None:
    entry = known(tmp_path / "a")
    (tmp_path / "a").unlink()
    os.mkfifo(tmp_path / "a")
    assert unchanged(tmp_path / "a", entry) is None


def test_one_that_is_gone_is_an_error(tmp_path: Path) -> None:
    entry = known(tmp_path / "a")
    (tmp_path / "a").unlink()
    with pytest.raises(OSError, match="a"):
        unchanged(tmp_path / "a", entry)


def test_a_racy_or_a_large_one_is_left_to_who_reads_with_care(tmp_path: Path) -> None:
    assert unchanged(tmp_path / "a", replace(known(tmp_path / "a"), racy=True)) is None
    assert unchanged(tmp_path / "a", known(tmp_path / "a", bytes(CONTENT + 1))) is None
