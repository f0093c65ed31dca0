"""Tensors as texts: every number is read back as it was."""

from __future__ import annotations

from base64 import b64decode

import pytest
import torch

from graphnet.errors import FeedError
from graphnet.playground.encoding import encoded

DTYPES = {"float32": torch.float32, "float64": torch.float64, "int32": torch.int32}
DTYPES["uint8"] = DTYPES["byte fraction"] = torch.uint8


def decoded(written):
    raw = torch.frombuffer(bytearray(b64decode(written["bytes"])), dtype=DTYPES[written["kind"]])
    return raw.float() / 255 if written["kind"] == "byte fraction" else raw


TENSORS = {
    "float32": torch.randn(3, 4),
    "special": torch.tensor([float("nan"), float("inf"), -0.5, 1e-40]),
    "turned": torch.randn(4, 3).T,
    "float64": torch.randn(5, dtype=torch.float64),
    "labels": torch.tensor([3, 0, -7]),
    "booleans": torch.tensor([True, False]),
    "grey": torch.arange(256).float() / 255,
    "one hot": torch.eye(3),
    "number": torch.tensor(2.5),
}


@pytest.mark.parametrize("name", TENSORS)
def test_numbers_are_read_back_to_the_bit(name):
    tensor = TENSORS[name]
    found = decoded(encoded(tensor, name))
    assert torch.equal(found.to(tensor.dtype).nan_to_num(9), tensor.flatten().nan_to_num(9))


def test_grey_values_take_a_byte_each():
    assert encoded(TENSORS["grey"], "x")["kind"] == "byte fraction"
    assert encoded(TENSORS["grey"] + 1e-3, "x")["kind"] == "float32"
    assert encoded(torch.rand(3, 4, 5), "x")["row"] == 20


def test_an_integer_of_more_than_32_bits_is_refused():
    with pytest.raises(FeedError, match="integers of 32 bits; 't' of int64 has 0 … 4294967296"):
        encoded(torch.tensor([0, 2**32]), "t")
