"""`sync:` as a list and as a mapping with more."""

from __future__ import annotations

import pytest

from devenv.config.model import Reload, Service, Syncing, SyncRule
from tests.unit.config.conftest import Write, faults, read


def web(write: Write, sync: str) -> tuple[Service, str]:
    root = write({"devenv.yaml": f"services:\n  web:\n    image: x:1\n    sync:{sync}\n", "src/a.py": ""})
    return read(root).services["web"], str(root)


def test_a_list_of_rules_has_the_defaults(write: Write) -> None:
    service, root = web(write, " [{from: src, to: /app}]")
    assert service.syncing == Syncing()
    assert Syncing() == Syncing(30, False, "remove", False, "auto", True)
    assert str(service.sync[0].origin) == f"{root}/devenv.yaml:4:12"


def test_a_mapping_says_more(write: Write) -> None:
    service, root = web(
        write,
        """
      rules:
        - {from: src, to: /app, reload: restart}
        - from: src/a.py
          to: /etc/app/
      gate: 2m
      in_place: true
      probes: keep
      wait_for_sync: true
      watch: poll
      agent: false""",
    )
    assert service.syncing == Syncing(120, True, "keep", True, "poll", False)
    assert [(rule.target, rule.reload, rule.is_file) for rule in service.sync] == [
        ("/app", Reload("restart"), False),
        ("/etc/app/a.py", Reload(), True),
    ]
    assert [str(rule.origin) for rule in service.sync] == [f"{root}/devenv.yaml:6:11", f"{root}/devenv.yaml:7:11"]


@pytest.mark.parametrize(("text", "seconds"), [("0s", 0), ("30s", 30), ("10m", 600), ("600s", 600), ("00001m", 60)])
def test_a_gate(write: Write, text: str, seconds: int) -> None:
    assert web(write, f" {{rules: [], gate: {text}}}")[0].syncing.gate == seconds


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("601s", 'got "601s"'),
        ("11m", 'got "11m"'),
        ("-1s", 'got "-1s"'),
        ("30", "got the number 30: write 30s"),
        ('"30"', 'got "30": write 30s'),
        ("1h", 'got "1h"'),
        ("99999999999s", 'got "99999999999s"'),
    ],
)
def test_what_is_no_gate(write: Write, text: str, told: str) -> None:
    content = f"services:\n  web: {{image: x, sync: {{rules: [], gate: {text}}}}}\n"
    line = "expected a time from 0s to 10m, such as 30s, " + told
    assert faults(write({"devenv.yaml": content})) == [f"devenv.yaml:2:43  services.web.sync.gate  {line}"]


def test_a_number_and_a_truth_may_come_from_variables(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLL", "poll")
    monkeypatch.setenv("YES", "true")
    service, _ = web(write, ' {rules: [], gate: "${T:-5s}", watch: "${POLL}", in_place: "${YES}"}')
    assert service.syncing == Syncing(gate=5, in_place=True, watch="poll")


def test_the_local_file_changes_one_key(write: Write) -> None:
    root = write(
        {
            "devenv.yaml": "services: {web: {image: x, sync: {rules: [{from: src, to: /app}], gate: 5s}}}",
            "devenv.local.yaml": "services: {web: {sync: {watch: poll, +rules: [{from: src, to: /b}]}}}",
            "src/a.py": "",
        }
    )
    service = read(root).services["web"]
    assert service.syncing == Syncing(gate=5, watch="poll")
    assert service.sync == (SyncRule(root / "src", "/app"), SyncRule(root / "src", "/b"))
