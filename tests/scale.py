"""How much of a long test is run: a little by default and in CI, all of it with DEVENV_TEST_SCALE=full."""

from __future__ import annotations

import os

SCALE = os.environ.get("DEVENV_TEST_SCALE", "1")


def scaled(short: int, *, full: int) -> int:
    """The figure for this run; a DEVENV_TEST_SCALE that is a number multiplies the short one."""
    return full if SCALE == "full" else short * int(SCALE)


def seconds(short: int = 60) -> int:
    """The time limit that goes with it."""
    return short if SCALE == "1" else 3600
