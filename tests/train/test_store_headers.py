"""Tensor files of a checkpoint that lie, with all checksums right."""

from __future__ import annotations

import struct
import tracemalloc

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples
from safetensors.torch import save
from train.states import (
    about,
    forge_tensors,
    refusal,
    small,
    tensor_file,
)

import graphnet as gn
from graphnet.train import schema
from graphnet.train.checkpoint_file import read_state
from graphnet.train.store import Store


@pytest.fixture
def path(tmp_path):
    return Store(tmp_path).save(small())


def header(**fields):
    return tensor_file({"a": {"dtype": "F32", "shape": [6], "data_offsets": [0, 24], **fields}})


def two(first, second, body=bytes(24)):
    names = zip("ab", (first, second), strict=True)
    entries = {n: {"dtype": "U8", "shape": [o[1] - o[0]], "data_offsets": o} for n, o in names}
    return tensor_file(entries, body)


HEADERS = {
    "empty": b"",
    "seven bytes": bytes(7),
    "length 0": bytes(8),
    "length of the whole disk": struct.pack("<Q", 2**64 - 1) + b"{}",
    "length 1 too many": struct.pack("<Q", 3) + b"{}",
    "null": tensor_file(b"null"),
    "list": tensor_file(b"[]"),
    "deep": tensor_file(b"[" * 100_000),
    "not utf-8": tensor_file(b'{"\xff":1}'),
    "a duplicate": tensor_file(
        b'{"a":{"dtype":"F32","shape":[6],"data_offsets":[0,24]},'
        b'"a":{"dtype":"F32","shape":[6],"data_offsets":[0,24]}}'
    ),
    "bytes after": header() + b"\0",
    "bytes missing": header()[:-1],
    "an entry of a number": tensor_file({"a": 1}),
    "metadata": tensor_file({"__metadata__": {"a": "b"}}),
    "metadata of lists": tensor_file({"__metadata__": {"a": []}}),
    "one field less": tensor_file({"a": {"dtype": "F32", "shape": [6]}}),
    "one field more": header(path="/etc/passwd"),
    "dtype unknown": header(dtype="F5"),
    "dtype that torch cannot read": header(dtype="F8_E8M0", shape=[24]),
    "dtype of four bits": header(dtype="F4", shape=[48]),
    "dtype of no text": header(dtype=["F32"]),
    "dtype of another size": header(dtype="F64"),
    "shape too small": header(shape=[5]),
    "shape too large": header(shape=[7]),
    "shape negative": header(shape=[-6]),
    "shape float": header(shape=[6.0]),
    "shape true": header(shape=[6, True]),
    "shape null": header(shape=None),
    "shape nested": header(shape=[[6]]),
    "shape that overflows": header(shape=[2**62, 4]),
    "shape that overflows to 0": header(shape=[2**32, 2**32, 4], data_offsets=[0, 0]),
    "offsets reversed": header(data_offsets=[24, 0]),
    "offsets outside": header(data_offsets=[0, 2**40]),
    "offsets negative": header(data_offsets=[-24, 0]),
    "offsets of one": header(data_offsets=[0]),
    "offsets of three": header(data_offsets=[0, 12, 24]),
    "offsets float": header(data_offsets=[0.0, 24.0]),
    "a hole at the start": header(shape=[5], data_offsets=[4, 24]),
    "a hole between": two([0, 10], [14, 24]),
    "overlap": two([0, 16], [8, 24]),
    "the same bytes twice": two([0, 24], [0, 24]),
    "pickle": b"\x80\x04\x95\x1d\x00\x00\x00cposix\nsystem\n.",
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_tensor_file_that_lies_is_refused(path, case):
    data = HEADERS[case]
    try:
        header = schema.contents(data)
    except ValueError:  # what a forger would hope for
        header = {"a": about(data[-24:])}
    forge_tensors(path, data, header)
    refusal(path)


def test_a_small_file_takes_little_memory(path):
    """Whatever sizes it announces."""
    for data in (header(shape=[2**40]), header(shape=[2**40, 0], data_offsets=[0, 0])):
        forge_tensors(path, data, {"a": about(b"", shape=(2**40, 0))})
        tracemalloc.start()
        refusal(path)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 2**21


def test_the_same_bytes_under_many_names_are_not_summed_up_each_time(path):
    """A million names of a large tensor would keep a reader busy for hours."""
    many = {f"t{n}": {"dtype": "U8", "shape": [24], "data_offsets": [0, 24]} for n in range(3)}
    with pytest.raises(ValueError, match="overlap"):
        schema.contents(tensor_file(many))


@examples(100)
@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "__metadata__", ""]),
        st.fixed_dictionaries({
            "dtype": st.sampled_from([*schema.DTYPES.values(), "F4", None]),
            "shape": st.lists(st.integers(-1, 4) | st.just(2**62), max_size=4),
            "data_offsets": st.lists(st.integers(-1, 25) | st.just(2**62), min_size=2, max_size=2),
        }),
        max_size=2,
    )
)  # fmt: skip
def test_any_header_is_refused_or_tells_the_truth(path, entries):
    data = tensor_file(entries)
    try:
        header = schema.contents(data)
    except ValueError:
        return
    forge_tensors(path, data, header)
    try:
        state = read_state(path)
    except gn.LoadError:
        return
    assert {n: list(t.shape) for n, t in state.tensors.items()} == {
        n: e["shape"] for n, e in entries.items()
    }
    assert sum(t.nbytes for t in state.tensors.values()) == 24


def test_a_file_of_another_writer_is_read_too(path):
    """The order of the tensors and the space before them are not ours to decide."""
    tensors = {"b": torch.ones(2), "a": torch.zeros(3, dtype=torch.uint8)}
    data = save(tensors)
    forge_tensors(path, data, {name: schema.contents(data)[name] for name in ("b", "a")})
    assert list(read_state(path).tensors) == ["b", "a"]
