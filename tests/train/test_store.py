"""Checkpoints in a folder: round trips, refusals, several at once."""

from __future__ import annotations

import os
import struct
import threading
import warnings
from hashlib import sha256

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples
from train.states import bits, names_in, small

import graphnet as gn
from graphnet.errors import CheckpointError
from graphnet.train import schema
from graphnet.train.checkpoint_file import State, read_state
from graphnet.train.store import Store


def folders(*steps):
    return [f"checkpoint-{step:08d}" for step in steps]


# round trips


def of_dtype(dtype):
    """Values of a dtype with arbitrary bits: everything that its bytes can be."""
    raw = torch.arange(0, 2 if dtype == torch.bool else 256, dtype=torch.int16).to(torch.uint8)
    size = dtype.itemsize
    return raw.repeat(size).view(dtype)


@pytest.mark.parametrize("name", schema.DTYPES)
def test_every_dtype_comes_back(tmp_path, name):
    state = State(0, {"values": of_dtype(getattr(torch, name))}, {})
    Store(tmp_path).save(state)
    assert bits(Store(tmp_path).load()) == bits(state)


def odd_tensors():
    base = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))
    return {
        "a scalar": torch.tensor(2.5),
        "nothing": torch.empty(0),
        "nothing, of a shape": torch.empty(3, 0, 2),
        "one": torch.ones(1, 1, 1),
        "transposed": base.T,
        "every second": base[:, ::2],
        "expanded": base[:1].expand(5, 6),
        "base": base,
        "base once more": base,
        "part of base": base[1:3],
        "conjugate": torch.complex(base, base).conj(),
        "negative": torch.complex(base, base).conj().imag,
        "with gradient": torch.ones(2, requires_grad=True),
        "extremes": torch.tensor([float("nan"), -0.0, 1e-45, float("inf"), -float("inf")]),
        "Ω.größe": torch.ones(2),
        "channels last": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last),
    }


def test_odd_tensors_come_back(tmp_path):
    state = State(7, odd_tensors(), {})
    before = bits(state)
    Store(tmp_path).save(state)
    loaded = Store(tmp_path).load()
    assert bits(loaded) == before == bits(state)
    assert list(loaded.tensors) == list(state.tensors)


def test_loaded_tensors_have_memory_of_their_own(tmp_path):
    Store(tmp_path).save(State(0, {name: torch.zeros(3) for name in "ab"}, {}))
    loaded = Store(tmp_path).load()
    loaded.tensors["a"].fill_(1)
    assert loaded.tensors["b"].sum() == 0
    assert Store(tmp_path).load().tensors["a"].sum() == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_tensors_of_a_gpu_come_back_on_the_cpu(tmp_path):
    state = State(1, {"w": torch.arange(6.0, device="cuda").reshape(2, 3).T}, {})
    Store(tmp_path).save(state)
    loaded = Store(tmp_path).load()
    assert loaded.tensors["w"].device.type == "cpu"
    assert bits(loaded) == bits(state)


def test_an_empty_state_comes_back(tmp_path):
    Store(tmp_path).save(State(0, {}, {}))
    assert Store(tmp_path).load() == State(0, {}, {})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**128), 2**128) | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@examples(40)
@given(st.dictionaries(st.text() | st.sampled_from(["$float", "$$float", "$", "$x"]), JSON))
def test_every_value_comes_back(values):
    text = schema.Text(5, values, {}, "")
    read = schema.read(schema.written(text))
    assert bits(State(5, {}, read.values)) == bits(State(5, {}, values))
    assert list(read.values) == list(values)


# what is not saved

