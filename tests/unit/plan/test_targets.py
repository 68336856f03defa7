"""Which sync targets become volumes: examples, and laws over any of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devenv.config.model import SyncRule
from devenv.config.system_folders import is_inside, is_system
from devenv.plan.targets import folder_of, in_layer, roots_of


def rules(*targets: str) -> list[SyncRule]:
    """Rules for folders, and for files where a target has a dot."""
    return [SyncRule(Path("/p/x"), target, is_file="." in target) for target in targets]


@pytest.mark.parametrize(
    ("targets", "mounted", "roots"),
    [
        (["/app"], [], ("/app",)),
        (["/app/src", "/app"], [], ("/app",)),
        (["/app/src", "/app/templates"], [], ("/app/src", "/app/templates")),
        (["/app", "/application"], [], ("/app", "/application")),
        (["/app/a.conf"], [], ("/app",)),
        (["/app/src", "/app/pyproject.toml"], [], ("/app",)),
        (["/etc/app.conf", "/a.conf"], [], ()),
        (["/etc/app/app.conf"], [], ("/etc/app",)),
        (["/", "/app"], [], ("/app",)),
        (["/usr/lib/python3/site"], [], ("/usr/lib/python3/site",)),
        (["/home/me", "/opt/x", "/srv"], [], ("/home/me", "/opt/x", "/srv")),
        (["/sys/a/b", "/proc/1", "/dev/shm/x"], [], ()),
        (["/app"], ["/app"], ()),
        (["/app"], ["/app/"], ()),
        (["/app/src"], ["/app"], ()),
        (["/app"], ["/app/node_modules"], ("/app",)),
        (["/app", "/app/src"], ["/app/src"], ("/app",)),
        (["/app/src"], ["/app/sr"], ("/app/src",)),
    ],
)
def test_roots(targets: list[str], mounted: list[str], roots: tuple[str, ...]) -> None:
    assert roots_of(rules(*targets), mounted) == roots


@pytest.mark.parametrize(
    ("targets", "volumes", "told"),
    [
        (["/app"], ["/app"], False),
        (["/app/a.conf"], ["/app"], False),
        (["/app"], [], True),
        (["/app", "/etc/a.conf"], ["/app"], True),
        (["/data/x"], ["/data/"], False),
    ],
)
def test_what_is_in_the_containers_own_layer(targets: list[str], volumes: list[str], told: bool) -> None:
    assert in_layer(rules(*targets), volumes) is told


parts = st.sampled_from(["app", "src", "etc", "usr", "lib", "a", "a.conf", "sr", "var", "proc", "home"])
paths = st.lists(parts, min_size=1, max_size=4).map(lambda names: "/" + "/".join(names)) | st.just("/")


@given(st.lists(paths, max_size=6), st.lists(paths, max_size=3))
def test_no_root_is_inside_another_and_each_folder_is_in_one_or_stays_in_place(
    targets: list[str], mounted: list[str]
) -> None:
    given_rules = rules(*targets)
    roots = roots_of(given_rules, mounted)
    for root in roots:
        assert not is_inside(root, [other for other in roots if other != root])
        assert not is_inside(root, mounted)
        assert not is_system(root)
        assert root in [folder_of(rule) for rule in given_rules]
    for folder in map(folder_of, given_rules):
        assert is_inside(folder, roots) or is_inside(folder, mounted) or is_system(folder)


@given(st.lists(paths, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_rules_and_doubled_ones_change_nothing(targets: list[str], random: object) -> None:
    shuffled = [*targets, *targets[:2]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert roots_of(rules(*shuffled)) == roots_of(rules(*targets))
