"""MNIST: small files in its place, and the real files if this machine has them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from data.mirror_server import PACKED, RAW, SOURCES, digits, fill, mirror

from graphnet import LoadError
from graphnet.data import digits as module
from graphnet.data import mnist
from graphnet.data.download import fetch


@pytest.fixture
def small(monkeypatch):
    """Small files take the place of those of MNIST; no proxy is used."""
    monkeypatch.setattr(module, "FILES", SOURCES)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def assert_small(data):
    for tensor, expected in zip(data, digits(), strict=True):
        assert tensor.equal(expected)
    assert data.train_images.dtype is data.test_images.dtype is torch.uint8
    assert data.train_labels.dtype is data.test_labels.dtype is torch.int64


def test_the_files_are_downloaded_where_torchvision_has_them(small, tmp_path):
    with mirror(PACKED) as (address, requested):
        assert_small(mnist(tmp_path, mirrors=[address]))
        assert requested == list(PACKED)
    assert_small(mnist(str(tmp_path), mirrors=()))
    raw = tmp_path / "MNIST" / "raw"
    assert sorted(path.name for path in raw.iterdir()) == sorted(PACKED)


def test_a_single_mirror_is_an_address(small, tmp_path):
    with mirror(PACKED) as (address, _):
        assert_small(mnist(tmp_path, mirrors=address))


@pytest.mark.parametrize("files", [RAW, PACKED], ids=["raw", "gz"])
def test_the_variable_names_the_folder(files, small, tmp_path, monkeypatch):
    fill(tmp_path / "MNIST" / "raw", files)
    monkeypatch.setenv("GRAPHNET_DATA", str(tmp_path))
    assert_small(mnist(mirrors=()))
    with pytest.raises(LoadError):
        mnist(tmp_path / "elsewhere", mirrors=())


def test_what_a_caller_writes_is_not_read_again(small, tmp_path):
    fill(tmp_path / "MNIST" / "raw", RAW)
    for tensor in mnist(tmp_path, mirrors=()):
        tensor.zero_()
    assert_small(mnist(tmp_path, mirrors=()))


def test_another_data_set_under_the_same_names_is_refused(tmp_path):
    others = {source.name: b"\0\0\x08\x01\0\0\0\0" for source in module.FILES}
    fill(tmp_path / "MNIST" / "raw", others)
    with pytest.raises(LoadError, match="checksum is wrong"):
        mnist(tmp_path, mirrors=())


def test_the_mirrors_are_safe_addresses():
    assert len(module.MIRRORS) >= 2
    assert all(address.startswith("https://") for address in module.MIRRORS)


# the real digits


def folder_of_mnist():
    """The folder of data sets that has MNIST: the variable's, or one beside the checkout."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    for root in (os.environ.get("GRAPHNET_DATA"), beside):
        if root:
            try:
                fetch(module.FILES, Path(root) / "MNIST" / "raw", mirrors=())
            except LoadError:
                continue
            return root
    return None


def test_the_real_digits():
    root = folder_of_mnist()
    if root is None:
        pytest.skip("MNIST is not here, and tests do not download it: GRAPHNET_DATA names it")
    data = mnist(root, mirrors=())
    assert [tuple(tensor.shape) for tensor in data] == [
        (60_000, 28, 28),
        (60_000,),
        (10_000, 28, 28),
        (10_000,),
    ]
    # published numbers: how often each digit occurs, and the mean and deviation of the pixels
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert data.train_labels.bincount().tolist() == counts
    assert data.test_labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    pixels = data.train_images.double() / 255
    assert abs(pixels.mean() - 0.1307) < 1e-4
    assert abs(pixels.std() - 0.3081) < 1e-4
