"""What a compose service may use at most, as Kubernetes quantities."""

from __future__ import annotations

import re

from devenv.config.source import Located, Map
from devenv.scan.yamltext import child, text_at

_BYTES = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", re.IGNORECASE)
_SIZES = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_NAMES = (("Gi", 1024**3), ("Mi", 1024**2), ("Ki", 1024))
_CPUS = re.compile(r"\d{1,4}(?:\.\d+)?|\.\d+")


def limits_of(tree: Map) -> dict[str, str]:
    """The limits of a service: those under `deploy`, else `cpus` and `mem_limit`; what is no amount is left out."""
    under = child(tree, "deploy", "resources", "limits")
    cpu = _cpu(child(under, "cpus")) or _cpu(tree.value("cpus"))
    memory = _memory(child(under, "memory")) or _memory(tree.value("mem_limit"))
    return {key: value for key, value in (("cpu", cpu), ("memory", memory)) if value}


def _cpu(tree: Located | None) -> str:
    written = text_at(tree)
    thousandths = round(float(written) * 1000) if _CPUS.fullmatch(written) else 0
    return f"{thousandths}m" if thousandths % 1000 else str(thousandths // 1000 or "")


def _memory(tree: Located | None) -> str:
    """Compose's `m` is a mebibyte."""
    match = _BYTES.fullmatch(text_at(tree))
    size = int(float(match[1]) * _SIZES[match[2].lower()]) if match else 0
    unit, factor = next(((unit, factor) for unit, factor in _NAMES if size % factor == 0), ("", 1))
    return f"{size // factor}{unit}" if size else ""


def is_taken(key: str, tree: Located) -> bool:
    """Whether all that a key of limits says is carried over; 0 is no limit for Compose."""
    if text_at(tree) in ("0", "0.0", ""):
        return True
    return bool({"cpus": _cpu, "mem_limit": _memory, "memory": _memory}[key](tree))
