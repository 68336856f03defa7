from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from devenv.errors import ClusterError
from devenv.kube.connection import KubeConnection
from devenv.ports import ExecStream, Pods
from tests.contract.conftest import start_pod, wait_for
from tests.fakes.kube import FakePods, Ran

Place = tuple[str, str, str]
TALK = "echo out; echo err >&2; exit 3"
LARGE = 5_000_000


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.cluster)])
def there(request: pytest.FixtureRequest) -> tuple[Pods, Place]:
    """Containers, and where one with a shell is."""
    if request.param == "real":
        return request.getfixturevalue("kube").pods, request.getfixturevalue("box")
    pods = FakePods({f"sh -c {TALK}": Ran(b"out\n", b"err\n", 3), "nonsense": Ran(b"", b"not found", 127)})
    pods.lines["shop", "box", "main"] = []
    return pods, ("shop", "box", "main")


def read_all(stream: ExecStream) -> tuple[bytes, bytes]:
    out, err = [], []
    while (read := stream.read(20)) is not None:
        out.append(read[0])
        err.append(read[1])
    stream.close()
    return b"".join(out), b"".join(err)


def test_a_command_has_two_outputs_and_a_code(there: tuple[Pods, Place]) -> None:
    pods, place = there
    stream = pods.exec(*place, ["sh", "-c", TALK])
    assert read_all(stream) == (b"out\n", b"err\n")
    assert stream.returncode() == 3


def test_stdin_goes_in_until_it_is_ended(there: tuple[Pods, Place]) -> None:
    pods, place = there
    stream = pods.exec(*place, ["cat"], stdin=True)
    stream.write(b"one ")
    stream.write(b"two")
    stream.close_stdin()
    assert read_all(stream) == (b"one two", b"")
    assert stream.returncode() == 0


def test_a_pod_that_is_not_there_is_told(there: tuple[Pods, Place]) -> None:
    pods, (namespace, _, container) = there
    for attempt in (
        lambda: pods.exec(namespace, "missing", container, ["true"]),
        lambda: list(pods.logs(namespace, "missing", container)),
        lambda: pods.forward(namespace, "missing", 80),
    ):
        with pytest.raises(ClusterError) as told:
            attempt()
        assert told.value.code == "api-failed"
        assert 'pods "missing" not found' in told.value.message


def test_a_program_that_is_not_there_says_so(there: tuple[Pods, Place]) -> None:
    pods, place = there
    stream = pods.exec(*place, ["nonsense"])
    assert b"not found" in read_all(stream)[1]
    assert stream.returncode() == 127


@pytest.mark.cluster
def test_much_output_comes_whole(kube: KubeConnection, box: Place) -> None:
    stream = kube.pods.exec(*box, ["sh", "-c", f"yes 0123456 | head -c {LARGE}"])
    assert read_all(stream)[0] == (b"0123456\n" * LARGE)[:LARGE]
    assert stream.returncode() == 0


@pytest.mark.cluster
def test_much_input_arrives_whole(kube: KubeConnection, box: Place) -> None:
    stream = kube.pods.exec(*box, ["sh", "-c", "cat | wc -c"], stdin=True)
    stream.write(bytes(LARGE))
    stream.close_stdin()
    assert read_all(stream)[0].strip() == str(LARGE).encode()


@pytest.mark.cluster
def test_two_commands_at_once(kube: KubeConnection, box: Place) -> None:
    def echo(text: bytes) -> bytes:
        stream = kube.pods.exec(*box, ["cat"], stdin=True)
        stream.write(text * 100_000)
        stream.close_stdin()
        return read_all(stream)[0]

    with ThreadPoolExecutor() as pool:
        assert list(pool.map(echo, [b"a", b"b"])) == [b"a" * 100_000, b"b" * 100_000]


@pytest.mark.cluster
def test_a_command_whose_container_dies_has_no_good_end(kube: KubeConnection, namespace: str) -> None:
    place = start_pod(kube, namespace, "until [ -e /tmp/over ]; do sleep 0.1; done")
    stream = kube.pods.exec(*place, ["sh", "-c", "echo ready; cat"], stdin=True)
    assert stream.read(20) == (b"ready\n", b"")
    read_all(kube.pods.exec(*place, ["touch", "/tmp/over"]))
    read_all(stream)
    assert stream.returncode() != 0


