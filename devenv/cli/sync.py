"""`devenv sync`: what of the sources is in the pods."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from devenv.cli.app import app
from devenv.cli.options import FileOption, OutputOption, VerboseOption
from devenv.cli.reach import Reach, need_session, reach_session
from devenv.errors import SyncError

if TYPE_CHECKING:
    from devenv.config.model import Service

sync = typer.Typer(help="Show what of the sources is in the pods; compare, fetch, explain.", no_args_is_help=True)
app.add_typer(sync, name="sync")

ServiceArgument = Annotated[str | None, typer.Argument(help="One service (default: all that are synced).")]
ServiceOption = Annotated[
    str | None, typer.Option("--service", "-s", metavar="NAME", help="The service, where the path does not tell.")
]
ASK_SECONDS = 300.0


@sync.command("status")
def status(
    service: ServiceArgument = None,
    file: FileOption = None,
    output: OutputOption = "text",
    verbose: VerboseOption = False,
) -> None:
    """Show each pod's files, last batch, the time from a save to its arrival, and the state of its program."""
    from devenv.session.control import checked

    reached = reach_session(file)
    _chosen(reached, service)
    _tell_status(checked(need_session(reached).ask("sync-status", service=service))["services"], output)


@sync.command("verify")
def verify(
    service: ServiceArgument = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Have the session send what differs, and delete what it once brought.")
    ] = False,
    file: FileOption = None,
    output: OutputOption = "text",
    verbose: VerboseOption = False,
) -> None:
    """Hash the sources and what the pods have of them, and name what differs. Exits with 14 where something does."""
    from devenv.session.control import checked
    from devenv.session.sync.reached import Reached
    from devenv.session.sync.sync_verify import verify as compare
    from devenv.terminal.render import print_json, print_lines, table

    reached = reach_session(file)
    chosen = _chosen(reached, service)
    if reached.session or fix:
        session = need_session(reached)
        found = checked(session.ask("sync-verify", service=service, fix=fix, timeout=ASK_SECONDS))["services"]
    else:

        def step(each: Reached) -> dict[str, Any]:
            return asdict(compare(each))

        found = [_for_a_moment(reached, each, step) for each in chosen]
    differences = [(each["service"], one) for each in found for one in each["differences"]]
    if output == "json":
        print_json(found)
        raise typer.Exit(SyncError.exit_code if differences else 0)
    rows = [(one["pod"], one["what"], one["place"], one["local"]) for _, one in differences]
    lines = table([("POD", "WHAT", "IN THE POD", "HERE"), *rows]) if rows else []
    fixed = [f"fixed: {one['pod']}:{one['place']} ({one['what']})" for each in found for one in each["fixed"]]
    print_lines([*fixed, *lines, *(_verdict(each) for each in found if not each["differences"])])
    if differences:
        raise _differs([name for name, _ in differences], fixed=fix)


def _differs(names: list[str], *, fixed: bool) -> SyncError:
    """What is told of differences, each by its service."""
    from devenv import problems
    from devenv.cli.words import counted

    hint = "devenv sync status says what keeps it from arriving" if fixed else None
    services = ", ".join(dict.fromkeys(names))
    return SyncError(problems.SYNC_DIFFERS, hint=hint, paths=counted(len(names), "path"), service=services)


@sync.command("pull")
def pull(
    path: Annotated[str, typer.Argument(help="A local path or one in the pod: a file, a folder, or with * and **.")],
    service: ServiceOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace local files that differ.")] = False,
    file: FileOption = None,
    output: OutputOption = "text",
    verbose: VerboseOption = False,
) -> None:
    """Bring files that were made in a pod back to the source: lock files, generated code."""
    from devenv.session.control import checked
    from devenv.session.sync.sync_pull import pull as fetch
    from devenv.terminal.render import print_json, print_lines

    reached = reach_session(file)
    where = path if _is_in_container(path, reached) else os.path.abspath(path)
    one = _owner(reached, where, service)
    if reached.session:
        asked = reached.session.ask("sync-pull", service=one.name, path=where, force=force, timeout=ASK_SECONDS)
        files = checked(asked)["files"]
    else:
        files = _for_a_moment(reached, one, lambda each: [asdict(done) for done in fetch(each, where, force=force)])
    if output == "json":
        print_json(files)
    else:
        print_lines([_pulled_line(done) for done in files])
    if any(done["result"] in ("differs", "refused") for done in files):
        raise typer.Exit(SyncError.exit_code)


@sync.command("accept")
def accept(
    service: ServiceArgument = None,
    file: FileOption = None,
    output: OutputOption = "text",
    verbose: VerboseOption = False,
) -> None:
    """Let what is gone here go in the pods, too, though it is more than half of the files."""
    from devenv.session.control import checked

    reached = reach_session(file)
    _chosen(reached, service)
    asked = need_session(reached).ask("sync-accept", service=service, timeout=ASK_SECONDS)
    _tell_status(checked(asked)["services"], output)


