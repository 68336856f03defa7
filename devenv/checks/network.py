"""Ports, names, proxies; and, when asked for, what is reached through the network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from devenv import problems
from devenv.checks.check import Check, Scene, Verdict, fail, fail_as, ok, skipped, warn
from devenv.checks.facts import Holder
from devenv.config.model import Environment
from devenv.errors import DevenvError

HUB = "docker.io"
HUB_HOST = "registry-1.docker.io"
LOCAL_NAMES = ("localhost", "127.0.0.1")
CLUSTER_RANGES = ("10.96.0.0/16", "10.244.0.0/16", ".svc", ".cluster.local")
SKEW_WARN, SKEW_FAIL = 30.0, 300.0


# --- ports -------------------------------------------------------------------------------------------------------
def registry_port(scene: Scene) -> Verdict:
    """The port of the local registry: free, or held by the registry itself."""
    port = scene.settings.registry_port
    with suppress(DevenvError):
        container = scene.daemon.find_container(scene.settings.registry_name)
        if container and container.ours and container.running and port in container.ports:
            return ok(f"{port} is the registry's")
    holder = scene.network.holder(port)
    if holder is None:
        return ok(f"{port} is free")
    where = "registry: {port: ...} in the settings"
    return fail_as(problems.PORT_TAKEN, port=port, holder=holder.text, where=where)


def forward_ports(scene: Scene) -> Verdict:
    """The ports that services are forwarded to: free, or held by this environment's own session."""
    if scene.environment is None:
        return skipped("no environment here")
    ports = [port for spec in scene.environment.services.values() for port in spec.ports.values()]
    twice = sorted({port for port in ports if ports.count(port) > 1})
    taken = [f"{port} by {_described(holder)}" for port, holder in _holders(scene, ports)]
    if not taken and not twice:
        return ok(f"{', '.join(map(str, ports))} free or this session's" if ports else "no service has a port")
    text = "; ".join([*(f"{port} by two services" for port in twice), *taken])
    cause = "A forward takes the next free port where its own is taken, so the URL is another one than expected."
    return warn(f"taken: {text}", cause, "stop that program, or ask devenv url NAME for the port it has become")


def _holders(scene: Scene, ports: list[int]) -> Iterator[tuple[int, Holder]]:
    for port in dict.fromkeys(ports):
        holder = scene.network.holder(port)
        if holder and not _is_own_session(holder, scene.root):
            yield port, holder


def _is_session(holder: Holder) -> bool:
    return "devenv" in (Path(word).name for word in holder.argv)


def _described(holder: Holder) -> str:
    return f"{holder.text}, another environment's session" if _is_session(holder) else holder.text


def _is_own_session(holder: Holder, root: Path) -> bool:
    if not _is_session(holder):
        return False
    return str(root / "devenv.yaml") in holder.argv or (holder.folder or Path("/")).is_relative_to(root)


# --- names and proxies -------------------------------------------------------------------------------------------
def dns(scene: Scene) -> Verdict:
    """localhost is this machine, and there is a name server to ask."""
    addresses = scene.network.resolve("localhost")
    if not addresses or not all(ip_address(address.partition("%")[0]).is_loopback for address in addresses):
        cause = "The cluster and the registry are reached as localhost."
        seen = ", ".join(addresses) or "nothing"
        return fail(f"localhost is {seen}", cause, "put the line `127.0.0.1 localhost` into /etc/hosts")
    text = scene.files.read(Path("/etc/resolv.conf"))
    if text is None:
        return ok("localhost is this machine")
    servers = [line.split()[1] for line in text.splitlines() if line.split()[:1] == ["nameserver"] and line.split()[1:]]
    return _name_servers(servers)


def _name_servers(servers: list[str]) -> Verdict:
    if not servers:
        cause = "Without a name server, images can't be pulled and pods find nothing outside."
        return warn("/etc/resolv.conf names no server", cause, "connect to a network, or write nameserver lines there")
    # Docker knows systemd-resolved's stub and asks the servers behind it.
    hidden = [server for server in servers if server.startswith("127.") and server != "127.0.0.53"]
    if len(hidden) == len(servers):
        cause = "Containers can't ask a name server on this machine's loopback; Docker takes Google's instead."
        cure = '{"dns": ["ADDRESS OF YOUR SERVER"]} in /etc/docker/daemon.json, then restart Docker'
        return warn(f"only loopback name servers: {', '.join(servers)}", cause, cure)
    return ok(f"localhost is this machine, names are asked of {', '.join(servers)}")


