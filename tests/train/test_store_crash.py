"""Checkpoints if the program ends at any call to the disk, or the disk refuses it."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from train import own_process
from train.faulty_disk import Crash, FaultyDisk
from train.states import bits, names_in, small

from graphnet.errors import CheckpointError, LoadError
from graphnet.train.store import Store

pytestmark = pytest.mark.filterwarnings("error")


def first(folder):
    """Nothing is there yet, not even the folder."""
    return small(1)


def third(folder):
    """An older one will be deleted."""
    for step in (1, 2):
        Store(folder).save(small(step))
    return small(3)


def again(folder):
    """One of the same step will be replaced."""
    Store(folder).save(small(1))
    older = small(2)
    older.values["lr"] = 5.0
    Store(folder).save(older)
    return small(2)


def back(folder):
    """A later one will be deleted."""
    for step in (1, 5):
        Store(folder).save(small(step))
    return small(2)


def after_a_crash(folder):
    """Leftovers of a crash will be swept, and the folder has one that was moved aside."""
    state = again(folder)
    left = folder / ".checkpoint-0123456789abcdef.tmp"
    left.mkdir()
    (left / "state.json").write_bytes(b"{")
    shutil.copytree(folder / "checkpoint-00000002", folder / "checkpoint-00000002-replaced")
    return state


SCENES = [first, third, again, back, after_a_crash]


def fail(folder, state, monkeypatch, **fault):
    """Save with a fault; returns the disk with its calls, and the error."""
    with monkeypatch.context() as patch:
        disk = FaultyDisk(patch, **fault)
        try:
            Store(folder).save(state)
        except (Crash, CheckpointError) as error:
            return disk, error
    return disk, None


def before_and_calls(scene, tmp_path, monkeypatch):
    """What is loaded before the save, and how many calls a save without a fault makes."""
    folder = tmp_path / "prepared"
    state = scene(folder)
    before = Store(folder).load()
    shutil.copytree(folder, tmp_path / "dry") if folder.exists() else None
    disk, error = fail(tmp_path / "dry", state, monkeypatch)
    assert error is None
    return folder, state, before and bits(before), len(disk.trace)


def copies(folder, tmp_path, count):
    for number in range(count):
        copy = tmp_path / str(number)
        if folder.exists():
            shutil.copytree(folder, copy)
        yield number, copy


@pytest.mark.parametrize("scene", SCENES)
def test_a_program_that_ends_at_any_call_leaves_the_old_or_the_new(scene, tmp_path, monkeypatch):
    folder, state, before, count = before_and_calls(scene, tmp_path, monkeypatch)
    assert count > 10
    outcomes = set()
    for at, copy in copies(folder, tmp_path, count):
        _, error = fail(copy, state, monkeypatch, at=at)
        assert isinstance(error, Crash)
        found = Store(copy).load()
        found = found and bits(found)
        assert found in (before, bits(state))
        outcomes.add(found == bits(state))
        if found is not None:  # training that goes on from there and has nothing left to write
            Store(copy).clean(Store(copy).load().step)
            assert bits(Store(copy).load()) == found
            assert len(names_in(copy)) <= 2
            assert len(Store(copy).steps) == len(names_in(copy))  # no second one of a step
        Store(copy).save(small(9))
        assert bits(Store(copy).load()) == bits(small(9))
        assert len(names_in(copy)) <= 2
        assert not any(name.endswith(".tmp") for name in names_in(copy))
    assert outcomes == {False, True}  # the fault was before the rename, and after it


@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize("scene", SCENES)
def test_a_disk_that_refuses_any_call_leaves_the_old_or_the_new(
    scene, lasting, tmp_path, monkeypatch
):
    folder, state, before, count = before_and_calls(scene, tmp_path, monkeypatch)
    refused = 0
    for at, copy in copies(folder, tmp_path, count):
        problem = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        disk, error = fail(copy, state, monkeypatch, at=at, error=problem, lasting=lasting)
        found = Store(copy).load()
        found = found and bits(found)
        if error is None:  # only what is no longer kept could not be deleted
            assert disk.trace[at][0] in ("rename", "unlink", "rmdir")
            assert found == bits(state)
            continue
        refused += 1
        assert re.search(r"step \d .*: (No space left on device|Directory not empty)", str(error))
        assert found in (before, bits(state))
        if not lasting and copy.exists():
            assert [n for n in names_in(copy) if n.endswith(".tmp")] == []
    assert refused > 5


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
def test_an_interruption_leaves_nothing_unfinished(tmp_path, monkeypatch, call, error):
    Store(tmp_path).save(small(1))

    def stop(*_):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(os, call, stop)
        with pytest.raises(error):
            Store(tmp_path).save(small(2))
    assert names_in(tmp_path) == ["checkpoint-00000001"]


def test_the_disk_has_all_before_the_name_is_given(tmp_path, monkeypatch):
    """What a power cut needs: files, then their folder, then the name, then the older ones."""
    state = third(tmp_path)
    disk, _ = fail(tmp_path, state, monkeypatch)
    calls = [(call, Path(place).name.split("-")[0]) for call, place in disk.trace]
    assert calls == [
        ("mkdir", ".checkpoint"),
        *[("open", "tensors.safetensors"), ("write", "tensors.safetensors")],
        ("fsync", "tensors.safetensors"),
        *[("open", "state.json"), ("write", "state.json"), ("fsync", "state.json")],
        *[("open", ".checkpoint"), ("fsync", ".checkpoint")],
        ("rename", ".checkpoint"),
        *[("open", tmp_path.name.split("-")[0]), ("fsync", tmp_path.name.split("-")[0])],
        ("rename", "checkpoint"),
        *[("unlink", "tensors.safetensors"), ("unlink", "state.json"), ("rmdir", ".checkpoint")],
    ]


def test_a_write_of_a_few_bytes_at_a_time_is_whole(tmp_path, monkeypatch):
    original = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, data: original(handle, data[:7]))
        Store(tmp_path).save(small(1))
    assert bits(Store(tmp_path).load()) == bits(small(1))


@pytest.mark.parametrize("code", [errno.EINVAL, errno.EIO])
def test_a_folder_that_cannot_be_synced(tmp_path, monkeypatch, code):
    """Some network disks have no such call; an error of the device is another matter."""
    original = os.fsync

    def fsync(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(code, os.strerror(code))
        original(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    if code == errno.EINVAL:
        Store(tmp_path).save(small(1))
        assert names_in(tmp_path) == ["checkpoint-00000001"]
    else:
        with pytest.raises(CheckpointError, match="Input/output error"):
            Store(tmp_path).save(small(1))


@pytest.mark.parametrize("folder", ["file", "file/below", "nul\0"])
def test_a_folder_that_cannot_be(tmp_path, folder):
    (tmp_path / "file").write_bytes(b"precious")
    store = Store(tmp_path / folder)
    with pytest.raises(CheckpointError, match="cannot be written"):
        store.save(small(1))
    with pytest.raises(LoadError, match="cannot be read"):
        store.load()
    assert names_in(tmp_path) == ["file"]


# what needs a separate process


def apart_in(folder, *arguments):
    script = Path(own_process.__file__)
    paths = [str(script.parents[1]), str(script.parents[2]), os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        [sys.executable, str(script), str(folder), *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=600,
    )


@pytest.mark.parametrize("stride", ["31", pytest.param("1", marks=pytest.mark.slow)])
def test_a_full_disk_a_read_only_folder_and_what_loading_asks_of_the_system(tmp_path, stride):
    result = apart_in(tmp_path, stride)
    assert result.returncode == 0, result.stdout + result.stderr
    counts = dict(line.split() for line in result.stdout.splitlines())
    assert list(counts) == ["hooks", "full_disk", "read_only"]
    assert all(int(count) > 1 for count in counts.values())