@pytest.mark.cluster
def test_a_terminal_has_the_size_it_is_told(kube: KubeConnection, box: Place) -> None:
    script = 'echo ready; until [ "$(stty size 2>/dev/null)" = "33 77" ]; do sleep 0.1; done; echo sized'
    stream = kube.pods.exec(*box, ["sh", "-c", script], stdin=True, tty=True)
    assert stream.read(20) == (b"ready\r\n", b"")
    stream.resize(rows=33, columns=77)
    assert read_all(stream)[0] == b"sized\r\n"


@pytest.mark.cluster
def test_logs_of_a_container_that_ended(kube: KubeConnection, namespace: str) -> None:
    place = start_pod(kube, namespace, "for i in 1 2 3; do echo line $i; done; printf end", phase="Succeeded")
    assert list(kube.pods.logs(*place)) == ["line 1", "line 2", "line 3", "end"]
    assert list(kube.pods.logs(*place, tail=2)) == ["line 3", "end"]


@pytest.mark.cluster
def test_following_ends_with_the_container(kube: KubeConnection, namespace: str) -> None:
    count = 20_000
    # Some runtimes lose what a container says in its last moment, so this one lives on a little.
    place = start_pod(kube, namespace, f"seq {count}; sleep 2")
    assert list(kube.pods.logs(*place, follow=True)) == [str(number + 1) for number in range(count)]


@pytest.mark.cluster
def test_following_ends_when_it_is_to_stop(kube: KubeConnection, namespace: str) -> None:
    place = start_pod(kube, namespace, "echo first; sleep 1000")
    stop = threading.Event()
    lines = kube.pods.logs(*place, follow=True, stop=stop)
    assert next(lines) == "first"
    stop.set()
    assert list(lines) == []


@pytest.mark.cluster
def test_the_lines_of_the_container_before(kube: KubeConnection, namespace: str) -> None:
    script = "test -e /kept/again && sleep 1000; touch /kept/again; echo one; sleep 1; exit 1"
    place = start_pod(kube, namespace, script, restart="Always")
    wait_for(
        kube,
        namespace,
        "v1",
        "Pod",
        # The count comes first; the container before is known once the new one runs.
        lambda obj: any(
            "terminated" in status["lastState"] and "running" in status["state"]
            for status in obj.get("status", {}).get("containerStatuses", ())
        ),
    )
    assert list(kube.pods.logs(*place, previous=True)) == ["one"]


@pytest.fixture(scope="module")
def web(kube: KubeConnection, box: Place) -> Place:
    """A container that serves "hello" on port 8080."""
    script = "mkdir -p /tmp/www; echo hello >/tmp/www/index.html; httpd -p 8080 -h /tmp/www"
    read_all(kube.pods.exec(*box, ["sh", "-c", script]))
    read_all(kube.pods.exec(*box, ["sh", "-c", "until wget -qO- 127.0.0.1:8080; do sleep 0.1; done"]))
    return box


def fetch(kube: KubeConnection, place: Place) -> bytes:
    tunnel = kube.pods.forward(place[0], place[1], 8080)
    tunnel.send(b"GET / HTTP/1.0\r\n\r\n")
    answer = b""
    while data := tunnel.receive():
        answer += data
    tunnel.close()
    return answer


@pytest.mark.cluster
def test_a_tunnel_carries_a_request_and_two_at_once_do(kube: KubeConnection, web: Place) -> None:
    assert fetch(kube, web).endswith(b"\r\n\r\nhello\n")
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda _: fetch(kube, web), range(4)))
    assert all(answer.endswith(b"hello\n") for answer in answers)


@pytest.mark.cluster
def test_a_port_nobody_listens_on_is_told(kube: KubeConnection, box: Place) -> None:
    tunnel = kube.pods.forward(box[0], box[1], 9999)
    assert tunnel.receive() == b""
    assert "refused" in tunnel.error
