"""Git's file name patterns as regular expressions over bytes, as gitignore(5) means them and git really decides.

Where the two differ, git wins: `a**/b` matches `ax/y/b`, as two stars right after the literal beginning of a pattern
count as a path component of their own; a class that is not closed makes the whole pattern match nothing.
"""

from __future__ import annotations

import re
import string

_SPECIAL = re.compile(rb"[*?\[\\]")
_NOTHING = b"(?!)"
_CLASSES = {
    b"alnum": string.ascii_letters + string.digits,
    b"alpha": string.ascii_letters,
    b"blank": " \t",
    b"cntrl": "".join(map(chr, range(32))) + "\x7f",
    b"digit": string.digits,
    b"graph": "".join(map(chr, range(33, 127))),
    b"lower": string.ascii_lowercase,
    b"print": "".join(map(chr, range(32, 127))),
    b"punct": string.punctuation,
    b"space": " \t\n\r",
    b"upper": string.ascii_uppercase,
    b"xdigit": string.hexdigits,
}


def translate(pattern: bytes) -> bytes | None:
    """The expression for a pattern (without `!`, and without `/` at either end); None where it matches nothing."""
    special = _SPECIAL.search(pattern)
    start = special.start() if special else len(pattern)
    parts = [re.escape(pattern[:start])]
    at = start
    while at < len(pattern):
        match pattern[at : at + 1]:
            case b"*":
                end = at + len(pattern[at:]) - len(pattern[at:].lstrip(b"*"))
                part, at = _stars(pattern, at, end, start)
            case b"?":
                part, at = b"[^/]", at + 1
            case b"[":
                found = _class(pattern, at + 1)
                if found is None:
                    return None
                part, at = found
            case b"\\":
                if at + 1 == len(pattern):
                    return None
                part, at = re.escape(pattern[at + 1 : at + 2]), at + 2
            case char:
                part, at = re.escape(char), at + 1
        parts.append(part)
    return b"".join(parts)


def _stars(pattern: bytes, at: int, end: int, start: int) -> tuple[bytes, int]:
    """What the stars from `at` to `end` mean, and where to read on."""
    begins = at == start or pattern[at - 1 : at] == b"/"
    after = pattern[end : end + 2]
    if end - at < 2 or not begins or not (after == b"" or after[:1] == b"/" or after == b"\\/"):
        return b"[^/]*", end
    return (b"(?:.*/)?", end + 1) if after[:1] == b"/" else (b".*", end)


def _class(pattern: bytes, at: int) -> tuple[bytes, int] | None:
    """The class whose `[` is before `at`, and where to read on; None where it is not well formed."""
    negated = pattern[at : at + 1] in (b"!", b"^")
    members: set[int] = set()
    at += negated
    before = 0
    while True:
        step = _member(pattern, at, before, members)
        if step is None:
            return None
        at, before = step
        if pattern[at : at + 1] == b"]":
            break
    chosen = (set(range(1, 256)) - members if negated else members) - {ord("/")}
    if not chosen:
        return _NOTHING, at + 1
    return b"[%s]" % b"".join(b"\\x%02x" % char for char in sorted(chosen)), at + 1


def _member(pattern: bytes, at: int, before: int, members: set[int]) -> tuple[int, int] | None:
    """Read one member of a class; gives where to read on, and the character that a range could begin with."""
    char = pattern[at : at + 1]
    if char == b"-" and before and pattern[at + 1 : at + 2] not in (b"", b"]"):
        at += 1 + (pattern[at + 1 : at + 2] == b"\\")
        if at >= len(pattern):
            return None
        members.update(range(before, pattern[at] + 1))
        return at + 1, 0
    if pattern[at : at + 2] == b"[:":
        end = pattern.find(b"]", at + 2)
        if end < 0:
            return None
        if end > at + 2 and pattern[end - 1 : end] == b":":
            named = _CLASSES.get(pattern[at + 2 : end - 1])
            members.update((named or "").encode())
            return None if named is None else (end + 1, 0)
    at += char == b"\\"
    if at >= len(pattern):
        return None
    members.add(pattern[at])
    return at + 1, pattern[at]
