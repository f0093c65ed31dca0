"""What the normalizations refuse: when they are built, or where sizes are unknown, when fed."""

from __future__ import annotations

import pytest
import torch

import graphnet as gn
from graphnet import ops

X = torch.ones(4, 3)
REFUSED = [
    lambda: ops.batch_norm(X, None, None),
    lambda: ops.batch_norm(X, torch.ones(3), None, training=True),
    lambda: ops.batch_norm(X, torch.ones(2), torch.ones(2)),
    lambda: ops.batch_norm(X, torch.ones(1), torch.ones(1)),
    lambda: ops.batch_norm(X, torch.ones(3), torch.ones(3), torch.ones(1)),
    lambda: ops.batch_norm(X[:1], torch.ones(3), torch.ones(3), training=True),
    lambda: ops.batch_norm(X[0], None, None, training=True),
    lambda: ops.batch_norm(X, torch.ones(3), torch.ones(3), training=True, momentum=None),
    lambda: ops.batch_norm(X, torch.ones(3), torch.ones(3), eps=-1.0),
    lambda: ops.batch_norm(X, torch.ones(3), torch.ones(3), training=True, eps=0.0),
    lambda: ops.batch_norm(X, torch.ones(3), torch.ones(3), eps="a"),
    lambda: ops.batch_norm(X, torch.ones(3), torch.ones(3), eps=None),
    lambda: ops.batch_norm(X, torch.ones(3), torch.ones(3), momentum="a"),
    lambda: ops.batch_norm(X, torch.ones(3), torch.ones(3), training="yes"),
    lambda: ops.batch_norm(X, torch.ones(3), torch.ones(3), 2.0),
    lambda: ops.batch_norm(X, [0.0] * 3, [1.0] * 3),
    lambda: ops.batch_norm(X, torch.ones(3), torch.ones(3).double()),
    lambda: ops.batch_norm(X.double(), torch.ones(3), torch.ones(3)),
    lambda: ops.batch_norm(X, torch.ones(3).long(), torch.ones(3).long()),
    lambda: ops.instance_norm(X),
    lambda: ops.instance_norm(X[..., None].expand(4, 3, 2), momentum=None),
    lambda: ops.instance_norm(X[..., None].expand(4, 3, 2), eps="a"),
    lambda: ops.instance_norm(X[..., None].expand(4, 3, 2), use_input_stats=1),
    lambda: ops.instance_norm(X[..., None], use_input_stats=False),
    lambda: ops.group_norm(X, 2),
    lambda: ops.group_norm(X, 0),
    lambda: ops.group_norm(X[0], 1),
    lambda: ops.group_norm(X[:1, :1], 1),
    lambda: ops.group_norm(X, 1.0),
    lambda: ops.group_norm(X, "1"),
    lambda: ops.group_norm(X, True),
    lambda: ops.group_norm(X, 1, 2.0),
    lambda: ops.group_norm(X, 1, eps=None),
    lambda: ops.group_norm(X.double(), 1, torch.ones(3)),
    lambda: ops.group_norm(torch.ones(2, 0), 1),
    lambda: ops.group_norm(torch.ones(2, 6, 0), 2),
    lambda: ops.layer_norm(X, ()),
    *(
        lambda ends=ends: ops.layer_norm(X, ends)
        for ends in (
            3,
            3.0,
            "3",
            None,
            (3.0,),
            (None,),
            ("a",),
            {3},
            range(3, 4),
            torch.tensor([3]),
        )
    ),
    lambda: ops.layer_norm(X[:, :1], (True,)),
    lambda: ops.layer_norm(X, (-1,)),
    lambda: ops.layer_norm(X, (3,), [1.0] * 3),
    lambda: ops.layer_norm(X, (3,), torch.ones(3).double()),
    lambda: ops.layer_norm(X, (3,), eps=None),
    lambda: ops.layer_norm(X, (3,), eps="a"),
    lambda: ops.layer_norm(X, (4,)),
    lambda: ops.layer_norm(X, (3,), torch.ones(1)),
    lambda: ops.rms_norm(X, (2, 4, 3)),
    lambda: ops.rms_norm(X, (3,), torch.ones(1)),
    lambda: ops.rms_norm(X, (3,), torch.ones(3).double()),
    lambda: ops.rms_norm(X, (3,), eps="a"),
    *(
        lambda norm=norm, x=x: norm(x)
        for norm in (
            lambda x: ops.batch_norm(x, None, None, training=True),
            ops.instance_norm,
            lambda x: ops.group_norm(x, 1),
            lambda x: ops.layer_norm(x, (3,)),
            lambda x: ops.rms_norm(x, (3,)),
        )
        for x in (X.long(), X.bool(), [[1.0, 2.0, 3.0]], "x", 2.0, None, X[0, 0])
    ),
]


@pytest.mark.parametrize("call", REFUSED)
def test_wrong_calls_are_refused(call):
    with pytest.raises(gn.GraphError):
        call()


def test_sizes_unknown_when_built_are_checked_when_fed():
    graph = gn.Graph()
    x = graph.input((None, None), name="x")
    y = ops.batch_norm(x, None, None, graph.parameter(torch.ones(1)), None, True)
    with pytest.raises(gn.ShapeError, match="sizes"):
        graph.forward({x: X}, outputs=y)
    for size in (1, 2):
        graph = gn.Graph()
        x, bias = graph.input((None, None), name="x"), graph.input((None,), name="bias")
        for norm in (
            ops.group_norm(x, 1, None, bias),
            ops.batch_norm(x, None, None, None, bias, True),
        ):
            with pytest.raises(gn.ShapeError, match="sizes"):
                graph.forward({x: X, bias: torch.ones(size)}, outputs=norm)
    graph = gn.Graph()
    x = graph.input((None, None, None), name="x")
    with pytest.raises(gn.ShapeError, match="value"):
        graph.forward({x: torch.ones(2, 6, 0)}, outputs=ops.group_norm(x, 2))
    graph = gn.Graph()
    x = graph.input((None, 3), name="x")
    y = ops.batch_norm(x, None, None, training=True)
    with pytest.raises(gn.ShapeError, match="more than one value"):
        graph.forward(x=X[:1])


def test_only_buffers_are_written_to():
    graph = gn.Graph()
    x, fed = graph.input((4, 3), name="x"), graph.input((3,), name="fed")
    with pytest.raises(gn.GraphError, match="buffer"):
        ops.batch_norm(x, fed, fed, training=None)
    learned = graph.parameter(torch.ones(3))
    with pytest.raises(gn.GraphError, match="buffer"):
        ops.batch_norm(x, learned, learned, training=True)
