"""The reader of IDX files: every type, and every way in which a file can be wrong."""

from __future__ import annotations

import gzip
import os
import struct
import tracemalloc

import pytest
import torch
from data.mirror_server import RAW, digits, idx

from graphnet import LoadError
from graphnet.data import idx as reader
from graphnet.data import read_idx

TYPES = {  # the key in the file, struct's letter, the type of the tensor
    "uint8": (0x08, "B", torch.uint8),
    "int8": (0x09, "b", torch.int8),
    "int16": (0x0B, "h", torch.int16),
    "int32": (0x0C, "i", torch.int32),
    "float32": (0x0D, "f", torch.float32),
    "float64": (0x0E, "d", torch.float64),
}
SMALL = idx(torch.arange(6, dtype=torch.uint8).view(2, 3))
LONG = struct.pack(">4BI", 0, 0, 8, 1, 2**30)  # announces a gigabyte, with nothing after it


def written(folder, data):
    path = folder / "numbers-idx"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "gz"])
@pytest.mark.parametrize("name", TYPES)
def test_every_type_is_read(name, pack, tmp_path):
    key, letter, dtype = TYPES[name]
    numbers = [0, 1, 100, 2, 3, 127] if letter == "B" else [0, 1, -100, 2, 3, 127]
    if letter in "fd":
        numbers = [number / 3 for number in numbers]
    data = struct.pack(f">4B2I6{letter}", 0, 0, key, 2, 2, 3, *numbers)
    tensor = read_idx(written(tmp_path, pack(data)))
    assert tensor.dtype is dtype
    assert tensor.equal(torch.tensor(numbers, dtype=dtype).view(2, 3))
    tensor.zero_()  # it belongs to the caller


@pytest.mark.parametrize("shape", [(0,), (3, 0, 2), (1,), (1, 2, 1, 2, 1, 2, 1, 2)], ids=str)
def test_every_shape_is_read(shape, tmp_path):
    tensor = torch.randint(256, shape, dtype=torch.uint8)
    assert read_idx(written(tmp_path, idx(tensor))).equal(tensor)


def test_images_and_labels_are_read(tmp_path):
    for data, tensor in zip(RAW.values(), digits(), strict=True):
        assert read_idx(written(tmp_path, data)).equal(tensor)


def test_no_piece_is_lost_between_two_reads(tmp_path):
    tensor = torch.randint(256, (3 * 2**20 + 1,), dtype=torch.uint8)
    header = struct.pack(">4BI", 0, 0, 8, 1, len(tensor))
    assert read_idx(written(tmp_path, header + bytes(tensor.tolist()))).equal(tensor)


WRONG = {
    "empty": (b"", "got nothing"),
    "short": (b"\0\0\x08", "got 00 00 08"),
    "a picture": (b"\x89PNG\r\n\x1a\n", "got 89 50 4e 47"),
    "an unknown type": (b"\0\0\x0a\x01" + bytes(9), "got 00 00 0a 01"),
    "no dimensions": (b"\0\0\x08\0" + bytes(9), "has 0 dimensions"),
    "many dimensions": (b"\0\0\x08\xff" + bytes(2000), "has 255 dimensions"),
    "no sizes": (SMALL[:7], "before the sizes of its 2 dimensions"),
    "no numbers": (SMALL[:12], "6 bytes of numbers, got only 0"),
    "a number less": (SMALL[:-1], "6 bytes of numbers, got only 5"),
    "a number more": (SMALL + b"x", "6 bytes of numbers, got more"),
    "a huge size": (struct.pack(">4BI", 0, 0, 8, 1, 2**32 - 1), "(4294967295,)"),
    "a huge product": (struct.pack(">4B3I", 0, 0, 14, 3, *[2**31] * 3), "1,073,741,824 bytes"),
    "huge and empty": (struct.pack(">4B3I", 0, 0, 8, 3, 0, *[2**32 - 1] * 2), "(0, 4294967295"),
    "less than announced": (LONG, "got only 0"),
    "half an archive": (gzip.compress(SMALL)[:-9], "gzip cannot unpack it"),
    "an archive with a wrong sum": (gzip.compress(SMALL)[:-8] + bytes(8), "gzip cannot unpack it"),
    "an archive with a tail": (gzip.compress(SMALL) + b"tail", "gzip cannot unpack it"),
    "an archive of nothing": (gzip.compress(b""), "got nothing"),
    "an archive in an archive": (gzip.compress(gzip.compress(SMALL)), "1f 8b 08"),
    "two archives": (gzip.compress(SMALL) * 2, "got more"),
    "the first bytes of an archive": (b"\x1f\x8b", "gzip cannot unpack it"),
    "noise in an archive": (gzip.compress(SMALL)[:10] + b"\xff" * 30, "gzip cannot unpack it"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_refused(name, tmp_path):
    data, words = WRONG[name]
    path = written(tmp_path, data)
    with pytest.raises(LoadError) as error:
        read_idx(path)
    assert str(error.value).startswith(f"{path} ")
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("packed", "zeros"),
    [(LONG, None), (SMALL, 2**26), (b"", 2**26)],
    ids=["a large number in a small file", "a bomb behind numbers", "a bomb of zeros"],
)
def test_a_small_file_takes_little_memory(packed, zeros, tmp_path):
    data = packed if zeros is None else gzip.compress(packed + bytes(zeros))
    path = written(tmp_path, data)
    tracemalloc.start()
    try:
        with pytest.raises(LoadError):
            read_idx(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * 2**20  # the bombs would take 64 MiB


def test_the_limit_is_the_last_size_that_is_read(tmp_path, monkeypatch):
    path = written(tmp_path, SMALL)
    monkeypatch.setattr(reader, "LARGEST", 6)
    assert read_idx(path).shape == (2, 3)
    monkeypatch.setattr(reader, "LARGEST", 5)
    with pytest.raises(LoadError, match="at most"):
        read_idx(path)


@pytest.mark.parametrize("cut", range(len(SMALL)))
def test_every_shorter_file_is_refused(cut, tmp_path):
    with pytest.raises(LoadError):
        read_idx(written(tmp_path, SMALL[:cut]))


def test_what_cannot_be_read_is_a_load_error(tmp_path):
    os.mkfifo(tmp_path / "pipe")  # nothing writes to it: waiting would take forever
    for path in (tmp_path, tmp_path / "nothing-here", "a\0b", tmp_path / "pipe"):
        with pytest.raises(LoadError, match="cannot be read"):
            read_idx(path)


def test_a_link_to_a_file_is_read(tmp_path):
    (tmp_path / "link").symlink_to(written(tmp_path, SMALL))
    assert read_idx(tmp_path / "link").shape == (2, 3)