def proxy(scene: Scene) -> Verdict:
    """What must not go through the proxy does not."""
    environ = scene.machine.environ
    proxies = [name for name in ("HTTP_PROXY", "HTTPS_PROXY") if environ.get(name) or environ.get(name.lower())]
    if not proxies:
        return ok("none set")
    excepted = (environ.get("NO_PROXY") or environ.get("no_proxy") or "").replace(" ", "").split(",")
    if "*" in excepted:
        return ok(f"{' and '.join(proxies)} set, but NO_PROXY is *")
    missing = [name for name in (*LOCAL_NAMES, *CLUSTER_RANGES) if name not in excepted]
    if not missing:
        return ok(f"{' and '.join(proxies)} set, cluster and localhost excepted")
    verdict = fail if set(missing) & set(LOCAL_NAMES) else warn
    cause = "The cluster, the registry and forwards are on this machine; a proxy elsewhere can't reach them."
    text = f"{' and '.join(proxies)} set, and NO_PROXY lacks {', '.join(missing)}"
    return verdict(text, cause, f'export NO_PROXY="${{NO_PROXY:+$NO_PROXY,}}{",".join(missing)}"')


# --- what is reached through the network -------------------------------------------------------------------------
def registries(scene: Scene) -> Verdict:
    """The registries and mirrors that images come from answer."""
    hosts = _hosts(scene.environment)
    failed, told = [], []
    for host, url in _urls(scene, hosts).items():
        try:
            told.append(f"{host} ({scene.network.fetch(url).status})")
        except OSError as error:
            failed.append(f"{host}: {error}")
    inside = [f"{host} through a mirror in the cluster" for host in sorted(hosts) if _inner_mirror(scene, host)]
    if not failed:
        return ok(", ".join([*told, *inside]) or "no registry is needed")
    cause = "Images that are not here yet can't be pulled; those that are here still work."
    cure = "check network, VPN and proxy; mirrors: in the settings names another source"
    return warn("; ".join(failed), cause, cure)


def _hosts(environment: Environment | None) -> set[str]:
    """The registries of the environment's images; Docker Hub's for the registry container's own, too."""
    images = [] if environment is None else [spec.image for spec in environment.services.values() if spec.image]
    dependencies = environment.dependencies.values() if environment else ()
    images += [item.real.image for item in dependencies if item.mode == "real" and item.real]
    return {HUB, *(registry_of(image) for image in images)}


def registry_of(image: str) -> str:
    """The registry of an image's name: "ghcr.io" of "ghcr.io/acme/x:1", "docker.io" of "redis"."""
    first, slash, _ = image.partition("/")
    return first if slash and (set(".:") & set(first) or first == "localhost") else HUB


def _inner_mirror(scene: Scene, host: str) -> bool:
    """Whether the nodes pull from a container beside them, whose name means nothing out here."""
    mirror = urlsplit(scene.settings.mirrors.get(host, "")).hostname or ""
    return bool(mirror) and "." not in mirror and mirror != "localhost"


def _urls(scene: Scene, hosts: set[str]) -> dict[str, str]:
    found = {}
    for host in sorted(host for host in hosts if not _inner_mirror(scene, host)):
        mirror = scene.settings.mirrors.get(host)
        if mirror:
            parts = urlsplit(mirror)
            found[parts.netloc] = f"{parts.scheme}://{parts.netloc}/v2/"
        elif host.partition(":")[0] != "localhost":
            name = HUB_HOST if host == HUB else host
            found[name] = f"https://{name}/v2/"
    return found


def clock(scene: Scene) -> Verdict:
    """This machine's clock against a registry's."""
    for host, url in _urls(scene, _hosts(scene.environment)).items():
        with suppress(OSError):
            ahead = scene.network.fetch(url).ahead
            if ahead is not None:
                return _skew(host, ahead)
    return skipped("no registry tells the time")


def _skew(host: str, ahead: float) -> Verdict:
    off = abs(ahead)
    text = f"{off:.0f} s {'ahead of' if ahead > 0 else 'behind'} {host}"
    if off < SKEW_WARN:
        return ok(f"as that of {host}")
    cause = "Certificates and tokens are valid from and to a time; with a wrong clock they are refused."
    return (fail if off >= SKEW_FAIL else warn)(text, cause, "sudo timedatectl set-ntp true; in WSL: wsl --shutdown")


CHECKS = (
    Check("registry-port", "The registry's port is free", "Network", registry_port),
    Check("forward-ports", "The services' ports are free", "Network", forward_ports),
    Check("dns", "Names are found", "Network", dns),
    Check("proxy", "Proxies leave the cluster alone", "Network", proxy),
    Check("registries", "Registries and mirrors answer", "Network", registries, online=True, seconds=15.0),
    Check("clock", "The clock is right", "Network", clock, online=True, seconds=15.0),
)
