from __future__ import annotations

import json
import stat
import threading
from pathlib import Path

import pytest

from devenv.host.trust_file import TrustFile


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "trust.json"


def test_what_was_added_is_known_to_the_next_process_until_it_is_removed(file: Path) -> None:
    TrustFile(file).add({"one": Path("/p/devenv.yaml"), "two": Path("/p/devenv.yaml")})
    assert TrustFile(file).known() == {"one", "two"}
    TrustFile(file).remove(["one", "three"])
    assert TrustFile(file).known() == {"two"}
    assert json.loads(file.read_text())["commands"]["two"]["file"] == "/p/devenv.yaml"


def test_it_is_this_users_alone(file: Path) -> None:
    TrustFile(file).add({"one": Path("/p")})
    file.chmod(0o644)
    TrustFile(file).add({"two": Path("/p")})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(path.name for path in file.parent.iterdir()) == ["trust.json", "trust.lock"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2, "commands": {"one": {}}}', '{"commands": 5}'])
def test_a_file_that_is_not_ours_trusts_nothing(file: Path, text: str) -> None:
    file.parent.mkdir()
    file.write_text(text)
    assert TrustFile(file).known() == frozenset()
    TrustFile(file).add({"two": Path("/p")})
    assert TrustFile(file).known() == {"two"}


def test_a_write_that_fails_leaves_the_old_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    TrustFile(file).add({"one": Path("/p")})

    def fail(*arguments: object) -> None:
        raise OSError("full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="full"):
        TrustFile(file).add({"two": Path("/p")})
    assert TrustFile(file).known() == {"one"}
    assert sorted(path.name for path in file.parent.iterdir()) == ["trust.json", "trust.lock"]


def test_none_is_lost_when_many_write_at_once(file: Path) -> None:
    threads = [threading.Thread(target=TrustFile(file).add, args=({f"d{n}": Path("/p")},)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(TrustFile(file).known()) == 12
