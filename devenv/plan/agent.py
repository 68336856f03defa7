"""Puts devenv's agent into the pods of a service: its program, a volume for each sync target, and their seeding.

The agent is the container's first process; the program is its child. docs/explanation/sync.md tells why.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy

from devenv import problems
from devenv.config.model import Service
from devenv.errors import ConfigError
from devenv.plan.image import Image
from devenv.plan.marks import UNIT, Object
from devenv.plan.targets import in_layer, roots_of
from devenv.sync.places import AGENT, CONFIG_MAP, KEY, MOUNT, PROGRAM, SEED, SEEDER, STATE, STATE_VOLUME

NEVER = 2**31 - 1
PROBES = {"livenessProbe": "liveness", "startupProbe": "startup"}


def carries_agent(spec: Service) -> bool:
    """Whether the service's pods run under the agent."""
    return bool(spec.sync) and spec.syncing.agent


def with_agent(
    objects: Sequence[Object], spec: Service, image: Image, binaries: Mapping[str, bytes], *, container: str
) -> list[Object]:
    """The service's objects with the agent in its pods; `container` is the one that is the service's.

    Raises ConfigError program-unknown, arch-unknown.
    """
    if image.arch not in binaries:
        known = ", ".join(sorted(binaries))
        raise ConfigError(problems.ARCH_UNKNOWN, service=spec.name, image=image.reference, arch=image.arch, known=known)
    program = agent_config_map(spec.name, binaries[image.arch])
    changed = deepcopy(list(objects))
    for template in _templates(changed, spec.name):
        _Injection(spec, image, template["spec"], container, program["metadata"]["name"]).carry_out(template)
    return [program, *changed]


def agent_config_map(service: str, program: bytes) -> Object:
    """The ConfigMap that brings the agent into a service's pods; another program has another name, so that pods that
    run keep theirs, and new ones are made."""
    name = f"{service}-{CONFIG_MAP}-{hashlib.sha256(program).hexdigest()[:8]}"
    content = {KEY: base64.b64encode(program).decode()}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "immutable": True,
        "binaryData": content,
    }


def probe_notes(objects: Sequence[Object], spec: Service, *, container: str) -> list[str]:
    """A sentence for each probe that `with_agent` takes out of the service's objects."""
    if not carries_agent(spec) or spec.syncing.probes == "keep":
        return []
    pods = [template["spec"] for template in _templates(objects, spec.name)]
    given = [key for pod in pods for found in pod["containers"] if found["name"] == container for key in found]
    words = [word for key, word in PROBES.items() if key in given]
    subject = f"its {' and '.join(words)} {'probe is' if len(words) == 1 else 'probes are'}"
    text = f"{spec.name}: {subject} taken out, as devenv restarts its program itself (sync: {{probes: keep}} keeps)"
    return [text] if words else []


def program_of(container: Object, image: Image, service: str) -> list[str]:
    """What a container starts: its command and args, where it has none those of the image. ConfigError program-unknown.

    The parts are those of a `command`, in which Kubernetes replaces $(NAME).
    """
    command, args = list(container.get("command") or ()), list(container.get("args") or ())
    if command:
        return [*command, *args]
    own = image.entrypoint if args else image.program
    reason = image.unknown or ("" if own or args else "it has neither entrypoint nor command")
    if reason:
        raise ConfigError(problems.PROGRAM_UNKNOWN, service=service, image=image.reference, reason=reason)
    # What an image starts is taken literally; in a command, $$ stands for $.
    return [*(part.replace("$", "$$") for part in own), *args]


def _templates(objects: Sequence[Object], service: str) -> Iterator[Object]:
    for obj in objects:
        template = obj.get("spec", {}).get("template")
        labels = template.get("metadata", {}).get("labels", {}) if isinstance(template, dict) else {}
        if labels.get(UNIT) == service and obj["kind"] in ("Deployment", "StatefulSet", "DaemonSet"):
            yield template


