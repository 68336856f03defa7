"""Lines of an answer that goes on for long, until it ends or is no longer wanted."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from devenv.kube.translation import is_connection
from devenv.ports import Stop

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

CHUNK = 64 * 1024
STOP_SECONDS = 0.2


def read_lines(response: BaseHTTPResponse, stop: Stop | None) -> Generator[bytes, None, None]:
    """The lines without their newline, the last one whole or not; ends quietly once `stop` is set.

    Raises the libraries' exceptions where the connection is lost.
    """
    parts: list[bytes] = []
    with _cut_by(stop, response):
        for chunk in response.stream(CHUNK, decode_content=False):
            if stop is not None and stop.is_set():
                return
            if b"\n" not in chunk:
                parts.append(chunk)
                continue
            parts.append(chunk)
            *lines, rest = b"".join(parts).split(b"\n")
            parts = [rest] if rest else []
            yield from lines
    if parts and not (stop is not None and stop.is_set()):
        yield b"".join(parts)


@contextmanager
def _cut_by(stop: Stop | None, response: BaseHTTPResponse) -> Iterator[None]:
    """While entered, `stop` ends a read that is under way; the answer is closed at the end, whatever the reason."""
    done = threading.Event()
    if stop is not None and (sock := getattr(response.connection, "sock", None)) is not None:
        # A read timeout would do without a thread, but HTTP clients give a connection up after one.
        threading.Thread(target=_cut, args=(stop, done, sock), name="stop", daemon=True).start()
    try:
        yield
    except Exception as error:
        if stop is None or not stop.is_set() or not is_connection(error):
            raise
    finally:
        done.set()
        response.close()
        response.release_conn()


def _cut(stop: Stop, done: threading.Event, sock: socket.socket) -> None:
    while not done.is_set():
        if stop.wait(STOP_SECONDS):
            # Not the TLS socket's own method: that one takes its state away from under the reading thread.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            return
