"""Weights in files: round trips, files that are refused, and writing that is interrupted."""

from __future__ import annotations

import json
import os
import random
import stat
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

import graphnet as gn


def network(dtype=torch.float32, seed=0):
    torch.manual_seed(seed)
    return gn.Sequential(
        gn.Linear(2, 3, dtype=dtype), gn.Tanh(),
        gn.Sequential(gn.Linear(3, 4, bias=False, dtype=dtype), gn.ReLU()),
        gn.Linear(4, 1, dtype=dtype),
    )  # fmt: skip


def torch_network(seed=1):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(2, 3), nn.Tanh(),
        nn.Sequential(nn.Linear(3, 4, bias=False), nn.ReLU()),
        nn.Linear(4, 1),
    )  # fmt: skip


def fingerprint(model):
    """Where each value lies, and its bytes."""
    return {
        name: (each.top.data_ptr(), each.top.dtype, each.top.reshape(-1).view(torch.uint8).tolist())
        for name, each in model.named_state()
    }


def refusal(model, path):
    """The message of a load that fails; the model has to stay as it is, to the last bit."""
    before = fingerprint(model)
    with pytest.raises(gn.LoadError) as error:
        gn.load_weights(model, path)
    assert fingerprint(model) == before
    return str(error.value)


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def equal(first, second):
    first, second = first.state_dict(), second.state_dict()
    return list(first) == list(second) and all(first[n].equal(second[n]) for n in first)


# round trips


@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_round_trip(tmp_path, dtype, as_text):
    path = tmp_path / "model.safetensors"
    path = str(path) if as_text else path
    model, other = network(dtype), network(dtype, seed=1)
    assert not equal(model, other)
    gn.save_weights(model, path)
    places = [each.top.data_ptr() for each in other.parameters()]
    gn.load_weights(other, path)
    assert equal(model, other)
    assert [each.top.data_ptr() for each in other.parameters()] == places
    assert names_in(tmp_path) == ["model.safetensors"]


def test_values_that_are_odd_come_back_bit_by_bit(tmp_path):
    class Odd(gn.Module):
        def __init__(self, value):
            self.scalar = gn.Parameter(torch.tensor(value))
            self.nothing = gn.Parameter(torch.empty(0, 3))
            self.extreme = gn.Parameter(torch.tensor([float("nan"), -0.0, 1e-45, float("inf")]))
            self.count = gn.Parameter(torch.tensor([3, -4]), requires_grad=False)

    model, other = Odd(1.5), Odd(2.5)
    other.extreme.top = torch.zeros(4)
    other.count.top = torch.zeros(2, dtype=torch.int64)
    gn.save_weights(model, tmp_path / "odd")
    gn.load_weights(other, tmp_path / "odd")
    # bytes, since NaN differs from itself
    bits = [[values for _, _, values in fingerprint(each).values()] for each in (model, other)]
    assert bits[0] == bits[1]


def test_module_without_parameters(tmp_path):
    gn.save_weights(gn.Tanh(), tmp_path / "tanh")
    gn.load_weights(gn.Tanh(), tmp_path / "tanh")


def test_weights_of_a_module_that_looked_different(tmp_path):
    path = tmp_path / "model.safetensors"
    gn.save_weights(gn.Sequential(gn.Linear(2, 3), gn.Tanh()), path)
    other = gn.Sequential(gn.Linear(2, 3), gn.ReLU())
    with pytest.warns(UserWarning, match=r"another module: \(1\): Tanh\(\) there, \(1\): ReLU"):
        gn.load_weights(other, path)
    save_file(other.state_dict(), path)  # others do not say what the module looked like
    gn.load_weights(other, path)


@pytest.mark.parametrize("about", [b"null", b"{}", b'{"format": "pt"}'])
def test_a_file_need_not_say_what_its_module_looked_like(tmp_path, about):
    path = tmp_path / "model.safetensors"
    tensors = b'"weight": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}'
    header = b'{"__metadata__": %s, %s}' % (about, tensors)
    path.write_bytes(struct.pack("<Q", len(header)) + header + struct.pack("<ff", 1.5, -2.0))
    model = gn.Linear(2, 1, bias=False)
    gn.load_weights(model, path)
    assert model.weight.top.tolist() == [[1.5, -2.0]]


