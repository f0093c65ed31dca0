"""Trees of dicts as JSON beside tensors."""

from __future__ import annotations

import pytest
import torch

from graphnet.train.checkpoints import packed, unpacked


@pytest.mark.parametrize(
    "tree",
    [
        {"a": [1, 2.5, None, "x", True], "b": (1, (2, ()))},
        {"t": torch.arange(3), "deep": {"u": [torch.ones(()), {"v": torch.zeros(0, 2)}]}},
        {"a": {"b": torch.ones(1)}, "a.b": torch.zeros(1), "a.b'": torch.arange(2)},
        {"$tensor": "no mark"},
        {"$tuple": [1], "$": {"$$tensor": torch.ones(1)}},
    ],
    ids=["values", "tensors", "names that meet", "a key like a mark", "keys like marks"],
)
def test_a_tree_is_the_same_after_packing(tree):
    values, tensors = packed(tree)
    assert repr(unpacked(values, tensors)) == repr(tree)


def test_a_tensor_that_is_missing():
    with pytest.raises(KeyError):
        unpacked({"a": {"$tensor": "a"}}, {})
