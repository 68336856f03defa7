"""What every shape of the user's files is built from."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

FILLED = r"\S"
Filled = Annotated[str, Field(pattern=FILLED)]
Value = str | int | bool


def shape_of(value: object) -> str:
    """The tag of a union that is told apart by the kind of value: `map`, `list` or `text`."""
    return "map" if isinstance(value, dict) else "list" if isinstance(value, list) else "text"


def text_of(value: Value) -> str:
    """A scalar as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def allow_variables(schema: Any) -> None:
    """In a JSON schema, let a text with a variable stand wherever a number or true/false does."""
    for part in list(schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()):
        kinds = [kind.get("type") for kind in part.get("anyOf", [])] if isinstance(part, dict) else []
        if "string" not in kinds:
            allow_variables(part)
    if isinstance(schema, dict) and schema.get("type") in ("integer", "boolean") and "const" not in schema:
        plain = {key: schema.pop(key) for key in list(schema) if key not in ("default", "description", "title")}
        schema["anyOf"] = [plain, {"type": "string", "pattern": r"\$\{"}]


class Strict(BaseModel):
    """No unknown keys, no conversions.

    `planned` are keys of later versions: refused by name, so that nobody looks for a typing error.
    """

    planned: ClassVar[frozenset[str]] = frozenset()
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, json_schema_extra=allow_variables)


ShellOrList = Annotated[
    Annotated[Filled, Tag("text")] | Annotated[list[str], Tag("list"), Field(min_length=1)], Discriminator(shape_of)
]
