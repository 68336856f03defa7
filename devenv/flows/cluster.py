"""The cluster of this machine: made, started, mended, reached."""

from __future__ import annotations

from devenv import problems
from devenv.errors import ClusterError, DevenvError, Refused
from devenv.flows.steps import Cancelled, Note, Step
from devenv.flows.world import World
from devenv.ports import Kube

NETWORK = "kind"
API_WAIT_SECONDS = 60


def cluster_steps(world: World) -> list[Step]:
    """Steps `cluster` and `registry`: after them the API answers, and nodes pull from the registry and mirrors."""
    return [
        Step("cluster", f"cluster {world.settings.cluster}", lambda note: ensure_cluster(world, note)),
        Step("registry", "local registry", lambda note: ensure_registry(world, note), ("cluster",)),
    ]


def ensure_cluster(world: World, note: Note) -> None:
    """Create or start the cluster where it is not running; Refused for one that devenv did not make."""
    state = world.clusters.inspect()
    name = world.settings.cluster
    if state.status == "foreign":
        raise Refused(problems.CLUSTER_FOREIGN, name=name)
    if state.status == "running":
        note("running")
    elif state.status == "stopped":
        world.clusters.start()
        note("started")
    else:
        world.clusters.create(stop=world.stop, on_line=None)
        note("created")
    if world.stop.is_set():
        raise Cancelled
    # A running node's API server may still be on its way, after a reboot for example.
    wait_for_api(world)


def wait_for_api(world: World) -> None:
    """Wait until the API server answers; ClusterError cluster-unreachable after a minute."""
    kube = world.connect(world.clusters.access())
    for attempt in range(API_WAIT_SECONDS * 2):
        try:
            kube.uid()
        except DevenvError:
            if attempt == API_WAIT_SECONDS * 2 - 1:
                raise
            if world.stop.wait(0.5):
                raise Cancelled from None
        else:
            return


def ensure_registry(world: World, note: Note) -> None:
    """The registry beside the cluster, known to every node, with the mirrors of the settings."""
    settings = world.settings
    done = world.registry.ensure(network=NETWORK)
    done += world.clusters.connect_registry(settings.registry_name, settings.registry_port, settings.mirrors)
    world.connect(world.clusters.access()).objects.apply(hosting(settings.registry_name, settings.registry_port))
    note(", ".join(done) if done else "running")


def hosting(name: str, port: int) -> dict[str, object]:
    """The ConfigMap by which tools find a cluster's local registry (KEP-1755)."""
    text = "".join(
        f'{key}: "{value}"\n'
        for key, value in (
            ("host", f"localhost:{port}"),
            ("hostFromContainerRuntime", f"{name}:5000"),
            ("hostFromClusterNetwork", f"{name}:5000"),
            ("help", "https://kind.sigs.k8s.io/docs/user/local-registry/"),
        )
    )
    metadata = {"name": "local-registry-hosting", "namespace": "kube-public"}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": {"localRegistryHosting.v1": text},
    }


def reach(world: World) -> Kube:
    """The running cluster; ClusterError cluster-missing or cluster-unreachable where there is none to talk to."""
    try:
        kube = world.connect(world.clusters.access())
        kube.uid()
    except ClusterError:
        state = world.clusters.inspect()
        if state.status in ("missing", "partial"):
            raise ClusterError(problems.CLUSTER_MISSING, name=world.settings.cluster) from None
        raise
    return kube
