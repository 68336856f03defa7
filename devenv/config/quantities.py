"""Kubernetes quantities: "500m", "1.5", "256Mi", "1e3".

Format: Kubernetes API reference, "Quantity".
"""

from __future__ import annotations

import re
from decimal import Decimal

_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:([numkMGTPE]|[KMGTPE]i)|[eE]([-+]?[0-9]{1,2}))?")
_SMALL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


def amount(text: str) -> Decimal | None:
    """What a quantity stands for, or None where the text is none."""
    match = _QUANTITY.fullmatch(text)
    if match is None:
        return None
    number, suffix, exponent = match.groups()
    if suffix in _BINARY:
        return Decimal(number) * Decimal(1024) ** (_BINARY.index(suffix) + 1)
    power = _SMALL[suffix] if suffix else int(exponent or 0)
    return Decimal(number).scaleb(power)
