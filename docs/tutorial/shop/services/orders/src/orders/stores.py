"""Where things are kept and who is asked: Postgres, Redis, the payments service."""

import json
import os
import urllib.error
import urllib.request

import psycopg
import redis


def database() -> psycopg.Connection:
    """A connection to the shop's database."""
    return psycopg.connect(os.environ["DATABASE_URL"])


def counters() -> redis.Redis:
    """The counters of the shop."""
    return redis.Redis.from_url(os.environ["REDIS_URL"])


def charge(cents: int) -> bool:
    """Ask the payments service for money; False where it declines."""
    body = json.dumps({"cents": cents}).encode()
    request = urllib.request.Request(
        os.environ["PAYMENTS_URL"] + "/charges", data=body, headers={"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status == 201
    except urllib.error.HTTPError as error:
        if error.code == 402:
            return False
        raise
