"""Hosts in the values of variables: which dependency they mean, and how they are written anew."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from devenv.scan.dotenv import Variable, as_map
from devenv.scan.kinds import KINDS, Kind

LOCAL = ("localhost", "127.0.0.1", "0.0.0.0", "host.docker.internal", "::1", "[::1]")
_URL = re.compile(
    r"(?P<scheme>(?:jdbc:)?[a-z][a-z0-9+.-]*)://(?:(?P<user>[^:@/\s]*)(?::(?P<password>[^@/\s]*))?@)?"
    r"(?P<host>\[[0-9a-f:]+\]|[^:/?#,\s@\"']+)(?::(?P<port>\d+))?(?:/(?P<path>[^?#\s,\"']*))?",
    re.IGNORECASE,
)
_HOST_PORT = re.compile(r"(?P<host>[A-Za-z0-9][A-Za-z0-9._-]*)(?::(?P<port>\d+))?")
_BEFORE = r"(?:(?<=//)|(?<![^@,=\s(]))"
_NO_USER = r"(?![^/@\s]*@)"
_ENDS = ("HOST", "HOSTNAME", "SERVER", "SERVERS", "ADDR", "ADDRESS", "BROKER", "BROKERS", "ENDPOINT", "URL", "URI")
_DATABASES = ("DB", "DATABASE", "SQL", "DATASOURCE")
_USERS, _PASSWORDS = ("USER", "USERNAME"), ("PASSWORD", "PASS", "PASSWD")
_NAMES = ("DB", "NAME", "DATABASE", "DBNAME", "DB_NAME", "VHOST")


@dataclass(frozen=True, slots=True)
class Hint:
    """A variable that names a dependency: the kind, the host, and the credentials that stand with it."""

    kind: Kind
    host: str
    variable: Variable
    user: str = ""
    password: str = ""
    database: str = ""

    @property
    def is_local(self) -> bool:
        """Whether the host is the machine itself."""
        return self.host.lower() in LOCAL


def find_hints(variables: Sequence[Variable], *, drivers: str = "") -> list[Hint]:
    """What the variables say about dependencies; `drivers` are the texts in which libraries are listed."""
    values = as_map(variables)
    found = (_by_url(variable, values) or _by_name(variable, values, drivers) for variable in variables)
    return [hint for hint in found if hint]


def _by_url(variable: Variable, values: Mapping[str, str]) -> Hint | None:
    match = _URL.match(variable.value.strip())
    if match is None:
        return None
    scheme = match["scheme"].lower().removeprefix("jdbc:").partition("+")[0]
    kind = next((kind for kind in KINDS if scheme in kind.schemes), None)
    if kind is None:
        return None
    beside = _beside(variable.name, values)
    user = unquote(match["user"] or "") or beside[0]
    password = unquote(match["password"] or "") or beside[1]
    database = unquote(match["path"] or "") or beside[2]
    return Hint(kind, match["host"], variable, user, password, database)


def _by_name(variable: Variable, values: Mapping[str, str], drivers: str) -> Hint | None:
    words = variable.name.upper().split("_")
    match = _HOST_PORT.match(variable.value.strip())
    if words[-1] not in _ENDS or match is None or "://" in variable.value:
        return None
    kind = next((kind for kind in KINDS if set(kind.words) & set(words)), None)
    if kind is None and set(words) & set(_DATABASES):
        kind = _database_kind(variable.name, values, drivers)
    return Hint(kind, match["host"], variable, *_beside(variable.name, values)) if kind else None


def _database_kind(name: str, values: Mapping[str, str], drivers: str) -> Kind | None:
    """The kind behind DB_HOST: by its port, by a variable that names the engine, by the libraries in use."""
    stem = name.rpartition("_")[0]
    port = values.get(f"{stem}_PORT", "")
    engine = " ".join(values.get(f"{stem}_{end}", "") for end in ("ENGINE", "CONNECTION", "DRIVER", "TYPE", "DIALECT"))
    for kind in KINDS:
        if port == str(kind.port) or any(scheme in engine.lower() for scheme in kind.schemes):
            return kind
    return next((kind for kind in KINDS if any(driver in drivers.lower() for driver in kind.drivers)), None)


def _beside(name: str, values: Mapping[str, str]) -> tuple[str, str, str]:
    """User, password and database of the variables that begin like this one."""
    stem = name.rpartition("_")[0]

    def first(ends: Iterable[str]) -> str:
        return next((values[f"{stem}_{end}"] for end in ends if values.get(f"{stem}_{end}")), "")

    return first(_USERS), first(_PASSWORDS), first(_NAMES)


def find_hosts(value: str) -> list[tuple[str, int]]:
    """The hosts of a value's URLs, or of a value that is host:port, with their ports (0 where none is written)."""
    urls = [(match["host"], int(match["port"] or _usual_port(match["scheme"]))) for match in _URL.finditer(value)]
    plain = re.fullmatch(r"([A-Za-z][A-Za-z0-9._-]*):(\d{2,5})", value.strip())
    return urls + ([(plain[1], int(plain[2]))] if plain else [])


def _usual_port(scheme: str) -> int:
    plain = scheme.lower().removeprefix("jdbc:").partition("+")[0]
    return next((kind.port for kind in KINDS if plain in kind.schemes), {"http": 80, "https": 443}.get(plain, 0))


def rename_hosts(value: str, names: Mapping[str, str]) -> str:
    """The value with hosts written anew: in URLs, in host:port lists, or where the host is the whole value."""
    for old, new in names.items():
        if old != new:
            pattern = rf"{_BEFORE}{re.escape(old)}(?=$|[:/?,\s]){_NO_USER}"
            value = re.sub(pattern, lambda _, new=new: new, value)  # type: ignore[misc]
    return value


def to_dependency(value: str, name: str, port: int) -> str:
    """A value that names this machine, with the dependency and its port instead."""
    local = "|".join(re.escape(host) for host in LOCAL)
    return re.sub(
        rf"{_BEFORE}(?:{local})(?::\d+)?(?=$|[/?,\s)])",
        lambda found: f"{name}:{port}" if found[0].count(":") in (1, 3) else name,
        value.strip(),
    )
