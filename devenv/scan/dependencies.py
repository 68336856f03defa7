"""A dependency of a known kind, of the shipped profile of its name or written out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from devenv.scan.hosts import Hint
from devenv.scan.kinds import Kind, tag_of
from devenv.scan.names import name_ports
from devenv.scan.proposal import Dependency

SHIPPED = ("postgres", "redis")


def by_hints(name: str, hints: Sequence[Hint]) -> Dependency:
    """The dependency that some variables name: of the first kind they tell, with the first credentials they hold."""
    kind = hints[0].kind
    user, password, database = (
        next((found for hint in hints if (found := getattr(hint, part))), "")
        for part in ("user", "password", "database")
    )
    why = ", ".join(dict.fromkeys(f"{hint.variable.name} in {hint.variable.place}" for hint in hints))
    if name == kind.name and name in SHIPPED:
        given = {"database": database, "user": user, "password": password} if name == "postgres" else {}
        return Dependency(name, profile=name, arguments={key: value for key, value in given.items() if value}, why=why)
    env = credentials(kind, user, password, database)
    return written_out(name, kind, kind.image, env, why=why)


def credentials(kind: Kind, user: str, password: str, database: str) -> dict[str, str]:
    """The variables that make an image of this kind have these."""
    if kind.name == "postgres":
        user, password, database = user or "postgres", password or "postgres", database or user or "postgres"
    if kind.name == "mysql":
        return _mysql(user, password, database)
    if kind.name == "rabbitmq" and user == "guest":
        user = password = ""
    pairs = ((kind.user, user), (kind.password, password), (kind.database, database))
    return {variable: value for variable, value in pairs if variable and value}


def _mysql(user: str, password: str, database: str) -> dict[str, str]:
    env = {"MYSQL_DATABASE": database} if database else {}
    if user in ("", "root"):
        return {**env, **({"MYSQL_ROOT_PASSWORD": password} if password else {"MYSQL_ALLOW_EMPTY_PASSWORD": "yes"})}
    return {**env, "MYSQL_USER": user, "MYSQL_PASSWORD": password or "app", "MYSQL_RANDOM_ROOT_PASSWORD": "yes"}


def written_out(name: str, kind: Kind, image: str, env: Mapping[str, str], *, why: str) -> Dependency:
    """A dependency with everything its image needs."""
    return Dependency(
        name,
        image=image,
        ports=name_ports((kind.port, *kind.more_ports)),
        env={**env, **{key: value.format(name=name) for key, value in kind.env.items()}},
        volumes={"data": kind.volume} if kind.volume and kind.name != "redis" else {},
        ready=ready_of(kind, env),
        why=why,
    )


def ready_of(kind: Kind, env: Mapping[str, str]) -> tuple[str, ...]:
    """The command that tells that it takes requests; none where its port tells it."""
    if kind.name == "postgres":
        # Over TCP: while the first start makes the database, the server listens on its Unix socket only.
        user = env.get("POSTGRES_USER", "postgres")
        return ("pg_isready", "--host", "127.0.0.1", "--username", user, "--dbname", env.get("POSTGRES_DB", user))
    return ("redis-cli", "ping") if kind.name == "redis" else ()


def shipped_postgres(image: str, env: Mapping[str, str], seed: Sequence[str], why: str) -> Dependency:
    """The shipped profile of Postgres with what an image and its variables say."""
    user = env.get("POSTGRES_USER", "postgres")
    given = {
        "version": tag_of(image),
        "database": env.get("POSTGRES_DB", user),
        "user": user,
        "password": env.get("POSTGRES_PASSWORD", ""),
    }
    arguments = {key: value for key, value in given.items() if value}
    return Dependency("postgres", profile="postgres", arguments=arguments, seed=tuple(seed), why=why)


def shipped_redis(image: str, why: str) -> Dependency:
    """The shipped profile of Redis in the version of an image."""
    arguments = {"version": tag_of(image)} if tag_of(image) else {}
    return Dependency("redis", profile="redis", arguments=arguments, why=why)
