"""A table of vectors, of which each bag of integers selects several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet import ops
from graphnet.layers.embedding import Embedding
from graphnet.validation import require_choice, require_flags

if TYPE_CHECKING:
    from torch import device, dtype

    from graphnet.graph import Node


class EmbeddingBag(Embedding):
    """The sum, mean or maximum of the rows of a learned table that each bag of integers selects.

    `bag(labels)` takes the rows of a matrix as bags, `bag(labels, offsets)` the parts of a vector.
    Shapes: labels (n, m), or (m) with offsets (n) -> (n, embedding_dim); weight (num_embeddings,
    embedding_dim).

    Args:
        num_embeddings: the number of rows.
        embedding_dim: the size of each row.
        max_norm: not supported; must be None.
        norm_type: not supported; must be 2.
        scale_grad_by_freq: not supported; must be False.
        mode: "sum", "mean" or "max".
        sparse: not supported; must be False.
        include_last_offset: True if the last offset is the end of the last bag.
        padding_idx: a row that starts as zeros, does not learn and does not count.
        device: the device of the table.
        dtype: the dtype of the table.

    Raises:
        ShapeError: a size is not an integer of 1 or more.
        RangeError: `padding_idx` is not the index of a row.
        GraphError: an option is not supported.

    >>> from torch import empty
    >>> EmbeddingBag(10, 3, padding_idx=0).forward(empty(1, 2).zero_().long())
    tensor([[0., 0., 0.]])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        *,
        device: device | str | None = None,
        dtype: dtype | None = None,
    ) -> None:
        rest = (padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
        super().__init__(num_embeddings, embedding_dim, *rest, device=device, dtype=dtype)
        self.mode = require_choice("mode", mode, ("sum", "mean", "max"))
        require_flags(include_last_offset=include_last_offset)
        self.include_last_offset = include_last_offset

    def build(
        self, labels: Node, offsets: Node | None = None, per_sample_weights: Node | None = None
    ) -> Node:
        """Append the look-up and the reduction."""
        return ops.embedding_bag(
            labels,
            self.weight,
            offsets,
            mode=self.mode,
            per_sample_weights=per_sample_weights,
            include_last_offset=self.include_last_offset,
            padding_idx=self.padding_idx,
        )

    def extra_repr(self) -> str:
        """The sizes of the table, and the mode."""
        return f"{super().extra_repr()}, mode={self.mode!r}"
