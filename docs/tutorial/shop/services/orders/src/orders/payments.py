"""Charges through the payments service."""

import json
import os
import urllib.error
import urllib.request


class Declined(Exception):
    """The payments service does not authorise the charge; the message is its reason."""


def charge(amount: int) -> str:
    """Charge an amount in cents; returns the payment's name. Raises Declined."""
    request = urllib.request.Request(
        os.environ["PAYMENTS_URL"] + "/charges",
        data=json.dumps({"amount": amount}).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(json.load(answer)["id"])
    except urllib.error.HTTPError as refusal:
        if refusal.code != 402:
            raise
        raise Declined(json.load(refusal)["reason"]) from None
