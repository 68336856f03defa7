"""The stub engine: one WireMock pod, and a Service for each stubbed dependency in front of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from devenv.config.model import Dependency
from devenv.plan.marks import FILES, Object, content_hash
from devenv.plan.workloads import config_map, deployment, service
from devenv.stubs.mappings import body_files, read_mappings

NAME = "devenv-stubs"
IMAGE = "wiremock/wiremock:3.13.2"
PORT = 8080

# One engine for a hundred hosts stays near 150 MB with a fixed heap, the serial collector and a capped journal.
JAVA_OPTIONS = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx160m -Xss512k"
ARGUMENTS = ("--max-request-journal-entries", "1000", "--disable-banner")


def engine_objects(stubbed: Mapping[str, Dependency], files: Mapping[str, Mapping[str, bytes]]) -> list[Object]:
    """The engine's config maps and Deployment; `files` holds each dependency's stub folder by relative name."""
    mappings: dict[str, bytes] = {}
    bodies: dict[str, bytes] = {}
    for name in sorted(stubbed):
        stubs = read_mappings(name, files[name])
        # As short as JSON can be: there is little room.
        text = json.dumps({"mappings": stubs}, separators=(",", ":"), sort_keys=True)
        mappings[f"{name}.json"] = text.encode()
        bodies |= body_files(name, files[name])
    maps = [config_map(f"{NAME}-mappings", mappings), config_map(f"{NAME}-files", bodies)]
    return [*maps, deployment(NAME, _pod(sorted(mappings)), annotations={FILES: content_hash(maps)})]


def _pod(mappings: Sequence[str]) -> Object:
    # One mount a file: WireMock walks folders, and a mounted ConfigMap shows each file twice (through ..data).
    folder = "/home/wiremock/mappings"
    mounts = [{"name": "mappings", "mountPath": f"{folder}/{key}", "subPath": key} for key in mappings]
    container: Object = {
        "name": "wiremock",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "args": list(ARGUMENTS),
        "env": [{"name": "JAVA_OPTS", "value": JAVA_OPTIONS}],
        "ports": [{"name": "http", "containerPort": PORT}],
        "readinessProbe": {
            "httpGet": {"path": "/__admin/health", "port": PORT},
            "periodSeconds": 1,
            "timeoutSeconds": 3,
        },
        "volumeMounts": [
            *mounts,
            {"name": "files", "mountPath": "/home/wiremock/__files"},
        ],
    }
    volumes = [{"name": part, "configMap": {"name": f"{NAME}-{part}"}} for part in ("mappings", "files")]
    return {"containers": [container], "volumes": volumes}


def stub_objects(dependency: Dependency) -> list[Object]:
    """The Service that leads a stubbed dependency's own ports to the engine."""
    ports = dependency.stub.ports if dependency.stub else {}
    return [service(dependency.name, ports, unit=NAME, to=PORT)]
