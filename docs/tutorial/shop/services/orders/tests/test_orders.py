import psycopg
import redis
from conftest import ask


def stock(db: psycopg.Connection, sku: str) -> int:
    return db.execute("SELECT stock FROM products WHERE sku = %s", [sku]).fetchone()[0]


def test_the_service_is_well() -> None:
    assert ask("GET", "/health") == (200, {"status": "ok"})


def test_an_order_is_paid_and_can_be_read_again(kettle: str) -> None:
    status, order = ask("POST", "/orders", {"sku": kettle, "quantity": 1})
    assert status == 201
    assert order["payment"].startswith("pay-")
    assert ask("GET", f"/orders/{order['id']}") == (200, order)


def test_an_order_of_three_costs_three_times_the_price(kettle: str) -> None:
    _, order = ask("POST", "/orders", {"sku": kettle, "quantity": 3})
    assert order["total"] == 3 * 2500


def test_an_order_takes_from_stock_and_is_counted(kettle: str, db: psycopg.Connection, counter: redis.Redis) -> None:
    before = int(counter.get("orders:placed") or 0)
    ask("POST", "/orders", {"sku": kettle, "quantity": 2})
    assert stock(db, kettle) == 3
    assert int(counter.get("orders:placed")) == before + 1


def test_more_than_there_is_can_not_be_ordered(kettle: str, db: psycopg.Connection) -> None:
    status, answer = ask("POST", "/orders", {"sku": kettle, "quantity": 6})
    assert (status, answer) == (409, {"error": f"not in stock: {kettle}"})
    assert stock(db, kettle) == 5


def test_a_declined_payment_leaves_the_stock_alone(kettle: str, db: psycopg.Connection) -> None:
    db.execute("UPDATE products SET price = 40200 WHERE sku = %s", [kettle])
    status, answer = ask("POST", "/orders", {"sku": kettle})
    assert status == 402
    assert answer["error"].startswith("payment declined")
    assert stock(db, kettle) == 5


def test_nonsense_is_refused() -> None:
    assert ask("POST", "/orders", {"sku": "mug", "quantity": 0})[0] == 400


def test_an_order_that_is_not_there() -> None:
    assert ask("GET", "/orders/0") == (404, {"error": "no such order"})
