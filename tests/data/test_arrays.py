"""Arrays as tensors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from data.frames import Frame

import graphnet as gn
from graphnet.data.arrays import as_tensor, is_mapped


@pytest.mark.parametrize(
    "dtype", ["uint8", "int16", "int64", "float16", "float32", "float64", "bool"]
)
def test_an_array_is_not_copied(dtype):
    array = np.zeros((3, 2), dtype)
    tensor = as_tensor(array)
    assert tensor.dtype == getattr(torch, dtype)
    array[1, 1] = 1
    assert tensor[1, 1] == 1


def test_what_is_read_only_is_read_without_a_warning():
    array = np.broadcast_to(np.ones((1, 2)), (4, 2))
    assert as_tensor(array).sum() == 8
    assert as_tensor(np.float32(2.5)) == 2.5


def test_a_file_stays_where_it_is(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(6).reshape(3, 2))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert as_tensor(mapped).tolist() == [[0, 1], [2, 3], [4, 5]]
    assert is_mapped(mapped)
    assert is_mapped(mapped[1:])
    assert is_mapped(np.asarray(mapped))
    assert not is_mapped(np.array(mapped))
    assert not is_mapped(torch.ones(3))


@pytest.mark.parametrize("value", [None, 3, "ab", [1.0], (np.ones(1),), {"x": 1}])
def test_other_things_are_none(value):
    assert as_tensor(value) is None


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.array(["a"]), "x has an array of <U1, which torch cannot read"),
        (np.array([None]), "x has an array of object"),
        (np.zeros(3)[::-1], "stride"),
        (np.zeros(3, ">f4"), "byte order"),
        (np.zeros(3, "datetime64[s]"), "datetime64"),
    ],
)
def test_what_holds_no_numbers_of_torch_is_refused(array, words):
    with pytest.raises(gn.DtypeError, match=words):
        as_tensor(array, "x")


def test_a_frame_is_a_matrix_and_a_column_a_vector():
    frame = Frame(a=[1, 2], b=[0.5, 1.5], c=[True, False])
    assert as_tensor(frame).tolist() == [[1, 0.5, 1], [2, 1.5, 0]]
    assert as_tensor(frame).dtype == torch.float32
    assert as_tensor(frame["a"]).dtype == as_tensor(frame["c"]).dtype == torch.int64
    assert as_tensor(frame["b"]).dtype == torch.float32
    with pytest.raises(gn.DtypeError, match=r"data has columns that hold no numbers.*: 'a'"):
        as_tensor(Frame(a=["x", "y"], b=["1", "2"]))
    with pytest.raises(gn.DtypeError, match="1 missing value"):
        as_tensor(Frame(a=[1.0, float("nan")])["a"])


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1"])
def test_a_picture_has_its_channels_first(mode):
    image = pytest.importorskip("PIL.Image", reason="needs: pip install pillow")
    channels = {"L": 1, "RGB": 3, "RGBA": 4, "P": 3, "1": 3}[mode]
    picture = as_tensor(image.new(mode, (5, 2)))
    assert picture.shape == (channels, 2, 5)
    assert picture.dtype == torch.float32
