"""Fields of frames as bytes and back: big-endian numbers, strings with a length in front, lists with a count."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Value = Any


class CutOffError(ValueError):
    """The bytes end in the midst of a field."""


@dataclass(frozen=True, slots=True)
class Field:
    """How a value is written, and read from bytes at a place (which gives the place behind it)."""

    write: Callable[[Value], bytes]
    read: Callable[[bytes, int], tuple[Value, int]]


def number(form: str) -> Field:
    """A number as `struct` names it ("B", "H", "I", "Q", "i", "q")."""
    packed = struct.Struct(f">{form}")

    def read(data: bytes, at: int) -> tuple[Value, int]:
        if len(data) < at + packed.size:
            raise CutOffError
        return packed.unpack_from(data, at)[0], at + packed.size

    return Field(packed.pack, read)


def fixed(size: int) -> Field:
    """So many raw bytes."""

    def read(data: bytes, at: int) -> tuple[Value, int]:
        if len(data) < at + size:
            raise CutOffError
        return data[at : at + size], at + size

    return Field(bytes, read)


U8, U16, U32, U64, I32, I64 = map(number, "BHIQiq")
REST = Field(bytes, lambda data, at: (data[at:], len(data)))


def _write_text(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogateescape")
    return U16.write(len(raw)) + raw


def _read_text(data: bytes, at: int) -> tuple[str, int]:
    size, at = U16.read(data, at)
    if len(data) < at + size:
        raise CutOffError
    return data[at : at + size].decode("utf-8", "surrogateescape"), at + size


TEXT = Field(_write_text, _read_text)
"""Bytes that are no UTF-8 are surrogates, as Python has them in file names."""


def listed(count: Field, item: Field) -> Field:
    """A count and that many items."""

    def write(values: Sequence[Value]) -> bytes:
        return count.write(len(values)) + b"".join(map(item.write, values))

    def read(data: bytes, at: int) -> tuple[Value, int]:
        size, at = count.read(data, at)
        values = []
        for _ in range(size):
            value, at = item.read(data, at)
            values.append(value)
        return tuple(values), at

    return Field(write, read)


def together(*fields: Field) -> Field:
    """Several fields as one tuple."""

    def write(values: Sequence[Value]) -> bytes:
        return b"".join(field.write(value) for field, value in zip(fields, values, strict=True))

    def read(data: bytes, at: int) -> tuple[Value, int]:
        values = []
        for field in fields:
            value, at = field.read(data, at)
            values.append(value)
        return tuple(values), at

    return Field(write, read)
