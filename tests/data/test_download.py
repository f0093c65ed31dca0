"""Files that are found, and files that a local server provides, through pooch itself."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pooch
import pytest
from data.mirror_server import NAMES, PACKED, RAW, SOURCES, fill, mirror

from graphnet import LoadError
from graphnet.data.download import data_folder, fetch


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    """The loopback server is reached without a proxy."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def contents(paths):
    return [path.read_bytes() for path in paths]


# where the data is


def test_the_folder_is_the_argument_then_the_variable_then_the_cache(monkeypatch):
    monkeypatch.setenv("GRAPHNET_DATA", "~/of-the-variable")
    assert data_folder("given") == Path("given")
    assert data_folder(Path("~/given")) == Path.home() / "given"
    assert data_folder() == Path.home() / "of-the-variable"
    cache = pooch.os_cache("graphnet")
    monkeypatch.setenv("GRAPHNET_DATA", "")
    assert data_folder() == cache
    monkeypatch.delenv("GRAPHNET_DATA")
    assert data_folder() == cache


# existing files


@pytest.mark.parametrize("files", [RAW, PACKED, RAW | PACKED], ids=["raw", "gz", "both"])
def test_files_that_are_there_need_no_network(files, tmp_path):
    paths = fetch(SOURCES, fill(tmp_path, files), mirrors=())
    assert contents(paths) in (list(RAW.values()), list(PACKED.values()))


@pytest.mark.parametrize("damaged", [RAW, PACKED], ids=["raw", "gz"])
def test_a_damaged_file_beside_a_good_one_is_left_alone(damaged, tmp_path):
    good = PACKED if damaged is RAW else RAW
    bad = {name: data[:-1] for name, data in damaged.items()}
    assert contents(fetch(SOURCES, fill(tmp_path, good | bad), mirrors=())) == list(good.values())
    assert (tmp_path / next(iter(bad))).read_bytes() == next(iter(bad.values()))


# downloaded files


def test_all_files_are_downloaded_once(tmp_path):
    folder = tmp_path / "MNIST" / "raw"
    with mirror(PACKED) as (address, requested):
        paths = fetch(SOURCES, folder, [address])
        assert contents(paths) == list(PACKED.values())
        assert paths == [folder / name for name in PACKED]
        assert requested == list(PACKED)
        assert fetch(SOURCES, folder, [f"{address}/"]) == paths
        assert requested == list(PACKED)
    assert sorted(path.name for path in folder.iterdir()) == sorted(PACKED)


def test_only_what_is_missing_is_downloaded(tmp_path):
    fill(tmp_path, {NAMES[0]: RAW[NAMES[0]], f"{NAMES[2]}.gz": PACKED[f"{NAMES[2]}.gz"]})
    with mirror(PACKED) as (address, requested):
        fetch(SOURCES, tmp_path, [address])
    assert requested == [f"{NAMES[1]}.gz", f"{NAMES[3]}.gz"]


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: b"", lambda data: b"x"])
def test_a_damaged_file_is_downloaded_again(damage, tmp_path):
    name = f"{NAMES[1]}.gz"
    fill(tmp_path, PACKED | {name: damage(PACKED[name])})
    with mirror(PACKED) as (address, requested):
        assert contents(fetch(SOURCES, tmp_path, [address])) == list(PACKED.values())
    assert requested == [name]


def test_the_next_mirror_is_asked_where_one_fails(tmp_path):
    lies = {name: data + b"x" for name, data in PACKED.items()}
    with ExitStack() as stack:
        mirrors = [stack.enter_context(mirror(files)) for files in ({}, lies, PACKED, PACKED)]
        paths = fetch(SOURCES, tmp_path, [address for address, _ in mirrors])
    assert contents(paths) == list(PACKED.values())
    every = list(PACKED)
    assert [requested for _, requested in mirrors] == [every, every, every, []]


# unavailable files


def failure(folder, mirrors):
    with pytest.raises(LoadError) as error:
        fetch(SOURCES, folder, mirrors)
    return str(error.value)


def test_without_a_network_the_error_says_what_to_put_where(tmp_path):
    with mirror(PACKED) as (gone, _):
        pass  # the server has stopped: nobody answers
    fill(tmp_path, {NAMES[0]: RAW[NAMES[0]]})
    message = failure(tmp_path, [gone])
    assert message.startswith(f"{NAMES[1]}.gz could not be downloaded.\n")
    assert f"{gone}/{NAMES[1]}.gz: ConnectionError" in message
    assert f"put these files into {tmp_path}" in message
    for source in SOURCES[1:]:
        assert f"  {source.name}.gz  (MD5 {source.md5})\n" in message
    assert f"{NAMES[0]}.gz  (MD5" not in message  # it is there
    assert "GRAPHNET_DATA" in message


def test_no_mirror_gives_the_file(tmp_path):
    with mirror({}) as (empty, _), mirror(dict.fromkeys(PACKED, b"lie")) as (lying, _):
        message = failure(tmp_path, [empty, lying])
    assert f"{empty}/{NAMES[0]}.gz: HTTPError, 404" in message
    assert f"{lying}/{NAMES[0]}.gz: ValueError, MD5 hash" in message
    assert list(tmp_path.iterdir()) == []  # nothing of the wrong file is left
    assert "no mirror to try" in failure(tmp_path, [])


def test_a_damaged_file_without_a_network_is_named_and_kept(tmp_path):
    name = f"{NAMES[0]}.gz"
    fill(tmp_path, PACKED | {name: b"damaged"})
    message = failure(tmp_path, [])
    assert f"{tmp_path / name} exists, but its checksum is wrong" in message
    assert (tmp_path / name).read_bytes() == b"damaged"


def test_a_folder_that_cannot_be_is_a_load_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with mirror(PACKED) as (address, requested):
        message = failure(tmp_path / "file" / "raw", [address])
    assert requested == []
    assert "NotADirectoryError" in message or "FileExistsError" in message


def test_an_address_that_is_none(tmp_path):
    assert "nowhere/" in failure(tmp_path, ["nowhere"])
