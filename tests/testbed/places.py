"""Where things of the testbed lie: everything under one folder of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parent / "data"

MIRROR_NAME = "devenv-testbed-mirror"
MIRROR_PORT = 5000
MIRROR_ADDRESS = f"127.0.0.1:{MIRROR_PORT}"
NETWORK = "kind"

KUBERNETES_VERSION = "v1.34.4"
NODE_IMAGE = f"kindest/node:{KUBERNETES_VERSION}"


@dataclass(frozen=True, slots=True)
class Places:
    """The state folder and what it holds."""

    home: Path

    @property
    def bin(self) -> Path:
        """Programs that were built here."""
        return self.home / "bin"

    @property
    def logs(self) -> Path:
        """One log per step, and dockerd's."""
        return self.home / "logs"

    @property
    def stamps(self) -> Path:
        """One file per step that was carried out: the hash of its inputs."""
        return self.home / "stamps"

    @property
    def build(self) -> Path:
        """Scratch folders; may be removed at any time."""
        return self.home / "build"

    @property
    def settings(self) -> Path:
        """The machine-wide settings file for devenv."""
        return self.home / "settings.yaml"


def find_places(environ: Mapping[str, str]) -> Places:
    """The places named by DEVENV_TESTBED_HOME, else those in the user's cache folder."""
    named = environ.get("DEVENV_TESTBED_HOME")
    return Places(Path(named).absolute() if named else Path.home() / ".cache" / "devenv-testbed")
