"""Rows for `graphnet.ops.recurrent`: loops of torch's cells, and of products of matrices."""

from __future__ import annotations

import torch
from ops.cases import Case

from graphnet.ops.recurrent import LinearScan, RecurrentScan

CELLS = {
    "tanh": torch.ops.aten.rnn_tanh_cell,
    "relu": torch.ops.aten.rnn_relu_cell,
    "lstm": torch.ops.aten.lstm_cell,
    "gru": torch.ops.aten.gru_cell,
}
GATES = {"tanh": 1, "relu": 1, "lstm": 4, "gru": 3}
FINITE = (0.0, 1.0, -1.0, 0.5)


def scan(kind):
    """torch's cell, step by step; the map of the input is the input itself, by an identity."""

    def function(x, weight, bias, start, mask):
        eye = torch.eye(x.shape[-1], dtype=x.dtype)
        bias = torch.zeros_like(x[0, 0]) + bias
        state, found = start.unbind(1), []
        for place, given in enumerate(x):
            hx = state if kind == "lstm" else state[0]
            after = CELLS[kind](given, hx, eye, weight, torch.zeros_like(bias), bias)
            after = after if kind == "lstm" else (after,)
            counts = mask if mask is True else mask[place]
            if counts is not True:
                after = [torch.where(counts, *pair) for pair in zip(after, state, strict=True)]
            state = tuple(after)
            found.append(torch.stack(state, 1))
        return torch.stack(found)

    return function


def linear(reverse):
    """Products with the matrices written out."""

    def function(x, kept, gain, weight):
        t, _, s, h = x.shape
        eye = torch.eye(h, dtype=x.dtype)
        matrices = torch.einsum("tnabh,hk->tnahbk", kept, eye)
        taken = torch.einsum("tnagh,ghk->tnahk", gain, weight.reshape(-1, h, h))
        first = torch.zeros(s, dtype=x.dtype)
        first[0] = 1
        matrices = matrices + taken.unsqueeze(-2) * first.view(s, 1)
        found = [x[-1 if reverse else 0]] if t else []
        for place in range(1, t):
            if reverse:
                moved = torch.einsum("nahbk,nah->nbk", matrices[t - place], found[0])
                found.insert(0, x[t - 1 - place] + moved)
            else:
                moved = torch.einsum("nahbk,nbk->nah", matrices[place], found[-1])
                found.append(x[place] + moved)
        return torch.stack(found) if found else x * 1

    return function


ROWS = [
    *(
        Case(
            RecurrentScan(kind),
            scan(kind),
            ((3, 2, 2 * GATES[kind]), (2 * GATES[kind], 2), bias, (2, states, 2), mask),
            edges=FINITE,
            kinds={4: torch.bool},
            edge_gradients=kind != "relu",  # which is at its kink where all numbers are 0
        )
        for kind, states in (("tanh", 1), ("relu", 1), ("lstm", 2), ("gru", 1))
        for bias, mask in (((2 * GATES[kind],), (3, 2, 1)), (0.0, True))
    ),
    *(
        Case(
            LinearScan(reverse),
            linear(reverse),
            ((t, 2, s, 2), (t, 2, s, s, 2), (t, 2, s, gates, 2), (2 * gates, 2)),
            edges=FINITE,
        )
        for t, s, gates in ((3, 2, 4), (4, 1, 3), (1, 1, 1), (0, 1, 1))
        for reverse in (False, True)
    ),
]
