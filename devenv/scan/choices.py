"""What the command line says of a proposal: names, ports and dependencies that nothing in the project tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from devenv.scan.dependencies import by_hints, written_out
from devenv.scan.dotenv import Variable
from devenv.scan.hosts import Hint
from devenv.scan.kinds import IMAGE_PORTS, KINDS, kind_of_image, repository_of
from devenv.scan.names import name_ports
from devenv.scan.proposal import Dependency, Proposal, Service


def with_ports(proposal: Proposal, ports: Mapping[str, Sequence[int]]) -> Proposal:
    """The proposal with ports of services as they were given; none is an answer too."""

    def change(service: Service) -> Service:
        if service.name not in ports:
            return service
        return replace(service, ports=name_ports(ports[service.name]), why={**service.why, "ports": "as given"})

    return replace(proposal, services=tuple(change(service) for service in proposal.services))


def with_dependencies(proposal: Proposal, given: Mapping[str, str]) -> Proposal:
    """The proposal with dependencies of a known kind ("") or an image; one of the same name is replaced.

    Services that know nothing of it need it too, as somebody asked for it.
    """
    added = tuple(_dependency(name, image) for name, image in given.items())
    kept = tuple(dependency for dependency in proposal.dependencies if dependency.name not in given)
    services = tuple(
        replace(service, needs=tuple(dict.fromkeys([*service.needs, *given]))) for service in proposal.services
    )
    return replace(proposal, services=services, dependencies=(*kept, *added))


def _dependency(name: str, image: str) -> Dependency:
    kind = next((kind for kind in KINDS if kind.name == name), None)
    if not image and kind:
        return by_hints(name, [Hint(kind, name, Variable("--dependency", "", "the command line"))])
    of_image = kind_of_image(image)
    if of_image:
        return written_out(name, of_image, image, {}, why="as given")
    ports = name_ports(IMAGE_PORTS.get(repository_of(image), ()))
    return Dependency(name, image=image, ports=ports, why="as given")
