"""Products and orders in Postgres."""

import os
from collections.abc import Callable

import psycopg
from psycopg.rows import dict_row

from orders.prices import total

ORDER = "SELECT id, sku, quantity, total, payment FROM orders"

Row = dict[str, object]


class OutOfStock(Exception):
    """There is no such product, or not enough of it."""


def connect() -> psycopg.Connection[Row]:
    return psycopg.connect(os.environ["DATABASE_URL"], row_factory=dict_row)


def all_orders() -> list[Row]:
    with connect() as db:
        return db.execute(f"{ORDER} ORDER BY id").fetchall()


def find_order(number: int) -> Row | None:
    with connect() as db:
        return db.execute(f"{ORDER} WHERE id = %s", [number]).fetchone()


def place_order(sku: str, quantity: int, charge: Callable[[int], str]) -> Row:
    """Take from stock, charge and write down, or none of it: what is raised on the way rolls everything back."""
    with connect() as db:
        taken = db.execute(
            "UPDATE products SET stock = stock - %s WHERE sku = %s AND stock >= %s RETURNING price",
            [quantity, sku, quantity],
        ).fetchone()
        if taken is None:
            raise OutOfStock
        amount = total(int(taken["price"]), quantity)
        payment = charge(amount)
        written = db.execute(
            "INSERT INTO orders (sku, quantity, total, payment) VALUES (%s, %s, %s, %s) RETURNING *",
            [sku, quantity, amount, payment],
        ).fetchone()
    assert written is not None
    return written
