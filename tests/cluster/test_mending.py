"""`devenv up` at a terminal: what fails at first is shown, and goes on once it is mended."""

from __future__ import annotations

import pytest

from tests.cluster.conftest import Project
from tests.cluster.terminal import Terminal

pytestmark = pytest.mark.cluster


def test_a_build_and_a_start_that_fail_wait_for_their_mend(project: Project) -> None:
    project.edit("web/Dockerfile", "COPY tests tests", "RUN false")
    with Terminal(project.machine, "up", cwd=project.folder) as terminal:
        terminal.expect("[build-failed]")
        terminal.expect("waiting for a change")
        project.edit("web/src/web.py", "import json", "import no_such_module, json")
        project.edit("web/Dockerfile", "RUN false", "COPY tests tests")
        terminal.expect("[program-crashed]")
        assert "no_such_module" in terminal.text
        terminal.expect("waiting for a change")
        project.edit("web/src/web.py", "import no_such_module, json", "import json")
        terminal.expect("is up")
        assert project.ask()
        assert terminal.end() == 0
