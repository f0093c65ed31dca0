"""Attention and look-ups as layers beside torch.nn."""

from __future__ import annotations

import pytest
import torch
from layers.steps import CLOSE, assert_same_step, pair

import graphnet as gn


@pytest.mark.parametrize("padding", [None, 0, -1])
def test_embedding_is_that_of_torch(padding):
    ours, theirs = pair("Embedding", 5, 3, padding)
    assert repr(ours) == repr(theirs)
    for labels in (torch.tensor([[0, 4], [4, 4]]), torch.tensor(4), torch.empty(0, 2).long()):
        assert_same_step(ours, theirs, [labels])


ATTENTIONS = [
    ({}, {}),
    ({"batch_first": True, "bias": False}, {"average_attn_weights": False}),
    ({"kdim": 6, "vdim": 3}, {}),
    ({"batch_first": True}, {"need_weights": False}),
    ({}, {"attn_mask": torch.ones(4, 5).triu(1).bool()}),
    ({}, {"attn_mask": torch.randn(6, 4, 5, dtype=torch.float64)}),
    ({}, {"key_padding_mask": torch.tensor([[0, 0, 0, 0, 1], [0] * 5, [1, 0, 0, 1, 1]]).bool()}),
    (
        {"batch_first": True},
        {
            "key_padding_mask": torch.tensor([[0, 0, 0, 0, 1], [0] * 5, [0, 0, 0, 1, 1]]).bool(),
            "attn_mask": torch.ones(4, 5).triu(1).bool(),
            "is_causal": True,
        },
    ),
]


@pytest.mark.parametrize(("options", "settings"), ATTENTIONS)
@pytest.mark.parametrize("batched", [True, False])
def test_attention_is_that_of_torch(options, settings, batched):
    if not batched and settings.get("attn_mask", torch.empty(0)).ndim == 3:
        return
    ours, theirs = pair("MultiheadAttention", 4, 2, **options)
    sizes = [(4, 4), (5, options.get("kdim", 4)), (5, options.get("vdim", 4))]
    if batched:
        first = options.get("batch_first")
        sizes = [(3, n, k) if first else (n, 3, k) for n, k in sizes]
    elif "key_padding_mask" in settings:
        settings = settings | {"key_padding_mask": settings["key_padding_mask"][0]}
    inputs = [torch.randn(size, dtype=torch.float64) for size in sizes]
    for training in (True, False):
        ours.train(training), theirs.train(training)
        assert_same_step(ours, theirs, inputs, **settings)


def test_attention_of_nodes_with_itself():
    ours, theirs = pair("MultiheadAttention", 4, 2, batch_first=True)
    with gn.Graph() as graph:
        x = gn.Input((None, None, 4), name="x", dtype=torch.float64)
        output, weights = ours(x, x, x)
        same, none = ours(x, x, x, need_weights=False)
    assert none is None
    for batch, length in ((2, 3), (1, 5)):
        value = torch.randn(batch, length, 4, dtype=torch.float64)
        tops = graph.forward({"x": value}, outputs=[output, weights, same])
        expected = theirs(value, value, value)
        for top, wanted in zip(tops, (*expected, expected[0]), strict=True):
            torch.testing.assert_close(top, wanted.detach(), **CLOSE)


Q, K = torch.randn(3, 2, 4), torch.randn(5, 2, 4)
PADDING = torch.tensor([[0, 0, 0, 0, 1], [0, 0, 0, 1, 1]]).bool()
MASK = torch.ones(3, 5).triu(1).bool()


def test_arguments_by_place_are_those_of_torch():
    ours, theirs = pair("MultiheadAttention", 4, 2)
    q, k = Q.double(), K.double()
    for settings in ((PADDING,), (PADDING, False), (None, True, MASK, False), (None, True, MASK)):
        tops, expected = ours(q, k, k, *settings), theirs(q, k, k, *settings)
        for top, wanted in zip(tops, expected, strict=True):
            if wanted is None:
                assert top is None
            else:
                torch.testing.assert_close(top, wanted.detach(), **CLOSE)
    torch.testing.assert_close(ours(query=q, key=k, value=k)[0], theirs(q, k, k)[0].detach())


