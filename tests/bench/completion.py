"""How long a tab takes: `devenv __complete` beside `python -c pass`, and beside `devenv --version` for scale.

    python -m tests.bench.completion --count 40

Runs take turns, so that a busy machine slows all alike. The project is a temporary one; "kept" reads the names that a
command kept, "changed" the lines of files that changed since. The target is a ratio of at most 3.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from devenv.completion.names import remember, take_stamp

TARGET = 3.0
BASE = "python -c pass"
SERVICES = 30


def make_project(root: Path, *, kept: bool) -> None:
    """A project with many services, its names kept or not."""
    (root / "profiles").mkdir(parents=True)
    services = "".join(f"  service-{number}:\n    image: x\n" for number in range(SERVICES))
    (root / "devenv.yaml").write_text(f"services:\n{services}")
    (root / "profiles/default.yaml").write_text("include: [postgres, redis]\n")
    file = str(root / "devenv.yaml")
    if kept:
        names = [("service", f"service-{number}", "") for number in range(SERVICES)]
        remember(file, "", take_stamp(file), names)


def run_once(argv: Sequence[str], folder: Path, env: Mapping[str, str]) -> float:
    """Seconds that a command takes."""
    started = time.perf_counter()
    subprocess.run(argv, cwd=folder, env=env, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def measure(folder: Path, count: int) -> dict[str, list[float]]:
    """Seconds of each case, `count` times in turn."""
    env = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    os.environ["XDG_CACHE_HOME"] = env["XDG_CACHE_HOME"]
    kept, changed = folder / "kept", folder / "changed"
    make_project(kept, kept=True)
    make_project(changed, kept=False)
    devenv = str(Path(sys.executable).with_name("devenv"))
    ask = [devenv, "__complete", "bash", "--", "logs", "service-1"]
    cases = {
        BASE: ([sys.executable, "-c", "pass"], folder),
        "tab: a command": ([devenv, "__complete", "bash", "--", "s"], kept),
        "tab: a service, kept": (ask, kept),
        "tab: a service, changed": (ask, changed),
        "devenv --version": ([devenv, "--version"], folder),
    }
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(count):
        for name, (argv, place) in cases.items():
            times[name].append(run_once(argv, place, env))
    return times


def ratios(times: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Each case's median as a multiple of the bare interpreter's."""
    return {name: statistics.median(each) / statistics.median(times[BASE]) for name, each in times.items()}


def main() -> None:
    """Measure and print; exits with 1 where a tab is over the target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        times = measure(Path(folder).resolve(), options.count)
    found = ratios(times)
    print(f"{'':<28}{'n':>5}{'median ms':>12}{'best ms':>10}{'ratio':>8}")
    for name, each in times.items():
        middle, best = statistics.median(each) * 1000, min(each) * 1000
        print(f"{name:<28}{len(each):>5}{middle:>12.1f}{best:>10.1f}{found[name]:>8.1f}")
    slow = [name for name, ratio in found.items() if name.startswith("tab") and ratio > TARGET]
    print(f"over {TARGET:g} times: {', '.join(slow)}" if slow else f"every tab within {TARGET:g} times")
    raise SystemExit(1 if slow else 0)


if __name__ == "__main__":
    main()
