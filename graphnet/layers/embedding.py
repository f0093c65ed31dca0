"""A table of vectors as a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import empty

from graphnet import init, ops
from graphnet.errors import RangeError
from graphnet.graph import Parameter
from graphnet.layers.linear import require_size
from graphnet.layers.module import Module

if TYPE_CHECKING:
    from torch import device, dtype

    from graphnet.graph import Node


class Embedding(Module):
    """The rows of a learned table that whole numbers name.

    Shapes: labels (...), int64 or int32 -> (..., embedding_dim); weight (num_embeddings,
    embedding_dim). First values are normal, as in torch.nn.

    Args:
        num_embeddings: the number of rows.
        embedding_dim: the size of each row.
        padding_idx: a row that is zeros at first and does not learn; may count from the end.
        device: where the table is kept.
        dtype: its number type.

    Raises:
        ShapeError: a size is not a whole number of 1 or more.
        RangeError: `padding_idx` or a label is not the number of a row.

    >>> from torch import empty
    >>> Embedding(10, 3, padding_idx=0).forward(empty(1).zero_().long())
    tensor([[0., 0., 0.]])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        device: device | str | None = None,
        dtype: dtype | None = None,
    ) -> None:
        require_size(num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise RangeError(
                    f"padding_idx is the number of one of {num_embeddings} rows; "
                    f"{padding_idx!r} came."
                )
            padding_idx %= num_embeddings
        self.padding_idx = padding_idx
        weight = init.normal_(empty(num_embeddings, embedding_dim, device=device, dtype=dtype))
        if padding_idx is not None:
            weight[padding_idx].zero_()
        self.weight = Parameter(weight)

    def build(self, labels: Node) -> Node:
        """Append the look-up."""
        return ops.embedding(labels, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        """The sizes of the table."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
