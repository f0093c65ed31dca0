"""What cannot be imported is an error that says all of it, and leaves the torch module alone."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import pytest
import torch
from torch import nn

import graphnet as gn


class DataBranch(nn.Module):
    def forward(self, x):
        return x * 2 if x.sum() > 0 else x


class Nonzero(nn.Module):
    def forward(self, x):
        return x[torch.nonzero(x[:, 0]).squeeze(1)]


class Unknown(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(4, 4), Inner())

    def forward(self, x):
        return torch.lgamma(self.inner(x)) + torch.erfinv(x)


class Fourier(nn.Module):
    def forward(self, x):
        return torch.fft.fft(x).real


class Inner(nn.Module):
    def forward(self, x):
        return torch.digamma(x)


class ForeignWrite(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x):
        self.seen += x.mean()
        return x * 2


class Stem(nn.Module):
    def __init__(self):
        super().__init__()
        self.main, self.extra = nn.Linear(4, 2), nn.Linear(4, 2)

    def forward(self, x):
        y = self.main(x)
        return (y, self.extra(x)) if self.training else y


class OtherSum(nn.Module):
    def forward(self, x):
        return x + 1 if self.training else x + 2


class Chunks(nn.Module):
    def forward(self, x):
        x = x * 2
        for part in x.chunk(2, 1):
            part.add_(1)
        return x


class Detached(nn.Module):
    def forward(self, x):
        x = x * 2
        x.detach().add_(1)
        return x


class Untracked(nn.Module):
    def forward(self, x):
        x = x * 2
        with torch.no_grad():
            x.mul_(3)
        return x


class Masked(nn.Module):
    def forward(self, x):
        return x[x > 0].sum()


class GroupsOfRows(nn.Module):
    def forward(self, x):
        kernels = torch.ones(x.shape[0], 1, 1, dtype=x.dtype)
        return nn.functional.conv1d(x[None], kernels, groups=x.shape[0])


class Opposite(torch.autograd.Function):
    """x, with the opposite gradient."""

    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):
        return -grad


class OwnBackward(nn.Module):
    def forward(self, x):
        return Opposite.apply(x * 2)


FOUR = (torch.ones(3, 4),)
REFUSED = {
    "a branch on data": (DataBranch(), "branches on values"),
    "nonzero": (Nonzero(), "nonzero"),
    "a buffer that is written": (ForeignWrite(), "writes to 'seen'"),
    "another structure in training": (Stem(), "in training"),
    "other numbers in training": (OtherSum(), "in training"),
    "a backward of its own": (OwnBackward(), "Opposite is a torch.autograd.Function"),
    "writes into chunks": (Chunks(), "writing into a part"),
    "writes into what is detached": (Detached(), "that detach gives"),
    "writes without gradients": (Untracked(), "under torch.no_grad"),
    "a Fourier transform": (Fourier(), "fft"),
    "groups of the batch": (GroupsOfRows(), "may not depend on the size of the batch.*F.unfold"),
    "a mask as an index": (Masked(), "aten.index.Tensor"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, capfd):
    module, expected = REFUSED[name]
    before = {key: value.clone() for key, value in module.state_dict().items()}
    module.train(name.startswith("a"))
    modes = [each.training for each in module.modules()]
    with pytest.raises(gn.GraphError, match=expected):
        gn.from_torch(module, *FOUR)
    assert [each.training for each in module.modules()] == modes
    assert all(torch.equal(module.state_dict()[key], value) for key, value in before.items())
    assert capfd.readouterr() == ("", "")  # torch prints its whole program otherwise


def test_all_unknown_operations_are_listed_at_once():
    with pytest.raises(gn.GraphError) as caught:
        gn.from_torch(Unknown(), *FOUR)
    text = str(caught.value)
    assert "Unknown uses" in text
    assert "aten.digamma.default in inner.1" in text
    assert "(Inner)" in text
    assert "aten.lgamma.default" in text
    assert "aten.erfinv.default" in text
    line = Inner.forward.__code__.co_firstlineno + 1
    assert f"{__file__}:{line}" in text


def test_it_takes_torch_modules_alone():
    with pytest.raises(gn.GraphError, match=r"takes a torch\.nn\.Module"):
        gn.from_torch(gn.Linear(2, 3), torch.ones(1, 2))


def does(function):
    """A module whose forward is a function of its inputs."""

    class Does(nn.Module):
        def forward(self, *xs):
            return function(*xs)

    return Does()


@dataclass
class Result:
    value: torch.Tensor


class Packed(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(4, 3, batch_first=True)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
        return self.rnn(packed)[1]


def fails(x):
    raise ValueError("of its own")


WRONG = {
    "no forward": (nn.Module, FOUR, "Module has no forward"),
    "too many": (lambda: nn.Linear(4, 2), FOUR * 2, r"Linear\.forward\(.*got 2 examples: too many"),
    "too few": (lambda: nn.Linear(4, 2), (), "got 0 examples: missing a required argument"),
    "sizes that do not fit": (
        lambda: nn.Linear(3, 2),
        FOUR,
        r"Linear itself fails on these examples: RuntimeError: .*\(3x4 and 3x2\)\. from_torch",
    ),
    "another dtype": (lambda: nn.Embedding(4, 2), FOUR, "itself fails on these examples"),
    "an error": (lambda: does(fails), FOUR, "Does itself fails.*: ValueError: of its own"),
    "no tensor": (lambda: nn.Linear(4, 2), ([1.0, object()],), "takes tensors and .*got object"),
    "a dataclass": (lambda: does(Result), FOUR, r"register_dataclass\(Result\) registers"),
    "a set": (lambda: does(lambda x: {x}), FOUR, "returns set: outputs are tensors in tuples"),
    "no sizes yet": (lambda: nn.LazyLinear(3), FOUR, "call it once on the examples"),
    "numpy": (lambda: does(lambda x: torch.from_numpy(x.numpy())), FOUR, "reads the memory"),
    "a copy": (lambda: does(deepcopy), FOUR, r"reads the memory .*such as clone\(\)"),
    "a sparse tensor": (lambda: does(lambda x: x.to_sparse()), FOUR, "uses sparse tensors"),
    "several devices": (lambda: nn.DataParallel(nn.Linear(4, 2)), FOUR, "import its `module`"),
    "packed sequences": (
        Packed,
        (torch.ones(3, 5, 4), torch.tensor([5, 3, 2])),
        "Packed packs sequences",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_error_says_the_rule_and_the_way_out(name, capfd):
    make, examples, expected = WRONG[name]
    with pytest.raises(gn.GraphError, match=expected) as caught:
        gn.from_torch(make(), *examples)
    assert not any(word in str(caught.value) for word in ("dynamic_shapes", "pytree", "FakeTensor"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("dynamic", [0, [0], [(0,), (1,)]])
def test_open_dimensions_are_given_for_each_tensor(dynamic):
    with pytest.raises(gn.GraphError, match="dynamic names the open dimensions of each tensor"):
        gn.from_torch(nn.Linear(4, 2), *FOUR, dynamic=dynamic)


class Everything(nn.Module):
    def __init__(self):
        super().__init__()
        self.bn, self.fc = nn.BatchNorm1d(4, momentum=None), nn.Linear(4, 4)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        x += 1
        return self.drop(self.fc(self.bn(x)))


def test_the_module_is_left_as_it_was():
    module = Everything()
    module.bn.eval()
    module.fc.weight.requires_grad_(False)
    x, state = torch.randn(5, 4), torch.get_rng_state()
    before = {key: value.clone() for key, value in module.state_dict().items()}
    given = x.clone()
    gn.from_torch(module, x)
    gn.compare_with_torch(module, x)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(x, given)
    assert [each.training for each in module.modules()] == [True, False, True, True]
    assert module.bn.momentum is None
    assert [each.requires_grad for each in module.parameters()] == [True, True, False, True]
    assert all(each.grad is None for each in module.parameters())
    for key, value in module.state_dict().items():
        assert torch.equal(before[key], value)


def test_functions_of_autograd_work_again_after_a_recording():
    apply = torch.autograd.Function.__dict__.get("apply")
    with pytest.raises(gn.GraphError, match=r"x\.detach\(\) - x"):
        gn.from_torch(OwnBackward(), torch.ones(3, 4))
    assert torch.autograd.Function.__dict__.get("apply") is apply
    x = torch.ones(3, requires_grad=True)
    Opposite.apply(x).sum().backward()
    assert torch.equal(x.grad, -torch.ones(3))


def test_the_way_out_of_a_backward_of_its_own():
    class Reversed(nn.Module):
        def forward(self, x):
            y = x * 2
            return 2 * y.detach() - y

    x = torch.rand(3, 4, dtype=torch.float64)
    assert gn.compare_with_torch(Reversed(), x)
    graph, y = gn.from_torch(Reversed(), x).as_graph()
    graph.inputs[0].requires_grad = True
    graph.forward(x=x)
    graph.backward(y, torch.ones_like(x))
    assert torch.equal(y.top, 2 * x)
    assert torch.equal(graph.inputs[0].grad, torch.full_like(x, -2))
