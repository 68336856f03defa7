"""What an order costs, in cents."""


def total(price: int, quantity: int) -> int:
    return price
