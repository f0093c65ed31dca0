"""What several ops share, in a class that is no op itself."""

from __future__ import annotations

import pytest
import torch

from graphnet.op import Op


class Scaled(Op, abstract=True):
    """An option, a trait and a rule."""

    factor: float = 2.0
    elementwise = True
    grad_x = None


class Moved(Scaled):
    """y = factor x + shift."""

    symbol = "?"
    shift: float = 0.0

    def forward(self, x):
        return x * self.factor + self.shift


def test_an_op_has_what_its_abstract_class_shares():
    assert Moved.option_names == ("factor", "shift")
    assert Moved(3.0, shift=1.0)(torch.ones(1)) == 4
    assert repr(Moved(shift=1.0)) == "Moved(shift=1.0)"
    assert Moved.elementwise
    assert Moved.rules == {"x": None}


def test_an_op_class_is_final_below_an_abstract_class_too():
    with pytest.raises(TypeError, match="final"):
        type("Further", (Moved,), {})
