"""Names as Kubernetes takes them."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable

NAME_LENGTH = 40
PORT_NAMES = {
    25: "smtp", 53: "dns", 1025: "smtp", 1883: "mqtt", 2181: "zookeeper", 3306: "mysql", 4222: "nats", 4317: "otlp",
    5432: "postgres", 5672: "amqp", 6379: "redis", 9092: "kafka", 11211: "memcached", 27017: "mongo", 50051: "grpc",
}  # fmt: skip


def clean_name(given: str, *, taken: Container[str] = ()) -> str:
    """A name of lowercase letters, digits and dashes that begins with a letter and is not taken."""
    cleaned = re.sub(r"[^a-z0-9]+", "-", given.lower()).strip("-")
    if not cleaned[:1].isalpha():
        cleaned = f"x-{cleaned}".rstrip("-")
    cleaned = cleaned[:NAME_LENGTH].rstrip("-")
    candidates = [cleaned, *(f"{cleaned}-{count}" for count in range(2, 10_000))]
    return next(name for name in candidates if name not in taken)


def name_ports(ports: Iterable[int]) -> dict[str, int]:
    """Ports with names: what a well-known number is for, `http` for the first other, the number behind it for more."""
    named: dict[str, int] = {}
    for port in dict.fromkeys(ports):
        if not 1 <= port <= 65535:
            continue
        usual = PORT_NAMES.get(port, "http")
        named[usual if usual not in named else f"{usual[:9]}-{port}"] = port
    return named