def test_one_graph_serves_batches_of_all_sizes_and_gradients_come_in_a_row():
    for batch_first in (True, False):
        ours, theirs = pair("MultiheadAttention", 4, 2, batch_first=batch_first)
        kept = None
        for batch in (2, 5, 1):
            shape = (batch, 3, 4) if batch_first else (3, batch, 4)
            assert_same_step(ours, theirs, [torch.randn(shape, dtype=torch.float64)] * 3)
            assert kept is None or ours._private is kept
            kept = ours._private
        mask = torch.zeros(3, 3, dtype=torch.float64)
        x = torch.randn(3, 2, 4, dtype=torch.float64).transpose(0, int(batch_first))
        top = ours(x, x, x, need_weights=False, attn_mask=mask)[0]
        assert [each.shape for each in ours.backward(torch.ones_like(top))] == [
            *[x.shape] * 3,
            mask.shape,
        ]


def attend(*inputs, **settings):
    return gn.MultiheadAttention(4, 2)(*inputs, **settings)


REFUSED = [
    lambda: gn.Embedding(3, 2, padding_idx=3),
    lambda: gn.Embedding(3, 2).forward(torch.tensor([3])),
    lambda: gn.Embedding(3, 2).forward(torch.tensor([1.0])),
    lambda: gn.MultiheadAttention(5, 2),
    lambda: gn.MultiheadAttention(4, 2)(*[torch.ones(2, 1, 4)] * 3, is_causal=True),
    lambda: gn.MultiheadAttention(4, 2)(*[torch.ones(2, 1, 6)] * 3),
    lambda: gn.MultiheadAttention(4, 2)(torch.ones(2, 1, 4), torch.ones(2, 4), torch.ones(2, 4)),
    lambda: gn.Embedding(3, 2, 1.0),
    lambda: gn.Embedding(3, 2, True),
    lambda: gn.Embedding(3, 2, "a"),
    lambda: gn.Embedding(3, 2, None, 1.0),
    lambda: gn.Embedding(3, 2, norm_type=1.0),
    lambda: gn.Embedding(3, 2, scale_grad_by_freq=True),
    lambda: gn.Embedding(3, 2, sparse=True),
    lambda: gn.MultiheadAttention(4, 2, add_bias_kv="yes"),
    lambda: gn.MultiheadAttention(4, 2, dropout="a"),
    lambda: attend(Q, K, None),
    lambda: attend([1.0], K, K),
    lambda: attend(Q[:, :1], K, K),
    lambda: attend(Q, K[:, :1], K),
    lambda: attend(Q, K[:4], K),
    lambda: attend(Q[..., :3], K, K),
    lambda: attend(Q.double(), K, K),
    lambda: attend(Q.long(), K.long(), K.long()),
    lambda: attend(Q, K, K, PADDING[:1]),
    lambda: attend(Q, K, K, PADDING[0]),
    lambda: attend(Q, K, K, PADDING.long()),
    lambda: attend(Q, K, K, [[0.0]]),
    lambda: attend(Q[:, 0], K[:, 0], K[:, 0], PADDING),
    lambda: attend(Q, K, K, attn_mask="a"),
    *(
        lambda mask=mask: attend(Q, K, K, attn_mask=mask)
        for mask in (
            MASK[:1],
            MASK[:, :1],
            MASK[0],
            MASK.expand(2, 3, 5),
            MASK.expand(2, 2, 3, 5),
            MASK.long(),
            MASK.double(),
        )
    ),
]


@pytest.mark.parametrize("call", REFUSED)
def test_wrong_calls_are_refused(call):
    with pytest.raises(gn.GraphError):
        call()
