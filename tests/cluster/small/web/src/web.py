"""Answers with a greeting, what Redis says to a PING, and what payments says to a charge."""

import json
import os
import socket
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GREETING = "hello"


def ping() -> str:
    host, port = os.environ["REDIS"].split(":")
    with socket.create_connection((host, int(port)), timeout=5) as redis:
        redis.sendall(b"PING\r\n")
        return redis.recv(100).decode().strip()


def charge() -> object:
    with urllib.request.urlopen(os.environ["PAYMENTS"] + "/charge", timeout=10) as answer:
        return json.load(answer)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/until-close":
            # No length is told: the answer ends where the connection does.
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"all of it")
            return
        if self.path == "/greeting":
            # What needs none of the dependencies.
            self.answer(GREETING.encode())
            return
        self.answer(json.dumps({"greeting": GREETING, "redis": ping(), "payments": charge()}).encode())

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, form: str, *arguments: object) -> None:
        print("request", self.path, flush=True)


if __name__ == "__main__":
    print("web starts", flush=True)
    ThreadingHTTPServer(("", 8600), Handler).serve_forever()
