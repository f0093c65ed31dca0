"""The flat arena of the parameters."""

from __future__ import annotations

import copy

import pytest
import torch
from optim.torch_pairs import MEMORY, TorchPair, network, torch_network

import graphnet as gn
from graphnet.optim import Optimizer


def test_all_values_lie_side_by_side_in_one_buffer():
    model = network()
    before = model.state_dict()
    gn.SGD(model.parameters())
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter.top)
    for field in ("top", "grad"):
        tensors = [getattr(parameter, field) for parameter in model.parameters()]
        assert len({tensor.untyped_storage().data_ptr() for tensor in tensors}) == 1
        offset = 0
        for tensor in tensors:
            assert tensor.storage_offset() == offset
            assert tensor.is_contiguous()
            offset += tensor.numel()
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("layers", [1, 20])
def test_the_number_of_updates_does_not_grow_with_the_layers(layers):
    calls = []

    class Counting(Optimizer):
        def update(self, group, step, value, grad):
            calls.append((step, value.numel()))

    model = gn.Sequential(*(gn.Linear(3, 3) for _ in range(layers)))
    optimizer = Counting(model.parameters(), lr=0.1)
    for _ in range(2):
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter.top)
        optimizer.step()
    assert calls == [(1, 12 * layers), (2, 12 * layers)]


GROUPS = {
    "same": [(0, 1, 2, 3), (0, 1, 2, 3)],
    "overlapping": [(0, 1, 2), (1, 2, 3)],
    "reordered": [(0, 1, 2, 3), (2, 0, 3, 1)],
    "subset": [(0, 1, 2, 3), (1,), (0, 3)],
    "later arena is larger": [(1, 2), (0, 1, 2, 3)],
}


@pytest.mark.parametrize("groups", GROUPS.values(), ids=GROUPS.keys())
@pytest.mark.parametrize(("kind", "options"), MEMORY, ids=str)
def test_optimizers_that_share_parameters(groups, kind, options):
    both = TorchPair([(3, 2), (4,), (2,), (2, 2)])
    pairs = [both.optimizers(kind, options, groups[0])]
    both.step(*pairs[0])
    pairs += [both.optimizers(kind, options, group) for group in groups[1:]]
    for round_ in range(12):
        both.step(*pairs[round_ * 7 % len(pairs)])
        both.check()


@pytest.mark.parametrize(("kind", "options"), MEMORY, ids=str)
def test_module_changes_its_type_between_steps(kind, options):
    model = network(torch.float32)
    net = torch_network(model.state_dict()).float()
    ours = getattr(gn, kind)(model.parameters(), **options)
    theirs = getattr(torch.optim, kind)(net.parameters(), **options)
    generator = torch.Generator().manual_seed(1)
    for dtype in (torch.float32, torch.float64, torch.float32):
        model.to(dtype)
        memory = theirs.state_dict()
        theirs = getattr(torch.optim, kind)(net.to(dtype).parameters(), **options)
        theirs.load_state_dict(memory)  # brings the memory to the new type
        for _ in range(4):
            for mine, other in zip(model.parameters(), net.parameters(), strict=True):
                other.grad = torch.randn(other.shape, generator=generator, dtype=dtype)
                mine.grad = other.grad
            ours.step()
            theirs.step()
    for mine, other in zip(model.parameters(), net.parameters(), strict=True):
        assert mine.top.dtype is torch.float32
        # float32 rounds at 6e-8; a lost memory would differ by 1e-2
        torch.testing.assert_close(mine.top, other.detach(), rtol=0, atol=2e-6)


@pytest.mark.parametrize(("kind", "options"), MEMORY, ids=str)
def test_a_copy_of_model_and_optimizer_goes_on_by_itself(kind, options):
    both = TorchPair()
    pair = both.optimizers(kind, options)
    both.step(*pair)
    other = copy.deepcopy(both)
    other.ours, other.theirs, *others = copy.deepcopy((both.ours, both.theirs, *pair))
    for _ in range(3):
        other.step(*others)
        other.check()
    both.check()  # the first ones have not moved
    both.step(*pair)
    both.check()
