"""The declared images: a well-formed file, and Dockerfiles as expected."""

from pathlib import Path

import pytest

from tests.testbed.images import Image, find_reference, read_images, render_dockerfile

IMAGES = read_images()


def test_what_the_product_tests_pull_is_declared() -> None:
    names = {name for image in IMAGES for name in image.names}
    assert names >= {
        "busybox:1",
        "busybox:latest",
        "debian:bookworm-slim",
        "ghcr.io/devenv-testbed/hello:1",
        "postgres:15",
        "python:3.11-slim",
        "redis:7",
        "registry:2",
        "wiremock/wiremock:3.13.2",
    }


def test_no_name_is_declared_twice() -> None:
    names = [name for image in IMAGES for name in image.names]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_each_file_exists_and_scripts_can_be_executed(image: Image) -> None:
    for path in image.sources:
        assert path.is_file()
        assert path.suffix != ".sh" or path.stat().st_mode & 0o111 == 0o111


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_each_file_goes_to_an_absolute_path(image: Image) -> None:
    assert all(target.startswith("/") for _, target in (*image.files, *image.maven))


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_each_dockerfile_carries_the_label(image: Image) -> None:
    assert "LABEL dev.devenv.testbed.lookalike=true" in render_dockerfile(image, "base", {})


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("redis:7", "127.0.0.1:5000/library/redis:7"),
        ("docker.io/library/redis:7", "127.0.0.1:5000/library/redis:7"),
        ("wiremock/wiremock:3.13.2", "127.0.0.1:5000/wiremock/wiremock:3.13.2"),
        ("ghcr.io/acme/payments:2.3", "127.0.0.1:5000/ghcr.io/acme/payments:2.3"),
        ("localhost:5001/orders:1", "127.0.0.1:5000/localhost:5001/orders:1"),
    ],
)
def test_images_lie_at_their_own_path_or_under_their_registry(name: str, reference: str) -> None:
    assert find_reference(name) == reference


def test_a_dockerfile_has_everything_in_the_order_that_it_is_needed() -> None:
    image = Image(
        name="acme/tool:1",
        before=("groupadd tool",),
        packages=("curl", "jq"),
        maven=(("org.acme:tool:1.2", "/opt/tool.jar"),),
        files=(("tool/run.sh", "/run.sh"),),
        host_trust=True,
        run=("mkdir /data", "chown tool /data"),
        env=(("MODE", 'a "b"'),),
        workdir="/data",
        expose=(80,),
        volumes=("/data",),
        stop_signal="SIGINT",
        entrypoint=("/run.sh",),
        cmd=("serve",),
    )
    text = render_dockerfile(image, "base:1", {"acme.crt": "/usr/local/share/ca-certificates/acme.crt"})
    assert text.replace(" \\\n", "").splitlines() == [
        "FROM base:1",
        "RUN { groupadd tool; }",
        "RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends curl jq"
        " -o Dpkg::Options::=--force-confold"
        " && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*.log /var/log/apt",
        "COPY context/tool/run.sh /run.sh",
        "COPY maven/tool-1.2.jar /opt/tool.jar",
        "COPY trust/acme.crt /usr/local/share/ca-certificates/acme.crt",
        "RUN update-ca-certificates",
        "RUN { mkdir /data; } && { chown tool /data; }",
        "LABEL dev.devenv.testbed.lookalike=true",
        'ENV MODE="a \\"b\\""',
        "EXPOSE 80",
        'VOLUME ["/data"]',
        "WORKDIR /data",
        "STOPSIGNAL SIGINT",
        'ENTRYPOINT ["/run.sh"]',
        'CMD ["serve"]',
    ]


def test_a_scratch_image_is_only_what_was_put_under_rootfs() -> None:
    text = render_dockerfile(Image(name="tiny:1", scratch=True, run=("make",)), "base:1", {})
    assert text.splitlines()[:4] == [
        "FROM base:1 AS build",
        "RUN { make; }",
        "FROM scratch",
        "COPY --from=build /rootfs/ /",
    ]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('[[image]]\nname = "a:1"\npackage = ["curl"]\n', "package"),
        ('[[image]]\nname = "a"\n', "tag"),
        ('[[image]]\nname = "a:1"\nfrom = "b:1"\n', "b:1"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "images.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=word):
        read_images(path)
