from __future__ import annotations

from typing import Any

import pytest

from devenv.kube.kinds import Discovery


def refuse(path: str) -> dict[str, Any] | None:
    raise AssertionError(f"asked for {path}")


@pytest.mark.parametrize(
    ("api_version", "kind", "namespace", "name", "path"),
    [
        ("v1", "Namespace", "", "shop", "/api/v1/namespaces/shop"),
        ("v1", "Pod", "shop", "", "/api/v1/namespaces/shop/pods"),
        ("v1", "Pod", "", "", "/api/v1/pods"),
        ("v1", "ConfigMap", "", "files", "/api/v1/namespaces/default/configmaps/files"),
        ("apps/v1", "Deployment", "shop", "orders", "/apis/apps/v1/namespaces/shop/deployments/orders"),
        ("storage.k8s.io/v1", "StorageClass", "shop", "fast", "/apis/storage.k8s.io/v1/storageclasses/fast"),
        ("v1", "Pod", "a/b", "x?y", "/api/v1/namespaces/a%2Fb/pods/x%3Fy"),
    ],
)
def test_the_path_of_a_common_kind_is_known_without_asking(
    api_version: str, kind: str, namespace: str, name: str, path: str
) -> None:
    found = Discovery(refuse).find(api_version, kind)
    assert found is not None
    assert found.path(namespace=namespace, name=name) == path


class Server:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.resources: list[dict[str, Any]] = []

    def fetch(self, path: str) -> dict[str, Any] | None:
        self.asked.append(path)
        return {"resources": self.resources} if self.resources else None


def test_another_kind_is_asked_for_once() -> None:
    server = Server()
    server.resources = [
        {"name": "widgets/status", "kind": "Widget", "namespaced": True},
        {"name": "widgets", "kind": "Widget", "namespaced": True},
    ]
    kinds = Discovery(server.fetch)
    for _ in range(2):
        found = kinds.find("example.com/v1", "Widget")
        assert found is not None
        assert found.path(namespace="shop", name="a") == "/apis/example.com/v1/namespaces/shop/widgets/a"
    assert server.asked == ["/apis/example.com/v1"]


def test_a_kind_that_was_not_there_may_come_later() -> None:
    server = Server()
    kinds = Discovery(server.fetch)
    assert kinds.find("example.com/v1", "Widget") is None
    server.resources = [{"name": "widgets", "kind": "Widget", "namespaced": False}]
    assert kinds.find("example.com/v1", "Widget") is not None
