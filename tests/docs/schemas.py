"""JSON Schemas of the user's files for editors, made from the models: written by `make docs` into the package."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from devenv.config.descriptions import describe_key
from devenv.config.schema import EnvironmentFile, LocalFile, ProfileFile, SettingsFile
from devenv.config.search import schema_file
from devenv.config.strict import Strict

MODELS: dict[str, tuple[type[Strict], str]] = {
    "environment": (EnvironmentFile, "devenv.yaml"),
    "local": (LocalFile, "devenv.local.yaml"),
    "profile": (ProfileFile, "a profile of devenv"),
    "settings": (SettingsFile, "settings of devenv for this machine"),
}
EXACTLY_ONE = {"ServiceFile": ("build", "image"), "ReloadMap": ("signal", "exec")}
USE = {"type": "string", "pattern": r"\$\{", "description": "text with a variable in it"}

Schema = dict[str, Any]


def schema(kind: str) -> Schema:
    """The JSON Schema (draft 2020-12) of environment, local, profile or settings."""
    model, title = MODELS[kind]
    made = model.model_json_schema(by_alias=True)
    defs = made.get("$defs", {})
    described = {name: _model(name) for name in defs} | {"": model}
    for name, part in {"": made, **defs}.items():
        _tidy(part, described[name])
        part.update(_exactly_one(name) if kind == "environment" or name == "ReloadMap" else {})
    if kind in ("profile", "local"):
        _loosen(defs)
    for part in [made, *defs.values()] if kind != "settings" else []:
        _allow_uses(part, lists=kind in ("profile", "local"))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **_plain(made)}


def _model(name: str) -> type[Strict]:
    return next(model for model in _subclasses(Strict) if model.__name__ == name)


def _subclasses(model: type[Any]) -> Iterator[type[Any]]:
    for inner in model.__subclasses__():
        yield inner
        yield from _subclasses(inner)


def _tidy(part: Schema, model: type[Strict]) -> None:
    """Descriptions instead of titles; no key that no pattern knows; no defaults that only mean absence."""
    part.pop("title", None)
    for key, value in part.get("properties", {}).items():
        value.pop("title", None)
        if value.get("default", 0) in (None, {}, [], ""):
            del value["default"]
        if "patternProperties" in value:
            value["additionalProperties"] = False
        value["description"] = describe_key(model, key)


def _exactly_one(name: str) -> Schema:
    return {"oneOf": [{"required": [key]} for key in EXACTLY_ONE[name]]} if name in EXACTLY_ONE else {}


# --- profiles are laid onto each other ---------------------------------------------------------------------------
def _loosen(defs: Schema) -> None:
    """A profile may lack what another one says, and `+key` adds to a list; the items of a list are whole."""
    whole = {ref for part in defs.values() for ref in _item_refs(part)}
    for name, part in defs.items():
        if name in whole:
            continue
        part.pop("required", None)
        properties = part.get("properties", {})
        added = {f"+{key}": _addition(value) for key, value in properties.items() if _lists(value)}
        properties.update(added)
        for value in properties.values():
            patterns = value.get("patternProperties", {})
            for pattern in [pattern for pattern, inner in patterns.items() if _lists(inner)]:
                patterns[pattern.replace("^", r"^\+?", 1)] = patterns.pop(pattern)


def _addition(value: Schema) -> Schema:
    return {**_lists(value)[0], "description": f"added to what the included profiles say: {value['description']}"}


def _lists(value: Schema) -> list[Schema]:
    kinds = [value, *value.get("anyOf", ()), *(k for a in value.get("anyOf", ()) for k in a.get("oneOf", ()))]
    return [{"type": "array", "items": kind["items"]} for kind in kinds if kind.get("type") == "array"]


def _item_refs(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        reference = value.get("items", {}).get("$ref", "") if isinstance(value.get("items"), dict) else ""
        yield from [reference.rpartition("/")[2]] if reference else []
        for inner in value.values():
            yield from _item_refs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _item_refs(inner)


# --- values that are text until they are filled in ---------------------------------------------------------------
def _allow_uses(part: Schema, *, lists: bool) -> None:
    """A text with `${...}` may stand where something stricter than text is wanted."""
    for key, value in part.get("properties", {}).items():
        if key == "version":
            continue
        for where in ("patternProperties",):
            for pattern, inner in value.get(where, {}).items():
                value[where][pattern] = _or_use(inner, lists=lists)
        part["properties"][key] = _or_use(value, lists=lists)


def _or_use(value: Schema, *, lists: bool) -> Schema:
    if "items" in value:
        value = {**value, "items": _or_use(value["items"], lists=lists)}
    if not _is_strict(value, lists=lists):
        return value
    kept: Schema = {key: value[key] for key in ("description", "default") if key in value}
    inner: Schema = {key: inner for key, inner in value.items() if key not in kept}
    return {"anyOf": [*inner["anyOf"], USE] if list(inner) == ["anyOf"] else [inner, USE], **kept}


def _is_strict(value: Schema, *, lists: bool) -> bool:
    kinds = [kind for kind in value.get("anyOf", [value]) if kind.get("type") != "null"]
    if any(kind == {"type": "string"} for kind in kinds) or any("$ref" in kind or "oneOf" in kind for kind in kinds):
        return False
    return any(
        kind.get("type") in ("integer", "boolean", "string", *(["array"] if lists else [])) for kind in kinds
    ) and (value.get("type") != "string" or bool({"pattern", "enum"} & value.keys()))


def _plain(value: Any) -> Any:
    """Where text, whole numbers and true or false are taken, an editor's other numbers are text, too."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    types = [kind.get("type") for kind in value.get("anyOf", [])]
    if {"string", "integer", "boolean"} <= set(types):
        value = {
            **value,
            "anyOf": [{**k, "type": "number"} if k.get("type") == "integer" else k for k in value["anyOf"]],
        }
    return {key: _plain(inner) for key, inner in value.items()}


def texts() -> dict[str, str]:
    """Every schema as the text of its file."""
    return {kind: json.dumps(schema(kind), indent=2, ensure_ascii=False) + "\n" for kind in MODELS}


def write() -> None:
    for kind, text in texts().items():
        schema_file(kind).parent.mkdir(exist_ok=True)
        schema_file(kind).write_text(text)
