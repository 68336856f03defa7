"""The word that was probably meant, and words for numbers."""

from __future__ import annotations

from collections.abc import Sequence


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word that a typing error most probably stands for: swapped letters first, then the most alike."""
    # Imported here: only a mistake needs it.
    from difflib import get_close_matches

    swapped = [other for other in known if sorted(other) == sorted(word)]
    return next(iter(swapped or get_close_matches(word, known, n=1, cutoff=0.6)), None)


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """` (did you mean "x"?)` for the word that was probably meant, or nothing."""
    meant = nearest(word, known)
    return f' (did you mean "{meant}"?)' if meant else ""


def counted(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
