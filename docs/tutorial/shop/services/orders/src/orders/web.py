"""The HTTP side: JSON in, JSON out."""

import logging

from flask import Flask, Response, jsonify, request

from orders import counter, payments, store

app = Flask("orders")
log = logging.getLogger("orders")

Answer = Response | tuple[Response, int]


@app.get("/health")
def health() -> Answer:
    return jsonify(status="ok")


@app.get("/orders")
def list_orders() -> Answer:
    return jsonify(orders=store.all_orders(), placed=counter.placed())


@app.get("/orders/<int:number>")
def show_order(number: int) -> Answer:
    order = store.find_order(number)
    return jsonify(order) if order else (jsonify(error="no such order"), 404)


@app.post("/orders")
def place_order() -> Answer:
    wish = request.get_json()
    sku, quantity = wish.get("sku"), wish.get("quantity", 1)
    if not isinstance(sku, str) or not isinstance(quantity, int) or quantity < 1:
        return jsonify(error="an order needs a sku and a quantity of at least 1"), 400
    try:
        order = store.place_order(sku, quantity, payments.charge)
    except store.OutOfStock:
        return jsonify(error=f"not in stock: {sku}"), 409
    except payments.Declined as reason:
        return jsonify(error=f"payment declined: {reason}"), 402
    counter.count_order()
    log.info("order %s: %s × %s for %s", order["id"], quantity, sku, order["total"])
    return jsonify(order), 201
