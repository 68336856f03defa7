"""The running service as a test sees it, and the Postgres and Redis behind it: all of them real."""

import json
import os
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator

import psycopg
import pytest
import redis

SERVICE = "http://127.0.0.1:8000"


def ask(method: str, path: str, body: object = None) -> tuple[int, dict]:
    """Send a request to the service; returns the status and the answer."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(SERVICE + path, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)


@pytest.fixture
def db() -> Iterator[psycopg.Connection]:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        yield connection


@pytest.fixture
def counter() -> redis.Redis:
    return redis.Redis.from_url(os.environ["REDIS_URL"])


@pytest.fixture
def kettle(db: psycopg.Connection) -> Iterator[str]:
    """The SKU of a product of this test's own: 5 in stock at 25.00; it and its orders are removed afterwards."""
    sku = f"kettle-{uuid.uuid4().hex[:8]}"
    db.execute("INSERT INTO products VALUES (%s, 'Kettle', 2500, 5)", [sku])
    yield sku
    db.execute("DELETE FROM orders WHERE sku = %s", [sku])
    db.execute("DELETE FROM products WHERE sku = %s", [sku])
