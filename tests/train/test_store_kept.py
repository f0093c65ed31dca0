"""Which checkpoints are kept, which are deleted, and what is never touched."""

from __future__ import annotations

import pytest
from sampling import can_be
from train.states import bits, names_in, small

from graphnet.errors import CheckpointError
from graphnet.train.checkpoint_file import State
from graphnet.train.store import DamagedCheckpointWarning, Store


def folders(*steps):
    return [f"checkpoint-{step:08d}" for step in steps]


@pytest.mark.parametrize("keep", [1, 2, 5])
def test_the_last_ones_are_kept(tmp_path, keep):
    store = Store(str(tmp_path / "a" / "b"), keep=keep)
    assert (store.steps, store.load()) == ([], None)
    for step in range(0, 80, 10):
        path = store.save(small(step))
        assert path == tmp_path / "a" / "b" / folders(step)[0]
        assert store.steps == list(range(0, step + 1, 10))[-keep:]
        assert names_in(store.folder) == folders(*store.steps)
        assert bits(store.load()) == bits(small(step))


def test_saving_a_step_again_replaces_it(tmp_path):
    store = Store(tmp_path)
    store.save(small(1))
    store.save(small(2))
    for rate in (0.5, 0.25):
        store.save(State(2, {}, {"lr": rate}))
        assert store.load().values == {"lr": rate}
        assert names_in(tmp_path) == folders(1, 2)


def test_going_back_leaves_the_later_ones(tmp_path):
    store = Store(tmp_path)
    for step in (100, 110):
        store.save(small(step))
    store.save(small(105))
    assert store.steps == [100, 105]
    store.save(small(1))
    assert store.steps == [1]


def test_what_a_crash_has_left_is_swept(tmp_path):
    store = Store(tmp_path)
    store.save(small(1))
    for digits in ("0" * 16, "0123456789abcdef"):
        left = tmp_path / f".checkpoint-{digits}.tmp"
        left.mkdir()
        (left / "tensors.safetensors").write_bytes(b"half")
    (tmp_path / "checkpoint-00000001").rename(tmp_path / "checkpoint-00000001-replaced")
    assert bits(store.load()) == bits(small(1))
    store.save(small(2))
    assert names_in(tmp_path) == ["checkpoint-00000001-replaced", *folders(2)]
    store.save(small(3))
    assert names_in(tmp_path) == folders(2, 3)


STRANGERS = [
    "checkpoint-5", "checkpoint-000000005", "checkpoint-0000000a", "checkpoint-00000001.tmp",
    "checkpoint-٠٠٠٠٠٠٠١", "my-checkpoint-00000001", ".checkpoint-00000001.tmp", "notes",
    ".checkpoint-0123456789abcdeg.tmp", "checkpoint-00000001-old",
]  # fmt: skip


def test_what_is_not_ours_stays(tmp_path):
    store = Store(tmp_path, keep=1)
    for name in filter(can_be, STRANGERS):
        (tmp_path / name).mkdir()
        (tmp_path / name / "state.json").write_bytes(b"of somebody else")
    mine = store.save(small(1))
    (mine / "notes.txt").write_text("the user's own", encoding="utf-8")
    unfinished = tmp_path / ".checkpoint-0000000000000000.tmp"
    unfinished.mkdir()
    (unfinished / "notes.txt").write_text("the user's own", encoding="utf-8")
    nested = tmp_path / folders(0)[0]
    (nested / "state.json").mkdir(parents=True)
    (tmp_path / "elsewhere" / "state.json").mkdir(parents=True)
    (tmp_path / folders(3)[0]).symlink_to(tmp_path / "elsewhere")
    before = names_in(tmp_path)
    for step in (5, 6):
        store.save(small(step))
    assert names_in(tmp_path) == sorted([*before, *folders(6)])
    assert (mine / "notes.txt").read_text(encoding="utf-8") == "the user's own"
    assert (unfinished / "notes.txt").exists()
    assert (tmp_path / "elsewhere" / "state.json").is_dir()


@pytest.mark.parametrize("kind", ["file", "link", "folder of others"])
def test_a_place_that_is_taken_is_refused(tmp_path, kind):
    store, path = Store(tmp_path), tmp_path / folders(2)[0]
    store.save(small(1))
    if kind == "file":
        path.write_bytes(b"precious")
    elif kind == "link":
        path.symlink_to(tmp_path / folders(1)[0])
    else:
        path.mkdir()
        (path / "notes.txt").write_text("precious", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"is not a checkpoint|File exists"):
        store.save(small(2))
    assert names_in(tmp_path) == folders(1, 2)
    with pytest.warns(DamagedCheckpointWarning):
        assert bits(store.load()) == bits(small(1))
