"""The machine-wide settings for devenv that the testbed writes."""

from collections.abc import Sequence

from tests.testbed.images import HUB
from tests.testbed.places import MIRROR_NAME, MIRROR_PORT, NODE_IMAGE

PREFIXED_REGISTRIES = ("ghcr.io", "quay.io", "registry.k8s.io")


def render_settings(kind: str | None, prefixed: Sequence[str] = PREFIXED_REGISTRIES) -> str:
    """The text of settings.yaml; `kind` is named only where PATH has none.

    Mirrors are given as the cluster's nodes reach them; a path in the URL is the repository prefix.
    """
    mirror = f"http://{MIRROR_NAME}:{MIRROR_PORT}"
    tools = ["tools:", f"  kind: {kind}"] if kind else []
    mirrors = [f"  {HUB}: {mirror}", *(f"  {registry}: {mirror}/{registry}" for registry in prefixed)]
    return (
        "\n".join(["cluster:", "  provider: kind", f"  node_image: {NODE_IMAGE}", *tools, "mirrors:", *mirrors]) + "\n"
    )
