from __future__ import annotations

from pathlib import Path

import pytest

from devenv import problems
from devenv.checks import network
from devenv.checks.facts import Answer, ContainerFacts, Holder
from devenv.errors import ToolError
from tests.fakes.machine import PROJECT, Fakes, environment, service

NGINX = Holder("process 12 (nginx)", ("nginx",), Path("/"))
HUB = "https://registry-1.docker.io/v2/"


@pytest.fixture
def fakes() -> Fakes:
    return Fakes(environment=environment())


def test_a_free_registry_port(fakes: Fakes) -> None:
    assert network.registry_port(fakes.scene).text == "5001 is free"


def test_a_registry_port_that_somebody_has(fakes: Fakes) -> None:
    fakes.network.ports[5001] = NGINX
    verdict = network.registry_port(fakes.scene)
    assert (verdict.status, verdict.code) == ("fail", "port-taken")
    assert "process 12 (nginx)" in verdict.text
    assert "registry: {port" in verdict.cure


def test_the_registry_may_have_its_port(fakes: Fakes) -> None:
    fakes.network.ports[5001] = Holder("another program")
    fakes.daemon.containers["devenv-registry"] = ContainerFacts(running=True, ours=True, ports=(5001,))
    assert network.registry_port(fakes.scene).status == "ok"
    fakes.daemon.containers["devenv-registry"] = ContainerFacts(running=True, ours=False, ports=(5001,))
    assert network.registry_port(fakes.scene).status == "fail"


def test_the_port_is_judged_without_docker_too(fakes: Fakes) -> None:
    fakes.daemon.error = ToolError(problems.DOCKER_MISSING)
    assert network.registry_port(fakes.scene).status == "ok"


def test_ports_of_services(fakes: Fakes) -> None:
    assert network.forward_ports(fakes.scene).status == "ok"
    fakes.network.ports[8000] = NGINX
    verdict = network.forward_ports(fakes.scene)
    assert (verdict.status, verdict.text) == ("warn", "taken: 8000 by process 12 (nginx)")


@pytest.mark.parametrize(
    ("argv", "folder", "status"),
    [
        (("python3", "-m", "devenv", "session", "--file", f"{PROJECT}/devenv.yaml"), "/elsewhere", "ok"),
        (("/x/bin/python", "/x/bin/devenv", "up"), f"{PROJECT}/orders", "ok"),
        (("python3", "-m", "devenv", "session", "--file", "/other/devenv.yaml"), "/other", "warn"),
        (("python3", "-m", "http.server"), str(PROJECT), "warn"),
        ((), "/", "warn"),
    ],
)
def test_a_session_of_this_environment_may_have_them(
    fakes: Fakes, argv: tuple[str, ...], folder: str, status: str
) -> None:
    fakes.network.ports[8000] = Holder("process 9 (python3)", argv, Path(folder))
    verdict = network.forward_ports(fakes.scene)
    others = argv[-1:] == ("/other/devenv.yaml",)
    assert (verdict.status, "another environment's session" in verdict.text) == (status, others)


def test_two_services_with_one_port(fakes: Fakes) -> None:
    fakes.environment = environment(service("a"), service("b"))
    assert network.forward_ports(fakes.scene).text == "taken: 8000 by two services"


def test_no_ports(fakes: Fakes) -> None:
    fakes.environment = environment(service("a", ports={}))
    assert network.forward_ports(fakes.scene).status == "ok"
    fakes.environment = None
    assert network.forward_ports(fakes.scene).status == "skipped"


@pytest.mark.parametrize("addresses", [[], ["10.0.0.7"], ["127.0.0.1", "fe80::1%eth0"]])
def test_localhost_that_is_elsewhere(fakes: Fakes, addresses: list[str]) -> None:
    fakes.network.names["localhost"] = addresses
    assert network.dns(fakes.scene).status == "fail"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("nameserver 10.0.0.1\n", "ok"),
        ("nameserver 127.0.0.53\noptions edns0\n", "ok"),
        ("nameserver 127.0.0.1\nnameserver 10.0.0.1\n", "ok"),
        ("nameserver 127.0.0.1\n", "warn"),
        ("# nothing\nnameserver\n\n", "warn"),
    ],
)
def test_name_servers(fakes: Fakes, text: str, status: str) -> None:
    fakes.files.put("/etc/resolv.conf", text)
    assert network.dns(fakes.scene).status == status