def test_loading_reaches_optimizer_and_graph(tmp_path):
    model = network()
    gn.save_weights(network(seed=1), tmp_path / "model")
    x = torch.rand(5, 2)
    sgd = gn.SGD(model.parameters(), lr=0.1)
    model.forward(x)
    gn.load_weights(model, tmp_path / "model")
    with pytest.raises(gn.StateError, match="changed after the forward pass"):
        model.backward(torch.ones(5, 1))
    assert model.forward(x).equal(network(seed=1).forward(x))
    model.backward(torch.ones(5, 1))
    before = model.state_dict()
    sgd.step()
    assert not equal(model, network(seed=1))
    assert all(value.isfinite().all() for value in before.values())


# to and from torch


def test_our_file_in_torch(tmp_path):
    model, net = network(), torch_network()
    gn.save_weights(model, tmp_path / "model.safetensors")
    net.load_state_dict(load_file(tmp_path / "model.safetensors"))
    check_outputs(model, net)


def test_a_file_of_torch_here(tmp_path):
    model, net = network(), torch_network()
    save_file(net.state_dict(), tmp_path / "net.safetensors", metadata={"format": "pt"})
    gn.load_weights(model, tmp_path / "net.safetensors")
    assert all(value.equal(net.state_dict()[name]) for name, value in model.state_dict().items())
    check_outputs(model, net)