WRONG = {
    "complex128": State(0, {"w": torch.ones(2, dtype=torch.complex128)}, {}),
    "sparse": State(0, {"w": torch.ones(2).to_sparse()}, {}),
    "no values": State(0, {"w": torch.ones(2, device="meta")}, {}),
    "slash": State(0, {"a/b": torch.ones(2)}, {}),
    "path": State(0, {"..": torch.ones(2)}, {}),
    "no name": State(0, {"": torch.ones(2)}, {}),
    "metadata": State(0, {"__metadata__": torch.ones(2)}, {}),
    "a long name": State(0, {"n" * 501: torch.ones(2)}, {}),
    "control": State(0, {"a\0b": torch.ones(2)}, {}),
    "name": State(0, {3: torch.ones(2)}, {}),
    "negative step": State(-1, {}, {}),
    "true step": State(True, {}, {}),
    "tuple": State(0, {}, {"a": (1, 2)}),
    "tensor": State(0, {}, {"a": torch.ones(2)}),
    "bytes": State(0, {}, {"a": b"1"}),
    "key": State(0, {}, {"a": {1: 2}}),
    "big int": State(0, {}, {"a": 2**128 + 1}),
    "huge int": State(0, {}, {"a": 10**5000}),
    "half a character": State(0, {}, {"a": "\ud800"}),
    "half a character in a key": State(0, {}, {"\udc00": 1}),
    "list": State(0, {}, [1]),
    "none": State(0, {}, None),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_saved_is_reported(tmp_path, case):
    store = Store(tmp_path)
    store.save(small(1))
    with pytest.raises(CheckpointError, match=r"cannot hold this state: ."):
        store.save(WRONG[case])
    assert names_in(tmp_path) == folders(1)


def test_values_that_lie_too_deep_are_refused(tmp_path):
    endless = []
    endless.append(endless)
    for values in ({"a": endless}, {"a": _nested(60)}):
        with pytest.raises(CheckpointError, match="deep"):
            Store(tmp_path).save(State(0, {}, values))
    Store(tmp_path).save(State(0, {}, {"a": _nested(40)}))
    assert Store(tmp_path).load().values == {"a": _nested(40)}


def _nested(depth):
    tree = 1
    for _ in range(depth):
        tree = [tree]
    return tree


@pytest.mark.parametrize("keep", [0, -1])
def test_a_store_keeps_something(tmp_path, keep):
    with pytest.raises(gn.RangeError, match="1 or more"):
        Store(tmp_path, keep=keep)


# several processes


def test_a_reader_beside_a_writer_sees_whole_checkpoints(tmp_path):
    store, done, wrong, seen = Store(tmp_path), threading.Event(), [], set()
    store.save(small(0))

    def look():
        other = Store(tmp_path)
        while not done.is_set():
            state = other.load()
            seen.add(state.step)
            if bits(state) != bits(small(state.step)):
                wrong.append(state)

    def read():
        try:
            look()
        except Exception as error:
            wrong.append(error)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        for step in range(30):
            store.save(small(step // 2))  # each step twice, so that it is replaced
        done.set()
        for reader in readers:
            reader.join()
    assert wrong == []
    assert len(seen) > 3


def test_the_permissions_follow_the_mask(tmp_path):
    before = os.umask(0o027)
    try:
        path = Store(tmp_path / "new").save(small(1))
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o750
    assert {each.stat().st_mode & 0o777 for each in path.iterdir()} == {0o640}


def test_a_single_checkpoint_is_read(tmp_path):
    path = Store(tmp_path).save(small(4))
    path.rename(tmp_path / "best")
    assert bits(read_state(tmp_path / "best")) == bits(read_state(str(tmp_path / "best")))
    assert bits(read_state(tmp_path / "best")) == bits(small(4))


GOLDEN = (
    '{"format":"graphnet checkpoint","version":1,"step":12,"values":{"lr":0.1,"best":'
    '{"$float":"7ff0000000000000"},"$$name":[null,true,-0.0]},"tensors":{"w":{"dtype":"F32",'
    '"shape":[2],"sha256":"TENSOR"}},"file":"FILE","sha256":"TEXT"}'
)


def test_a_checkpoint_of_version_1_is_read_forever(tmp_path):
    """A checkpoint written by hand here, which will not change when the format does."""
    header = b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}  '
    body = struct.pack("<2f", 1.5, -2)
    data = struct.pack("<Q", len(header)) + header + body
    text = GOLDEN.replace("TENSOR", sha256(body).hexdigest())
    text = text.replace("FILE", sha256(data).hexdigest())
    digest = sha256(text.replace(',"sha256":"TEXT"', "").encode()).hexdigest()
    (tmp_path / "tensors.safetensors").write_bytes(data)
    (tmp_path / "state.json").write_text(text.replace("TEXT", digest), encoding="utf-8")
    values = {"lr": 0.1, "best": float("inf"), "$name": [None, True, -0.0]}
    assert bits(read_state(tmp_path)) == bits(State(12, {"w": torch.tensor([1.5, -2])}, values))