def test_a_system_without_resolv_conf(fakes: Fakes) -> None:
    del fakes.files.texts[Path("/etc/resolv.conf")]
    assert network.dns(fakes.scene).status == "ok"


ALL = "localhost,127.0.0.1,10.96.0.0/16, 10.244.0.0/16,.svc,.cluster.local"


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({}, "ok"),
        ({"HTTPS_PROXY": "http://u:secret@p:1", "NO_PROXY": ALL}, "ok"),
        ({"http_proxy": "http://u:secret@p:1", "no_proxy": "*"}, "ok"),
        ({"HTTP_PROXY": "http://u:secret@p:1", "NO_PROXY": "localhost,127.0.0.1"}, "warn"),
        ({"HTTP_PROXY": "http://u:secret@p:1", "NO_PROXY": "localhost"}, "fail"),
        ({"https_proxy": "http://u:secret@p:1"}, "fail"),
    ],
)
def test_proxies(fakes: Fakes, environ: dict[str, str], status: str) -> None:
    fakes.machine.environ = environ
    verdict = network.proxy(fakes.scene)
    assert (verdict.status, "secret" in repr(verdict)) == (status, False)


def test_what_no_proxy_lacks_is_named(fakes: Fakes) -> None:
    fakes.machine.environ = {"HTTP_PROXY": "http://p:1", "NO_PROXY": "localhost,127.0.0.1,.svc,10.96.0.0/16"}
    assert network.proxy(fakes.scene).cure == 'export NO_PROXY="${NO_PROXY:+$NO_PROXY,}10.244.0.0/16,.cluster.local"'


def test_registries_answer(fakes: Fakes) -> None:
    assert network.registries(fakes.scene).text == "registry-1.docker.io (401), ghcr.io (401)"


def test_a_registry_that_does_not_answer(fakes: Fakes) -> None:
    fakes.network.servers[HUB] = OSError("timed out")
    verdict = network.registries(fakes.scene)
    assert (verdict.status, verdict.text) == ("warn", "registry-1.docker.io: timed out")


def test_a_mirror_is_asked_instead_unless_only_nodes_know_it(fakes: Fakes) -> None:
    fakes.settings["mirrors"] = {"docker.io": "http://mirror:5000/hub", "ghcr.io": "https://mirror.corp.example/ghcr"}
    verdict = network.registries(fakes.scene)
    assert verdict.text == "mirror.corp.example (401), docker.io through a mirror in the cluster"
    assert fakes.network.fetched == ["https://mirror.corp.example/v2/"]


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("redis", "docker.io"),
        ("acme/redis:7", "docker.io"),
        ("ghcr.io/acme/x:1", "ghcr.io"),
        ("localhost/x", "localhost"),
        ("localhost:5001/x", "localhost:5001"),
    ],
)
def test_whose_image_it_is(image: str, registry: str) -> None:
    assert network.registry_of(image) == registry


def test_the_local_registry_is_not_asked_for_over_the_network(fakes: Fakes) -> None:
    fakes.environment = environment(service("a", image="localhost:5001/a:1"))
    network.registries(fakes.scene)
    assert fakes.network.fetched == [HUB]


@pytest.mark.parametrize(("ahead", "status"), [(0.4, "ok"), (-12, "ok"), (45, "warn"), (-4000, "fail")])
def test_clocks(fakes: Fakes, ahead: float, status: str) -> None:
    fakes.network.servers[HUB] = Answer(401, ahead)
    fakes.environment = None
    assert network.clock(fakes.scene).status == status


def test_no_registry_tells_the_time(fakes: Fakes) -> None:
    fakes.environment = None
    fakes.network.servers[HUB] = Answer(200)
    assert network.clock(fakes.scene).status == "skipped"
    fakes.network.servers[HUB] = OSError("no route to host")
    assert network.clock(fakes.scene).status == "skipped"
