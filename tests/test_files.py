"""Files that are written whole or not at all, and files that are read without trust."""

from __future__ import annotations

import gc
import os

import pytest
import torch
from sampling import can_be

import graphnet as gn
from graphnet.files import read_file, replace_file, write_new


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_takes_no_place_that_is_taken(tmp_path):
    write_new(tmp_path / "file", b"first")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "link"):
        with pytest.raises(FileExistsError):
            write_new(tmp_path / name, b"second")
    assert read_file(tmp_path / "file") == b"first"
    assert names_in(tmp_path) == ["file", "link"]


@pytest.mark.parametrize("name", ["a" * 255, "ä" * 127, "字" * 85])
def test_a_file_of_a_long_name_is_replaced(tmp_path, name):
    if not can_be(name):
        pytest.skip("no file can have this name in this locale")
    for data in (b"first", b"", b"third" * 1_000):
        replace_file(tmp_path / name, data)
        assert read_file(str(tmp_path / name)) == data
    assert names_in(tmp_path) == [name]


@pytest.mark.parametrize("kind", ["pipe", "folder", "link to a pipe"])
def test_only_a_regular_file_is_replaced(tmp_path, kind):
    place = tmp_path / "place"
    if kind == "folder":
        place.mkdir()
    else:
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "pipe").rename(place) if kind == "pipe" else place.symlink_to(tmp_path / "pipe")
    before = names_in(tmp_path)
    with pytest.raises(OSError, match="Not a regular file"):
        replace_file(place, b"data")
    assert names_in(tmp_path) == before


def test_what_is_read(tmp_path):
    write_new(tmp_path / "file", b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    os.mkfifo(tmp_path / "pipe")
    assert read_file(tmp_path / "file", limit=5) == b"12345"
    assert read_file(tmp_path / "link", follow=True) == b"12345"
    refused = [
        ("file", 4, "Larger than 4 bytes"),
        ("link", None, "symbolic"),
        ("pipe", None, "device"),
    ]
    for name, limit, reason in [*refused, (".", None, "directory"), ("none", None, "No such file")]:
        with pytest.raises(OSError, match=reason):
            read_file(tmp_path / name, limit)


def lowest_free_handle():
    handle = os.dup(0)
    os.close(handle)
    return handle


def test_no_handle_stays_open(tmp_path):
    gc.collect()  # what other tests have left is closed by now, and not in between
    before = lowest_free_handle()
    replace_file(tmp_path / "file", b"data")
    read_file(tmp_path / "file")
    for place in (tmp_path, tmp_path / "none"):
        with pytest.raises(OSError, match=r"\w"):
            read_file(place)
    assert lowest_free_handle() == before


def test_weights_in_a_pipe_are_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(gn.LoadError, match="Is a device"):
        gn.load_weights(gn.Linear(2, 3), tmp_path / "pipe")


def drawn(path):
    gn.Linear(2, 3).draw((None, 2)).save(path.with_suffix(".svg"))


def stepped(path):
    graph = gn.Graph()
    y = graph.input((2,), name="x").sum()
    graph.walk({"x": torch.ones(2)}, y).frames(engine="ranker").html(path)


def exported(path):
    graph = gn.Graph()
    y = graph.input((None, 2), name="x") * 2
    graph.export_c(path, y, example={"x": torch.ones(1, 2)})


WRITERS = {
    "a file": lambda path: replace_file(path, b""),
    "a picture": drawn,
    "weights": lambda path: gn.save_weights(gn.Linear(2, 3), path),
    "a page": stepped,
    "C": exported,
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_a_missing_folder_is_told_with_the_way_out(tmp_path, write):
    folder = tmp_path / "nowhere" / "here"
    with pytest.raises(FileNotFoundError, match=r"no such folder; folder\.mkdir") as caught:
        write(folder / "a.c")
    assert caught.value.filename == str(folder)
    assert not folder.parent.exists()
