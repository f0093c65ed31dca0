"""Checkpoints that are damaged at every position, and at random ones."""

from __future__ import annotations

import damage
import pytest
from train.states import bits, refusal, small

import graphnet as gn
from graphnet.train.checkpoint_file import read_state
from graphnet.train.store import DamagedCheckpointWarning, Store

FILES = ("tensors.safetensors", "state.json")


@pytest.fixture
def path(tmp_path):
    return Store(tmp_path).save(small())


@pytest.mark.parametrize("name", FILES)
def test_every_cut_is_found(path, name):
    data = (path / name).read_bytes()
    for length in range(len(data)):
        (path / name).write_bytes(data[:length])
        refusal(path)


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_in_every_byte_is_found(path, name):
    data = bytearray((path / name).read_bytes())
    for place in range(len(data)):
        data[place] ^= 1 << place % 8
        (path / name).write_bytes(data)
        refusal(path)
        data[place] ^= 1 << place % 8
    (path / name).write_bytes(data)
    assert bits(read_state(path)) == bits(small())


@pytest.mark.parametrize("more", [b"\0", b"\n", b" ", b"{}", bytes(512)])
@pytest.mark.parametrize("name", FILES)
def test_additional_bytes_are_found(path, name, more):
    data = (path / name).read_bytes()
    for other in (data + more, more + data):
        (path / name).write_bytes(other)
        refusal(path)


@pytest.mark.parametrize("kind", [*damage.KINDS, "forge"])
def test_random_damage_is_found(kind):
    counts = damage.run(kind, 50)
    assert counts["refused"] >= (50 if kind != "forge" else 25)
    assert set(counts) <= {"refused", "loaded", "same"}


def test_an_older_one_is_used_where_the_newest_is_damaged():
    assert damage.fall_back(40) == {"refused": 40}


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*damage.KINDS, "forge"])
def test_a_lot_of_random_damage_is_found(kind):
    counts = damage.run(kind, 10_000, seed=1)
    assert counts["refused"] == 10_000 or kind == "forge"
    assert set(counts) <= {"refused", "loaded", "same"}


def test_a_damaged_tensor_is_named(path):
    data = bytearray((path / FILES[0]).read_bytes())
    data[-1] ^= 1
    (path / FILES[0]).write_bytes(data)
    assert "random" in refusal(path)
    assert "model.0.weight" not in refusal(path)


def test_every_reason_is_reported_where_none_is_whole(tmp_path):
    store = Store(tmp_path)
    for step in (1, 2):
        (store.save(small(step)) / "state.json").write_bytes(b"")
    with pytest.raises(gn.LoadError) as error:
        store.load()
    lines = str(error.value).splitlines()
    assert "No checkpoint" in lines[0]
    assert ["checkpoint-00000002" in lines[1], "checkpoint-00000001" in lines[2]] == [True, True]


def test_a_checkpoint_under_the_name_of_another_step_is_passed_over(tmp_path):
    store = Store(tmp_path)
    paths = [store.save(small(step)) for step in (0, 1)]
    paths[1].rename(tmp_path / "checkpoint-00000009")
    paths[0].rename(tmp_path / "checkpoint-00000004")
    with pytest.raises(gn.LoadError, match=r"holds step 1\.\n.* holds step 0"):
        store.load()
    (tmp_path / "checkpoint-00000004").rename(tmp_path / "checkpoint-00000000")
    with pytest.warns(DamagedCheckpointWarning, match="holds step 1. An older one is used"):
        assert store.load().step == 0
