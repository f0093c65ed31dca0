"""Small states, how they are compared bit by bit, and how a forger would change a checkpoint."""

from __future__ import annotations

import json
import struct
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from graphnet.errors import LoadError
from graphnet.train.checkpoint_file import State, read_state


def small(step=3):
    """A state whose files have a few hundred bytes."""
    tensors = {
        "model.0.weight": torch.arange(6.0).reshape(2, 3) + step,
        "random": torch.tensor([step, 255], dtype=torch.uint8),
    }
    return State(step, tensors, {"lr": 0.1, "epoch": step, "best": float("nan"), "order": [2, 0]})


def bits(state):
    """The whole of a state, as values that can be compared; NaN is equal to itself."""
    return state.step, _plain(state.values), {n: tensor_bits(t) for n, t in state.tensors.items()}


def tensor_bits(tensor):
    raw = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
    return tensor.dtype, tuple(tensor.shape), raw.view(torch.uint8).tolist()


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return (type(value), struct.pack("d", value) if isinstance(value, float) else value)


def names_in(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def refusal(path):
    """The message of a checkpoint that must not be loaded."""
    with pytest.raises(LoadError) as error:
        read_state(path)
    assert str(path) in str(error.value)
    assert len(str(error.value)) < 1_000
    return str(error.value)


# forgeries: the checksums are right, so that it takes more than these to find them


def dumped(tree):
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def sealed(tree):
    """The text of a tree, with the SHA-256 that belongs to it."""
    if not isinstance(tree, dict) or "sha256" not in tree:
        return dumped(tree)
    rest = {key: value for key, value in tree.items() if key != "sha256"}
    return dumped({**rest, "sha256": sha256(dumped(rest)).hexdigest()})


def forge_text(folder, change):
    """Let a function change the tree of state.json, or return another one."""
    path = Path(folder) / "state.json"
    tree = json.loads(path.read_bytes())
    other = change(tree)
    path.write_bytes(sealed(tree if other is None else other))


def forge_tensors(folder, data, about):
    """Put another tensor file into a checkpoint, with matching checksums."""
    (Path(folder) / "tensors.safetensors").write_bytes(data)

    def change(tree):
        tree["tensors"], tree["file"] = about, sha256(data).hexdigest()

    forge_text(folder, change)


def tensor_file(header, body=bytes(24)):
    """A safetensors file with any header."""
    text = header if isinstance(header, bytes) else dumped(header)
    return struct.pack("<Q", len(text)) + text + body


def about(body=bytes(24), dtype="F32", shape=(6,)):
    return {"dtype": dtype, "shape": list(shape), "sha256": sha256(body).hexdigest()}


def honest_file():
    return save({"a": torch.zeros(6)})
