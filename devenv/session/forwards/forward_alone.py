"""A forward without a session: it lives as long as the command that opened it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from devenv import problems
from devenv.config.model import Environment
from devenv.errors import ClusterError
from devenv.flows.world import World
from devenv.plan.marks import selector
from devenv.plan.units import namespace_of
from devenv.ports import Kube
from devenv.session.forwards.forward_targets import Wish, resolve
from devenv.session.forwards.forwarding import Forward, Forwarder
from devenv.session.podtable import PodTable


def forward_alone(
    environment: Environment, wish: Wish, kube: Kube, world: World, *, opened: Callable[[Forward], None]
) -> None:
    """Forward until Ctrl-C or the world's end; `opened` is told what listens.

    UsageError as `resolve`, ClusterError environment-missing.
    """
    target = resolve(environment, wish)
    namespace = namespace_of(environment)
    if not kube.objects.select("v1", "Pod", namespace=namespace, labels=selector(environment.name)):
        raise ClusterError(problems.ENVIRONMENT_MISSING, name=environment.name)
    stop = threading.Event()
    table = PodTable(lambda: forwarder.refresh())
    forwarder = Forwarder(
        kube.pods,
        namespace,
        find_pod=lambda unit, timeout: table.ready_pod(unit, timeout=timeout, stop=stop),
        settle=lambda unit: None,
        stop=stop,
        tell=world.progress.note,
    )
    arguments = (kube, namespace, environment.name, stop)
    threading.Thread(target=table.follow, args=arguments, name="pods", daemon=True).start()
    try:
        opened(forwarder.add(target, target.port if wish.local is None else wish.local, added=True))
        world.stop.wait()
    except KeyboardInterrupt:
        world.progress.note("the forward ended")
    finally:
        stop.set()
        forwarder.close()