class _Injection:
    """The agent on its way into one pod."""

    def __init__(self, spec: Service, image: Image, pod: Object, container: str, program: str) -> None:
        self._spec, self._image, self._pod, self._program = spec, image, pod, program
        self._container = next(found for found in pod["containers"] if found["name"] == container)
        mounted = [mount["mountPath"] for mount in self._container.get("volumeMounts", [])]
        self._roots = () if spec.syncing.in_place else roots_of(spec.sync, mounted)
        self._fresh = in_layer(spec.sync, [*mounted, *self._roots])

    def carry_out(self, template: Object) -> None:
        """Change the pod, and name in its annotation the containers that run under the agent."""
        steps = [step for step in self._pod.get("initContainers", []) if self._is_own(step)]
        wrapped = [self._container, *(step for step in steps if self._spec.syncing.wait_for_sync)]
        for found in wrapped:
            self._wrap(found)
        for found in steps:
            self._mount(found, self._targets())
        self._mount(self._container, self._targets())
        self._settle_probes()
        if self._roots:
            self._pod["initContainers"] = [self._seeder(), *self._pod.get("initContainers", [])]
        self._pod["volumes"] = [*self._pod.get("volumes", []), *self._volumes()]
        annotations = template.setdefault("metadata", {}).setdefault("annotations", {})
        annotations[AGENT] = ",".join(found["name"] for found in wrapped)
        if len(self._pod["containers"]) == 1:
            # Beside the seeder, kubectl would say on each call which container it chose.
            annotations.setdefault("kubectl.kubernetes.io/default-container", self._container["name"])

    def _is_own(self, step: Object) -> bool:
        return step.get("image") == self._container["image"] and step.get("restartPolicy") != "Always"

    def _wrap(self, container: Object) -> None:
        program = program_of(container, self._image, self._spec.name)
        fresh = ["--fresh"] if self._fresh else []
        container["command"] = [PROGRAM, "init", *fresh, "--gate", str(self._spec.syncing.gate), "--", *program]
        container.pop("args", None)
        self._mount(container, self._tools())

    def _mount(self, container: Object, mounts: Sequence[Object]) -> None:
        taken = {mount["mountPath"] for mount in container.get("volumeMounts", [])}
        wanted = [mount for mount in mounts if mount["mountPath"] not in taken]
        if wanted:
            container["volumeMounts"] = [*container.get("volumeMounts", []), *wanted]

    def _tools(self) -> list[Object]:
        return [
            {"name": CONFIG_MAP, "mountPath": MOUNT, "readOnly": True},
            {"name": STATE_VOLUME, "mountPath": STATE},
        ]

    def _targets(self) -> list[Object]:
        return [{"name": _volume(index), "mountPath": root} for index, root in enumerate(self._roots)]

    def _seeder(self) -> Object:
        """Fills the volumes from the image, with the rights of the container that will write into them."""
        places = {root: f"{SEED}/{index}" for index, root in enumerate(self._roots)}
        mounts = [{"name": _volume(index), "mountPath": place} for index, place in enumerate(places.values())]
        copied = {
            key: deepcopy(self._container[key])
            for key in ("image", "imagePullPolicy", "securityContext", "resources")
            if key in self._container
        }
        pairs = [part for pair in places.items() for part in pair]
        return {
            "name": SEEDER,
            **copied,
            "command": [PROGRAM, "seed", *pairs],
            "volumeMounts": [*self._tools(), *mounts],
        }

    def _volumes(self) -> list[Object]:
        source = {"name": self._program, "defaultMode": 0o555}
        return [
            {"name": CONFIG_MAP, "configMap": source},
            {"name": STATE_VOLUME, "emptyDir": {}},
            *({"name": _volume(index), "emptyDir": {}} for index in range(len(self._roots))),
        ]

    def _settle_probes(self) -> None:
        for key in PROBES if self._spec.syncing.probes == "remove" else ():
            self._container.pop(key, None)
        if not {"readinessProbe", "startupProbe"} & self._container.keys():
            # Not a readiness probe, which would run the program each second for ever: a container that has not
            # started is not ready either.
            timing = {"periodSeconds": 1, "timeoutSeconds": 5, "failureThreshold": NEVER}
            self._container["startupProbe"] = {"exec": {"command": [PROGRAM, "ready"]}, **timing}


TARGET_VOLUME = "devenv-sync-"


def _volume(index: int) -> str:
    return f"{TARGET_VOLUME}{index}"


def is_agents(volume: str) -> bool:
    """Whether a volume of a pod came with the agent, by its name."""
    return volume in (CONFIG_MAP, STATE_VOLUME) or volume.startswith(TARGET_VOLUME)
