from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from devenv.host.processes import LocalProcesses, holder, is_free

PROCESSES = LocalProcesses()
HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def row(address: str, state: str, inode: int) -> str:
    return f"   0: {address} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000     0        0 {inode} 1\n"


def make_proc(root: Path, *, tcp: str = "", tcp6: str = "") -> Path:
    (root / "net").mkdir()
    (root / "net" / "tcp").write_text(HEADER + tcp)
    (root / "net" / "tcp6").write_text(HEADER + tcp6)
    for pid, name, inode in ((12, "nginx", 700), (13, "python3", 701)):
        (root / str(pid) / "fd").mkdir(parents=True)
        (root / str(pid) / "comm").write_text(f"{name}\n")
        (root / str(pid) / "fd" / "3").symlink_to(f"socket:[{inode}]")
        (root / str(pid) / "fd" / "0").symlink_to("/dev/null")
    return root


def eventually(condition: Callable[[], bool]) -> bool:
    waiting = threading.Event()
    return any(condition() or waiting.wait(0.05) for _ in range(200))


def test_the_holder_of_a_port_is_named(tmp_path: Path) -> None:
    proc = make_proc(tmp_path, tcp=row("0100007F:1389", "0A", 701))
    assert holder(5001, proc=proc) == "process 13 (python3)"


def test_one_that_listens_on_all_addresses_is_found(tmp_path: Path) -> None:
    proc = make_proc(tmp_path, tcp6=row("00000000000000000000000000000000:1389", "0A", 700))
    assert holder(5001, proc=proc) == "process 12 (nginx)"


def test_a_mere_connection_holds_no_port(tmp_path: Path) -> None:
    proc = make_proc(tmp_path, tcp=row("0100007F:1389", "01", 701))
    assert holder(5001, proc=proc) == "another program"


def test_where_nothing_can_be_seen_it_is_another_program(tmp_path: Path) -> None:
    assert holder(5001, proc=tmp_path) == "another program"


def test_this_process_is_found_on_the_real_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
        if Path("/proc/net/tcp").exists():
            assert holder(port).startswith(f"process {os.getpid()} ")
    assert is_free(port)


def test_a_spawned_process_lives_in_a_session_of_its_own_and_writes_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log" / "x.log"
    code = "import os, sys, time; print(os.getsid(0) == os.getpid(), sys.stdin.read(), flush=True); time.sleep(600)"
    pid = PROCESSES.spawn([sys.executable, "-c", code], log=log)
    try:
        assert eventually(lambda: log.read_text() == "True \n")
        assert PROCESSES.is_alive(pid)
    finally:
        os.kill(pid, signal.SIGTERM)
    assert eventually(lambda: not PROCESSES.is_alive(pid))


def test_a_child_that_ended_is_not_alive(tmp_path: Path) -> None:
    pid = PROCESSES.spawn([sys.executable, "-c", ""], log=tmp_path / "x.log")
    assert eventually(lambda: not PROCESSES.is_alive(pid))
    assert not PROCESSES.is_alive(pid)


def test_a_process_of_somebody_else_is_alive() -> None:
    assert PROCESSES.is_alive(1)
