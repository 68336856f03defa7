"""The part of WireMock 3 that generated mappings use: which one answers a request, and the states of scenarios."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

START = "Started"
KNOWN = {"method", "url", "urlPath", "urlPathTemplate", "queryParameters", "host"}


class FakeWireMock:
    """Answers from mappings; those of equal priority are asked from the last to the first."""

    def __init__(self, mappings: Sequence[Mapping[str, Any]]) -> None:
        for mapping in mappings:
            assert mapping["request"].keys() <= KNOWN
        self._mappings = [
            m for _, m in sorted(enumerate(mappings), key=lambda one: (one[1].get("priority", 5), -one[0]))
        ]
        self._states: dict[str, str] = {}

    def answer(self, method: str, target: str) -> Any:
        """The response to a request; None where no mapping matches."""
        for mapping in self._mappings:
            scenario = mapping.get("scenarioName")
            state = self._states.get(scenario or "", START)
            if mapping.get("requiredScenarioState", state) == state and matches(mapping["request"], method, target):
                if scenario and "newScenarioState" in mapping:
                    self._states[scenario] = mapping["newScenarioState"]
                return mapping["response"]
        return None


def matches(request: Mapping[str, Any], method: str, target: str) -> bool:
    path, _, query = target.partition("?")
    template = "".join(
        "[^/]+" if part.startswith("{") else re.escape(part)
        for part in re.split(r"(\{[^}]+\})", request.get("urlPathTemplate", ""))
    )
    return (
        request["method"] in (method, "ANY")
        and request.get("url", target) == target
        and request.get("urlPath", path) == path
        and ("urlPathTemplate" not in request or re.fullmatch(template, path) is not None)
        and _has_parameters(request.get("queryParameters", {}), parse_qsl(query, keep_blank_values=True))
    )


def _has_parameters(wanted: Mapping[str, Any], given: Sequence[tuple[str, str]]) -> bool:
    for name, pattern in wanted.items():
        values = [value for other, value in given if other == name]
        if "hasExactly" in pattern:
            if Counter(values) != Counter(one["equalTo"] for one in pattern["hasExactly"]):
                return False
        elif pattern["equalTo"] not in values:
            return False
    return True
