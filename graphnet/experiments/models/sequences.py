"""Networks that read sequences of tokens: an LSTM classifier, and a transformer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

import graphnet as gn
from graphnet import ops

if TYPE_CHECKING:
    from graphnet.graph import Node

# LSTM


class LSTMClassifier(gn.Module):
    """Classify a sequence of tokens by the last state of an LSTM: (n, length) -> (n, classes)."""

    def __init__(
        self, tokens: int = 5000, width: int = 64, state: int = 128, classes: int = 2
    ) -> None:
        super().__init__()
        self.embedding = gn.Embedding(tokens, width)
        self.lstm = gn.LSTM(width, state, num_layers=2, batch_first=True, dropout=0.2)
        self.dropout = gn.Dropout(0.5)
        self.fc = gn.Linear(state, classes)

    def build(self, tokens: Node) -> Node:
        """Append the network."""
        outputs, _ = self.lstm(self.embedding(tokens))
        return self.fc(self.dropout(outputs[:, -1]))


def lstm_classifier_graph() -> gn.Graph:
    """The LSTM classifier with its loss, for sequences of 12 tokens."""
    with gn.Graph() as graph:
        tokens = gn.Input((None, 12), name="tokens", dtype=torch.int64)
        t = gn.Input((None,), name="t", dtype=torch.int64)
        gn.LossCrossEntropy()(LSTMClassifier()(tokens), t)
    return graph


# transformer


class TransformerBlock(gn.Module):
    """Attention, then two layers for each position, both with a shortcut; normalized before.

    Shapes: x (n, length, width), of the same shape as the output.
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.norm1 = gn.LayerNorm(width)
        self.attention = gn.MultiheadAttention(width, heads, batch_first=True)
        self.norm2 = gn.LayerNorm(width)
        self.mlp = gn.Sequential(
            gn.Linear(width, 4 * width), gn.GELU(), gn.Linear(4 * width, width), gn.Dropout(dropout)
        )

    def build(self, x: Node) -> Node:
        """Append the block."""
        y = self.norm1(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class Transformer(gn.Module):
    """A transformer of the kind of GPT: (n, length) tokens -> (n, length, tokens) scores."""

    def __init__(
        self,
        tokens: int = 1000,
        length: int = 32,
        width: int = 64,
        heads: int = 4,
        blocks: int = 6,
    ) -> None:
        super().__init__()
        self.tokens = gn.Embedding(tokens, width)
        self.positions = gn.Parameter(torch.zeros(length, width))
        self.blocks = gn.ModuleList([TransformerBlock(width, heads) for _ in range(blocks)])
        self.norm = gn.LayerNorm(width)
        self.head = gn.Linear(width, tokens, bias=False)

    def build(self, tokens: Node) -> Node:
        """Append the network."""
        x = self.tokens(tokens) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def transformer_graph() -> gn.Graph:
    """A transformer of six blocks with its loss: the next token at each position."""
    with gn.Graph() as graph:
        tokens = gn.Input((None, 32), name="tokens", dtype=torch.int64)
        t = gn.Input((None, 32), name="t", dtype=torch.int64)
        scores = Transformer()(tokens)
        gn.LossCrossEntropy()(ops.transpose(scores, 1, 2), t)
    return graph
