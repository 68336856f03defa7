from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from devenv.errors import ClusterError
from devenv.ports import Event, Object, Objects, Ref
from tests.fakes.kube import FakeObjects, refusal


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.cluster)])
def place(request: pytest.FixtureRequest) -> tuple[Objects, str]:
    """Objects, and a namespace of the test's own."""
    if request.param == "fake":
        return FakeObjects(), "shop"
    return request.getfixturevalue("kube").objects, request.getfixturevalue("namespace")


def config_map(namespace: str, name: str, **data: str) -> Object:
    metadata = {"name": name, "namespace": namespace, "labels": {"app": name, "part": "test"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def ref(namespace: str, name: str) -> Ref:
    return Ref("v1", "ConfigMap", name, namespace)


def names(objects: list[Object]) -> list[str]:
    return sorted(obj["metadata"]["name"] for obj in objects)


def test_what_is_applied_is_found_selected_and_deleted(place: tuple[Objects, str]) -> None:
    objects, namespace = place
    stored = objects.apply(config_map(namespace, "one", key="value"))
    objects.apply(config_map(namespace, "two"))
    assert stored["metadata"]["uid"]
    found = objects.find(ref(namespace, "one"))
    assert found is not None
    assert found["data"] == {"key": "value"}
    selected = objects.select("v1", "ConfigMap", namespace=namespace, labels="part=test,app=one")
    assert names(selected) == ["one"]
    assert (selected[0]["apiVersion"], selected[0]["kind"]) == ("v1", "ConfigMap")
    assert names(objects.select("v1", "ConfigMap", namespace=namespace, labels="part=test")) == ["one", "two"]
    assert objects.delete(ref(namespace, "one")) is True
    assert objects.find(ref(namespace, "one")) is None
    assert objects.delete(ref(namespace, "one")) is False


def test_a_second_apply_takes_the_place_of_the_first(place: tuple[Objects, str]) -> None:
    objects, namespace = place
    first = objects.apply(config_map(namespace, "one", old="1"))
    second = objects.apply(config_map(namespace, "one", new="2"))
    assert second["data"] == {"new": "2"}
    assert second["metadata"]["uid"] == first["metadata"]["uid"]
    assert second["metadata"]["resourceVersion"] != first["metadata"]["resourceVersion"]


def test_an_unknown_kind_can_not_be_applied_and_is_not_there(place: tuple[Objects, str]) -> None:
    objects, namespace = place
    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a", "namespace": namespace}}
    with pytest.raises(ClusterError) as told:
        objects.apply(widget)
    assert told.value.code == "api-failed"
    assert "kind Widget" in told.value.message
    assert objects.find(Ref("example.com/v1", "Widget", "a", namespace)) is None
    assert objects.delete(Ref("example.com/v1", "Widget", "a", namespace)) is False


def seen(events: Iterator[Event]) -> tuple[str, str]:
    event = next(events)
    assert event.object["kind"] == "ConfigMap"
    return event.type, event.object["metadata"]["name"]


def test_a_watch_sees_what_is_there_and_each_change(place: tuple[Objects, str]) -> None:
    objects, namespace = place
    stop = threading.Event()
    objects.apply(config_map(namespace, "one"))
    objects.apply(config_map(namespace, "other"))
    events = objects.watch("v1", "ConfigMap", namespace=namespace, labels="app=one", stop=stop)
    assert seen(events) == ("ADDED", "one")
    objects.apply(config_map(namespace, "one", key="value"))
    assert seen(events) == ("MODIFIED", "one")
    objects.apply(config_map(namespace, "other", key="value"))
    objects.delete(ref(namespace, "one"))
    assert seen(events) == ("DELETED", "one")
    stop.set()
    assert list(events) == []


def test_stop_ends_a_watch_that_waits(place: tuple[Objects, str]) -> None:
    objects, namespace = place
    stop = threading.Event()
    events: list[Event] = []
    watch = objects.watch("v1", "Secret", namespace=namespace, stop=stop)
    thread = threading.Thread(target=lambda: events.extend(watch))
    thread.start()
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    assert events == []


@pytest.mark.cluster
def test_an_invalid_object_is_refused_in_the_apis_words(place: tuple[Objects, str]) -> None:
    objects, namespace = place
    if isinstance(objects, FakeObjects):
        objects.fail("apply", refusal("apply configmap/Not_A_Name", "metadata.name: Invalid value"))
    with pytest.raises(ClusterError, match=r"apply configmap/Not_A_Name: .*metadata\.name: Invalid value"):
        objects.apply(config_map(namespace, "Not_A_Name"))


@pytest.mark.cluster
def test_a_kind_outside_the_table_is_discovered(place: tuple[Objects, str]) -> None:
    objects, namespace = place
    if isinstance(objects, FakeObjects):
        pytest.skip("the fake has the table only")
    metadata = {"name": "lease", "namespace": namespace}
    objects.apply({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata})
    assert names(objects.select("coordination.k8s.io/v1", "Lease", namespace=namespace)) == ["lease"]
