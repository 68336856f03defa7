"""Values of the user's YAML files as the JSON that they are written for: there, a number with a fraction is one."""

from __future__ import annotations

import json
import math
import re

from devenv.config.source import Leaf, Located, Map, Scalar, Sequence

Json = Scalar | float | list["Json"] | dict[str, "Json"]

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,300})(\.[0-9]{1,300})?([eE][-+]?[0-9]{1,4})?")


def json_of(tree: Located) -> Json:
    """The tree as JSON."""
    if isinstance(tree, Map):
        return {key: json_of(value) for key, (_, value) in tree.entries.items()}
    return [json_of(item) for item in tree.items] if isinstance(tree, Sequence) else json_value(tree)


def json_value(leaf: Leaf) -> Scalar | float:
    """A scalar as JSON: a number where JSON would read one that is written without quotes."""
    if not leaf.plain or not isinstance(leaf.value, str) or not _NUMBER.fullmatch(leaf.value):
        return leaf.value
    number: int | float = json.loads(leaf.value)
    return number if math.isfinite(number) else leaf.value
