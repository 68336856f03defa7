"""Serves the orders on port 8000 until SIGTERM."""

import logging
import signal
import sys

from werkzeug.serving import make_server

from orders.web import app


def stop(_signal: int, _frame: object) -> None:
    sys.exit(0)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    signal.signal(signal.SIGTERM, stop)
    logging.getLogger("orders").info("orders listens on port 8000")
    make_server("0.0.0.0", 8000, app, threaded=True).serve_forever()