@sync.command("explain")
def explain(
    path: Annotated[Path, typer.Argument(help="A local path.")],
    file: FileOption = None,
    output: OutputOption = "text",
    verbose: VerboseOption = False,
) -> None:
    """Say whether a path is synced, by which rule, or what keeps it out: an ignore line, its kind, no rule."""
    from devenv.session.control import checked
    from devenv.session.sync.sync_explain import explain as say
    from devenv.terminal.render import print_json, print_lines

    reached = reach_session(file)
    where = Path(os.path.abspath(path))
    if reached.session:
        rules = checked(reached.session.ask("sync-explain", path=str(where), timeout=ASK_SECONDS))["rules"]
    else:
        found = [_for_a_moment(reached, one, lambda each: say(each, where)) for one in _chosen(reached, None)]
        rules = [asdict(each) for some in found for each in some]
    about = [each for each in rules if each["state"] != "outside"] or rules[:1]
    if output == "json":
        print_json(about)
        return
    print_lines([_explained_line(each) for each in about])


def _chosen(reached: Reach, name: str | None) -> list[Service]:
    """The services that are meant. UsageError no-sync."""
    from devenv import problems
    from devenv.cli.words import did_you_mean
    from devenv.errors import UsageError

    synced = {each.name: each for each in reached.environment.services.values() if each.sync}
    if name is not None and name not in synced:
        names = ", ".join(synced) or "none"
        raise UsageError(problems.NO_SYNC, name=name, nearest=did_you_mean(name, list(synced)), names=names)
    return [synced[name]] if name else list(synced.values())


def _owner(reached: Reach, path: str, name: str | None) -> Service:
    """The one service whose path this is. UsageError."""
    from devenv import problems
    from devenv.errors import UsageError

    chosen = _chosen(reached, name)
    mine = [
        each
        for each in chosen
        if any(path == str(rule.source) or path.startswith(f"{rule.source}/") for rule in each.sync)
    ]
    found = mine or chosen
    if len(found) != 1:
        raise UsageError(problems.WHICH_SERVICE, path=path, names=", ".join(each.name for each in found))
    return found[0]


def _is_in_container(path: str, reached: Reach) -> bool:
    """True for an absolute path that is below no source of ours."""
    sources = [rule.source for each in _chosen(reached, None) for rule in each.sync]
    return path.startswith("/") and not any(path == str(one) or path.startswith(f"{one}/") for one in sources)


def _for_a_moment(reached: Reach, service: Service, step: Any) -> Any:
    from devenv.plan.units import namespace_of
    from devenv.session.sync.reached import reach_for_a_moment

    environment = reached.environment
    place = {"environment": environment.name, "namespace": namespace_of(environment)}
    with reach_for_a_moment(service, reached.kube, **place) as momentary:
        return step(momentary)


def _tell_status(found: list[dict[str, Any]], output: str) -> None:
    from devenv.terminal.render import print_json, print_lines

    if output == "json":
        print_json(found)
    else:
        print_lines([line for each in found for line in _status_lines(each)])


def _status_lines(found: dict[str, Any]) -> list[str]:
    from devenv.cli.words import counted
    from devenv.terminal.render import table

    state = "in sync" if found["synced"] else "not in sync"
    rows: list[tuple[str, ...]] = [("POD", "STATE", "FILES", "BATCHES", "LAST", "LAG p50/p95/p99", "PROGRAM")]
    rows += [_replica_row(each) for each in found["replicas"]]
    skipped = [f"  not sent: {path}: {why}" for path, why in found["skipped"].items()]
    why = [line for each in found["replicas"] for line in _problem_lines(each)]
    files = counted(found["files"], "file")
    return [f"{found['service']}: {state}, {files}", *table(rows), *why, *skipped, ""]


def _problem_lines(found: dict[str, Any]) -> list[str]:
    from devenv.cli.status import stale_lines

    problem, pod = found["problem"], found["pod"]
    lines = [f"  {pod} {found['state']}: {problem['message']}", f"    {problem['hint']}"] if problem else []
    return lines + [line for reason in found["rebuild"] for line in stale_lines(pod, reason)]


def _replica_row(found: dict[str, Any]) -> tuple[str, ...]:
    from devenv.cli.words import counted

    last, lag, program = found["last"], found["lag"], found["program"]
    sent = f"{counted(last['files'], 'file')}, {last['deleted']} deleted" if last else ""
    batch = f"{sent}, {last['seconds'] * 1000:.0f} ms" if last else "-"
    times = "/".join(f"{lag[each] * 1000:.0f}" for each in ("p50", "p95", "p99")) + " ms" if lag else "-"
    how = f"{program['state']}{_code(program)}" if program else "-"
    return found["pod"], found["state"], str(found["files"]), str(found["batches"]), batch, times, how


def _code(program: dict[str, Any]) -> str:
    crashed = f" ({program['code']})" if program["state"] == "crashed" else ""
    return crashed if program["synced"] else f"{crashed} unsynced"


def _verdict(found: dict[str, Any]) -> str:
    from devenv.cli.words import counted

    verb = "is" if found["compared"] == 1 else "are"
    return f"{found['service']}: {counted(found['compared'], 'path')} {verb} the same in {', '.join(found['pods'])}"


def _pulled_line(done: dict[str, Any]) -> str:
    why = f" ({done['why']})" if done["why"] else ""
    return f"{done['result']}: {done['local'] or done['place']}{why}"


def _explained_line(found: dict[str, Any]) -> str:
    missing = [pod for pod, has in found["pods"] if not has]
    behind = f"; not yet in {', '.join(missing)}" if missing else ""
    aim = f" → {found['service']}:{found['place']}" if found["place"] and found["state"] in ("synced", "behind") else ""
    return f"{found['state']}{aim}: {found['why']}{behind}"
