from __future__ import annotations

import pytest

from devenv.images.references import Reference, mirrored, parse, upstream


@pytest.mark.parametrize(
    ("image", "reference"),
    [
        ("redis", Reference("docker.io", "library/redis", "latest")),
        ("redis:7", Reference("docker.io", "library/redis", "7")),
        ("acme/web:1.2", Reference("docker.io", "acme/web", "1.2")),
        ("docker.io/redis", Reference("docker.io", "library/redis", "latest")),
        ("index.docker.io/acme/web", Reference("docker.io", "acme/web", "latest")),
        ("ghcr.io/acme/web@sha256:ab", Reference("ghcr.io", "acme/web", "sha256:ab")),
        ("ghcr.io/a/b/c:1@sha256:ab", Reference("ghcr.io", "a/b/c", "sha256:ab")),
        ("localhost:5001/shop-web:ab", Reference("localhost:5001", "shop-web", "ab")),
        ("localhost:5001/shop-web", Reference("localhost:5001", "shop-web", "latest")),
        ("localhost/web", Reference("localhost", "web", "latest")),
    ],
)
def test_what_a_name_means(image: str, reference: Reference) -> None:
    assert parse(image) == reference


@pytest.mark.parametrize(
    ("image", "url"),
    [
        ("redis:7", "https://registry-1.docker.io/v2/library/redis"),
        ("ghcr.io/a/b", "https://ghcr.io/v2/a/b"),
        ("localhost:5001/b", "http://localhost:5001/v2/b"),
        ("127.0.0.1:5001/b", "http://127.0.0.1:5001/v2/b"),
    ],
)
def test_where_the_registry_is(image: str, url: str) -> None:
    assert upstream(parse(image)) == url


def test_mirrors_come_with_their_prefix() -> None:
    mirrors = {"docker.io": "http://mirror:5000", "ghcr.io": "https://mirror/some/ghcr.io/"}
    daemon = ["http://mirror:5000/", "https://other/"]
    assert mirrored(parse("ghcr.io/a/b"), mirrors, daemon) == ["https://mirror/v2/some/ghcr.io/a/b"]
    assert mirrored(parse("a/b"), mirrors, daemon) == ["http://mirror:5000/v2/a/b", "https://other/v2/a/b"]
    assert mirrored(parse("quay.io/a"), mirrors, daemon) == []
