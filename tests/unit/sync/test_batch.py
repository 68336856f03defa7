from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devenv.errors import SyncError
from devenv.sync.batch import Batch, acknowledge, diff, refuse_wipe
from devenv.sync.index import Entry

Tree = dict[str, Entry]

FILES = st.sampled_from(["fone", "ftwo", "xone"]).map(lambda digest: Entry("file", digest))
LINKS = st.sampled_from(["lfile", "lother"]).map(lambda digest: Entry("link", digest))
NAMES = st.sampled_from(["a", "b", ".c", "..d"])


def _flatten(nested: object, prefix: str = "") -> Tree:
    tree: Tree = {}
    assert isinstance(nested, dict)
    for name, value in nested.items():
        path = prefix + name
        tree[path] = value if isinstance(value, Entry) else Entry("dir", "d")
        if not isinstance(value, Entry):
            tree |= _flatten(value, path + "/")
    return tree


TREES = st.dictionaries(
    NAMES,
    st.recursive(FILES | LINKS, lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=8),
    max_size=4,
).map(_flatten)


def carry_out(tree: dict[str, str], batch: Batch, local: Tree) -> None:
    """The model of a container, as strict as a file system."""

    def has_folder(path: str) -> bool:
        parent = path.rpartition("/")[0]
        return not parent or tree.get(parent) == "d"

    def unlink(paths: tuple[str, ...]) -> None:
        for path in paths:
            assert tree.pop(path) != "d"

    def prune(paths: tuple[str, ...]) -> None:
        for path in paths:
            assert not any(other.startswith(path + "/") for other in tree)
            assert tree.pop(path) == "d"

    unlink(batch.clear_files)
    prune(batch.clear_dirs)
    for path in batch.make:
        assert has_folder(path)
        assert tree.get(path, "d") == "d"
        tree[path] = "d"
    for path in (*batch.puts, *(batch.links or ())):
        assert has_folder(path)
        assert tree.get(path, "f")[0] not in "dl"
        tree[path] = local[path].digest
    unlink(batch.delete_files)
    prune(batch.delete_dirs)


@given(before=TREES, after=TREES)
def test_a_batch_makes_the_container_what_the_source_is(before: Tree, after: Tree) -> None:
    acked = {path: entry.digest for path, entry in before.items()}
    container = dict(acked)
    batch = diff(after, acked)
    carry_out(container, batch, after)
    assert container == {path: entry.digest for path, entry in after.items()}
    acknowledge(acked, batch, {path: after[path].digest for path in batch.puts})
    assert acked == container
    assert not diff(after, acked)


@given(before=TREES, after=TREES)
def test_a_batch_limited_to_what_changed_is_the_same_batch(before: Tree, after: Tree) -> None:
    acked = {path: entry.digest for path, entry in before.items()}
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert diff(after, acked, within=changed) == diff(after, acked)


def test_nothing_is_deleted_that_was_not_acknowledged() -> None:
    assert not diff({}, {}, within={"foreign"})


def test_what_is_kept_is_forgotten_and_not_deleted() -> None:
    batch = diff({}, {"now/ignored": "fone"}, kept=lambda path: True)
    assert not batch
    assert batch.forget == ("now/ignored",)


def test_losing_most_of_a_tree_is_refused() -> None:
    acked = {f"f{number}": "fone" for number in range(30)}
    local = {f"f{number}": Entry("file", "fone") for number in range(10)}
    with pytest.raises(SyncError, match="20 of its 30 files are gone"):
        refuse_wipe(diff(local, acked), acked, service="orders")


def test_a_file_in_place_of_a_folder_is_a_wipe_too() -> None:
    acked = {"src": "d"} | {f"src/{number}": "f1" for number in range(30)}
    with pytest.raises(SyncError, match="30 of its 30 files are gone"):
        refuse_wipe(diff({"src": Entry("file", "f2")}, acked), acked, service="orders")


@pytest.mark.parametrize(("files", "left"), [(20, 0), (40, 20)])
def test_a_small_tree_or_half_of_a_large_one_may_go(files: int, left: int) -> None:
    acked = {f"f{number}": "fone" for number in range(files)}
    local = {f"f{number}": Entry("file", "fone") for number in range(left)}
    refuse_wipe(diff(local, acked), acked, service="orders")


def test_links_that_point_elsewhere_or_move_are_no_wipe() -> None:
    acked = {f"link{number}": "lold" for number in range(30)}
    refuse_wipe(diff({path: Entry("link", "lnew") for path in acked}, acked), acked, service="orders")
    moved = {f"moved/{path}": Entry("link", "lold") for path in acked}
    refuse_wipe(diff(moved, acked), acked, service="orders")
