from __future__ import annotations

from decimal import Decimal

import pytest

from devenv.config.quantities import amount


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", "0"),
        ("2", "2"),
        ("1.5", "1.5"),
        (".5", "0.5"),
        ("500m", "0.5"),
        ("250u", "0.00025"),
        ("1k", "1000"),
        ("2Mi", "2097152"),
        ("1.5Gi", "1610612736"),
        ("1e3", "1000"),
        ("1E", "1000000000000000000"),
        ("5E-1", "0.5"),
    ],
)
def test_what_a_quantity_stands_for(text: str, value: str) -> None:
    assert amount(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "m", "1 Gi", "1gi", "-1", "1Kb", "1e", "lots", "1e999", "1mi"])
def test_what_is_none(text: str) -> None:
    assert amount(text) is None