def check_outputs(model, net):
    x = torch.rand(20, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        expected = net.double()(x)
    torch.testing.assert_close(model.double().forward(x), expected, rtol=0, atol=1e-14)


# files that are refused


def test_missing_file(tmp_path):
    assert "nothing.safetensors" in refusal(network(), tmp_path / "nothing.safetensors")
    assert "No such file" in refusal(network(), str(tmp_path / "no folder" / "file"))


def test_directory(tmp_path):
    assert "directory" in refusal(network(), tmp_path)


def test_file_cut_off_at_every_length(tmp_path):
    path = tmp_path / "model.safetensors"
    gn.save_weights(network(), path)
    data = path.read_bytes()
    model = network(seed=1)
    for length in range(len(data)):
        path.write_bytes(data[:length])
        assert "model.safetensors is not an intact safetensors file" in refusal(model, path)
    path.write_bytes(data + b"\0")
    refusal(model, path)


def test_file_of_random_bytes(tmp_path):
    path, model, source = tmp_path / "noise", network(), random.Random(0)
    for length in (0, 1, 7, 8, 9, *(source.randrange(300) for _ in range(100))):
        path.write_bytes(source.randbytes(length))
        assert "not an intact safetensors file" in refusal(model, path)


@pytest.mark.filterwarnings("ignore:.*was saved from another module")  # its text is damaged
def test_damaged_header(tmp_path):
    path = tmp_path / "model.safetensors"
    gn.save_weights(network(), path)
    data, source, model = path.read_bytes(), random.Random(1), network(seed=1)
    end = 8 + struct.unpack("<Q", data[:8])[0]
    for _ in range(300):
        damaged = bytearray(data)
        for place in source.sample(range(end), source.choice([1, 2, 5])):
            damaged[place] = source.randrange(256)
        path.write_bytes(damaged)
        try:
            gn.load_weights(network(), path)  # a change of spaces is no damage
        except gn.LoadError:
            refusal(model, path)


FALSE_HEADERS = [
    b"",
    b"null",
    b"[]",
    b'{"a": 1}',
    b"\xff\xfe",
    b"[" * 5000,
    json.dumps({"a": {"dtype": "F5", "shape": [1], "data_offsets": [0, 4]}}).encode(),
    json.dumps({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}).encode(),
    json.dumps({"a": {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 4]}}).encode(),
    json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 2**40]}}).encode(),
    json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}).encode(),
    json.dumps({"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 4]}}).encode(),
]


@pytest.mark.parametrize("header", FALSE_HEADERS, ids=range(len(FALSE_HEADERS)))
def test_header_that_lies(tmp_path, header):
    path = tmp_path / "file"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    refusal(network(), path)


@pytest.mark.parametrize("length", [0, 1, 2**31, 2**63, 2**64 - 1])
def test_header_of_a_false_length(tmp_path, length):
    path = tmp_path / "file"
    path.write_bytes(struct.pack("<Q", length) + b"{}")
    refusal(network(), path)


def test_every_difference_is_listed(tmp_path):
    state = network().state_dict()
    del state["0.bias"]
    state["0.weight"] = torch.zeros(3, 5)
    state["2.0.weight"] = state["2.0.weight"].double()
    state["3.weight"] = torch.zeros(4)
    state["head.bias"] = torch.zeros(2)
    save_file(state, tmp_path / "other")
    lines = refusal(network(), tmp_path / "other").splitlines()[1:]
    expected = {
        "0.bias": ["missing", "(3,)"],
        "0.weight": ["(3, 5)", "(3, 2)"],
        "2.0.weight": ["float64", "float32"],
        "3.weight": ["(4,)", "(1, 4)"],
        "head.bias": ["unknown"],
    }
    found = dict(line.strip().split(": ", 1) for line in lines)
    assert sorted(found) == sorted(expected)
    for name, words in expected.items():
        assert [word for word in words if word not in found[name]] == []


# writing


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_mode_of_a_file_is_kept(tmp_path, mode):
    path = tmp_path / "model"
    path.write_bytes(b"old")
    path.chmod(mode)
    gn.save_weights(network(), path)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    gn.load_weights(network(seed=1), path)


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_mode_of_a_new_file_follows_the_mask(tmp_path, mask):
    before = os.umask(mask)
    try:
        gn.save_weights(network(), tmp_path / "model")
    finally:
        found = os.umask(before)
    assert found == mask
    assert stat.S_IMODE((tmp_path / "model").stat().st_mode) == 0o666 & ~mask


@pytest.mark.parametrize("exists", [True, False])
def test_symlink_is_kept(tmp_path, exists):
    (tmp_path / "folder").mkdir()
    target, link = tmp_path / "folder" / "target", tmp_path / "link"
    if exists:
        target.write_bytes(b"old")
    link.symlink_to(target)
    gn.save_weights(network(), link)
    assert link.is_symlink()
    assert not target.is_symlink()
    other = network(seed=1)
    gn.load_weights(other, target)
    assert equal(other, network())
    assert names_in(tmp_path) == ["folder", "link"]
    assert names_in(target.parent) == ["target"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, MemoryError])
@pytest.mark.parametrize(("owner", "name"), [(os, "fsync"), (Path, "chmod"), (Path, "replace")])
def test_interrupted_writing_leaves_the_old_file(tmp_path, monkeypatch, owner, name, error):
    path = tmp_path / "model"
    gn.save_weights(network(), path)
    data = path.read_bytes()

    def stop(*_):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, stop)
        with pytest.raises(error):
            gn.save_weights(network(seed=1), path)
    assert path.read_bytes() == data
    assert names_in(tmp_path) == ["model"]
    gn.save_weights(network(seed=1), path)
    assert path.read_bytes() != data


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "model.bin", "a.b.pkl"])
def test_a_name_of_a_file_of_torch_is_refused(tmp_path, name):
    with pytest.raises(gn.GraphError, match=rf"{name} looks like .* Name it .*\.safetensors"):
        gn.save_weights(network(), tmp_path / name)
    assert names_in(tmp_path) == []


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "no folder" / "model", tmp_path / "folder"):
        with pytest.raises(OSError, match="folder"):
            gn.save_weights(network(), path)
    assert names_in(tmp_path) == ["folder"]
    assert names_in(tmp_path / "folder") == []
