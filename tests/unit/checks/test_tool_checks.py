from __future__ import annotations

import pytest

from devenv.checks import tools
from tests.fakes.machine import HOME, Fakes

GO_INSTALL = (("go", "install", f"sigs.k8s.io/kind@{tools.KIND_TO_INSTALL}"),)
helm = tools.handy("helm", "version", "--short")


@pytest.fixture
def fakes() -> Fakes:
    fakes = Fakes()
    fakes.commands.answers["go version"] = (0, "go version go1.26.8 linux/amd64")
    return fakes


@pytest.mark.parametrize(
    ("answer", "status", "text"),
    [
        ((0, "kind v0.33.0 go1.26 linux/amd64"), "ok", "v0.33.0 at /usr/bin/kind"),
        ((0, "kind v0.11.1 go1.16"), "warn", "v0.11.1 is old"),
        ((0, ""), "warn", "an unknown version is old"),
        ((3, "segfault"), "fail", "kind version ends with code 3"),
    ],
)
def test_kind(fakes: Fakes, answer: tuple[int, str], status: str, text: str) -> None:
    fakes.commands.answers["kind version"] = answer
    verdict = tools.kind(fakes.scene)
    assert (verdict.status, verdict.text) == (status, text)


def test_another_provider_needs_no_kind(fakes: Fakes) -> None:
    fakes.settings["provider"], fakes.commands.tools = "minikube", ()
    assert tools.kind(fakes.scene).status == "skipped"


@pytest.mark.parametrize(
    ("programs", "fixes"), [(("go", "brew"), GO_INSTALL), (("brew",), (("brew", "install", "kind"),)), ((), ())]
)
def test_no_kind_is_installed_with_what_is_there(
    fakes: Fakes, programs: tuple[str, ...], fixes: tuple[tuple[str, ...], ...]
) -> None:
    fakes.commands.tools = programs
    verdict = tools.kind(fakes.scene)
    assert (verdict.status, verdict.code, verdict.fixes) == ("fail", "kind-missing", fixes)


@pytest.mark.parametrize(
    ("answer", "installs"),
    [
        ((0, "go version go1.24 linux/amd64"), True),
        ((0, "go version go1.19.8 linux/amd64"), False),
        ((0, "go version devel"), False),
        ((2, "go: broken 1.26"), False),
    ],
)
def test_kind_is_installed_with_a_go_that_was_tried(fakes: Fakes, answer: tuple[int, str], *, installs: bool) -> None:
    fakes.commands.tools, fakes.commands.answers["go version"] = ("go",), answer
    assert tools.kind(fakes.scene).fixes == (GO_INSTALL if installs else ())
    fakes.commands.tools = ("go", "brew")
    assert tools.kind(fakes.scene).fixes == (GO_INSTALL if installs else (("brew", "install", "kind"),))


@pytest.mark.parametrize(("system", "counts"), [("linux", "XDG_CONFIG_HOME"), ("darwin", "HOME")])
def test_asking_go_for_its_version_writes_and_fetches_nothing(fakes: Fakes, system: str, counts: str) -> None:
    fakes.commands.tools, fakes.machine.system = ("go",), system
    tools.kind(fakes.scene)
    (call,) = fakes.commands.calls
    assert (call.argv, call.env) == (("go", "version"), {"GOTOOLCHAIN": "local", counts: "/dev/null"})


@pytest.mark.parametrize(
    ("environ", "folder"),
    [({"GOBIN": "/gobin"}, "/gobin"), ({"GOPATH": "/gp:/other"}, "/gp/bin"), ({}, f"{HOME}/go/bin")],
)
def test_a_kind_beside_path_is_found_there(fakes: Fakes, environ: dict[str, str], folder: str) -> None:
    fakes.commands.tools, fakes.machine.environ = ("go",), environ
    fakes.files.put(f"{folder}/kind")
    verdict = tools.kind(fakes.scene)
    assert (verdict.status, verdict.fixes) == ("fail", ())
    assert f"{folder}/kind is there" in verdict.text
    assert folder in verdict.cure


def test_settings_that_name_nothing_are_to_be_corrected(fakes: Fakes) -> None:
    fakes.commands.tools, fakes.settings["tools"] = ("go",), {"kind": "/nowhere/kind"}
    verdict = tools.kind(fakes.scene)
    assert (verdict.status, verdict.code, verdict.fixes) == ("fail", "kind-missing", ())
    assert "/nowhere/kind" in verdict.text
    assert "settings.yaml" in verdict.cure


def test_settings_that_name_where_go_installs_are_fulfilled(fakes: Fakes) -> None:
    fakes.commands.tools, fakes.settings["tools"] = ("go",), {"kind": "/gobin/kind"}
    fakes.machine.environ = {"GOBIN": "/gobin"}
    assert tools.kind(fakes.scene).fixes == GO_INSTALL


def test_what_is_handy_may_be_missing(fakes: Fakes) -> None:
    assert helm(fakes.scene).status == "skipped"
    fakes.commands.tools = ("helm",)
    fakes.commands.answers["helm"] = (0, "v3.19.0+g3d8990f\n")
    assert helm(fakes.scene).text == "v3.19.0+g3d8990f"
    fakes.commands.answers["helm"] = (1, "")
    assert helm(fakes.scene).status == "warn"


def test_kubectl_tells_its_own_version_only(fakes: Fakes) -> None:
    assert tools.handy("kubectl", "version", "--client")(fakes.scene).text == "v1.34.1"
