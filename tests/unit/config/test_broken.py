"""Broken configurations and the exact text that `devenv config validate` prints for each.

`python -m tests.unit.config.test_broken` writes the texts anew: read every one of them before it goes in.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

import pytest

from devenv.config.validate import validate
from devenv.errors import ConfigError
from devenv.terminal.render import error_lines

BROKEN = Path(__file__).parent / "broken"
CASES = sorted(path for path in BROKEN.iterdir() if path.is_dir())
PLACE = re.compile(r"  (?P<file>\S+\.yaml):(?P<line>[1-9]\d*):(?P<column>[1-9]\d*)  (?P<told>\S.*)")
# What was expected, which word is meant, or what to do.
CURE = re.compile(
    r"expected |did you mean|; known: |begins in the same column|wants spaces|never closed|needs |belongs into "
    r"|there is no .* beside "
    r"|: (write|remove|put|save|leave|rename|add|is a colon|it |each|either|no key)"
    r"|; (expected|one of them)|: put|is a colon missing"
)


def told(case: Path, folder: Path) -> str:
    """What is printed for a copy of the case, its folder left out."""
    root = folder / "shop"
    shutil.copytree(case, root, ignore=shutil.ignore_patterns("expected.txt"))
    with pytest.raises(ConfigError) as caught:
        validate(None, start=root)
    return "\n".join(error_lines(caught.value)).replace(str(root), "PROJECT") + "\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_told(case: Path, tmp_path: Path) -> None:
    assert told(case, tmp_path) == (case / "expected.txt").read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_line_names_place_cause_and_cure(case: Path) -> None:
    first, *lines, blank, hint = (case / "expected.txt").read_text().splitlines()
    assert re.fullmatch(r"error: [1-9]\d* faults? in the configuration \[config-invalid\]", first)
    assert (blank, hint) == ("", "hint: correct the lines above and run the command again")
    for line in lines:
        place = PLACE.fullmatch(line)
        assert place, line
        assert CURE.search(place["told"]), f"no cure: {line}"
        text = (case / place["file"]).read_bytes().replace(b"\r\n", b"\n")
        written = text.split(b"\n")[int(place["line"]) - 1]
        assert int(place["column"]) <= len(written) + 1, f"beyond the end of the line: {line}"


def test_there_are_enough() -> None:
    assert len(CASES) >= 50


def write() -> None:
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            (case / "expected.txt").write_text(told(case, Path(folder)))


if __name__ == "__main__":
    write()
