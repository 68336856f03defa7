from __future__ import annotations

from devenv import problems
from devenv.errors import Finding, ToolError
from devenv.terminal.checks import command_lines, report_lines
from devenv.terminal.render import error_envelope, error_lines

FINE = Finding("docker", "ok", "Docker", "28.2.2")
STOPPED = Finding(
    "registry",
    "warn",
    "Registry",
    "r is stopped",
    cause="It does not run.",
    cure="devenv up starts it",
    fixes=(("docker", "start", "my registry"),),
)
BROKEN = Finding("kind", "fail", "kind", "broken", cause="It broke.", code="kind-missing", detail="Traceback\n  x")
GROUPS = {"docker": "Docker", "registry": "Here already", "kind": "Programs"}


def test_a_report_is_grouped_and_aligned() -> None:
    assert report_lines([FINE, STOPPED, BROKEN], [FINE, STOPPED, BROKEN], GROUPS) == [
        "Docker",
        "  ✓ docker    28.2.2",
        "Here already",
        "  ! registry  r is stopped",
        "      why: It does not run.",
        "      what to do: devenv up starts it",
        "      $ docker start 'my registry'",
        "Programs",
        "  ✗ kind      broken [kind-missing]",
        "      why: It broke.",
        "",
        "1 fine, 1 to look at, 1 failed; devenv doctor --fix mends 1 after asking",
    ]


def test_the_trace_of_a_check_is_shown_when_asked_for() -> None:
    assert "      Traceback" in report_lines([BROKEN], [BROKEN], GROUPS, verbose=True)
    assert "\x1b[31m✗\x1b[0m" in report_lines([BROKEN], [BROKEN], GROUPS, color=True)[1]


def test_nothing_unwell_is_left_to_show() -> None:
    assert report_lines([], [FINE], GROUPS) == ["", "1 fine"]


def test_commands_can_be_copied() -> None:
    assert command_lines(STOPPED) == ["registry: r is stopped", "  $ docker start 'my registry'"]


def test_checks_stand_between_an_errors_details_and_its_hint() -> None:
    error = ToolError(problems.PUSH_FAILED, image="x", details=["the daemon said no"])
    error.checks = (STOPPED,)
    assert error_lines(error) == [
        "error: x can't be pushed to the local registry [push-failed]",
        "  the daemon said no",
        "  ! registry  r is stopped",
        "      why: It does not run.",
        "      what to do: devenv up starts it",
        "      $ docker start 'my registry'",
        "",
        "hint: run devenv up again: it mends the registry",
    ]
    assert error_envelope(error)["checks"][0]["id"] == "registry"
