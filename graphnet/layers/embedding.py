"""A table of vectors as a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import empty

from graphnet import init, ops
from graphnet.errors import ShapeError, brief
from graphnet.graph import Parameter
from graphnet.layers.module import Module
from graphnet.ops.embedding import refuse_unsupported, row_number
from graphnet.validation import require_counts

if TYPE_CHECKING:
    from torch import Tensor, device, dtype

    from graphnet.graph import Node


class Embedding(Module):
    """The rows of a learned table that integers select.

    Shapes: labels (...), int64 or int32 -> (..., embedding_dim); weight (num_embeddings,
    embedding_dim). Initial values are normal, as in torch.nn.

    Args:
        num_embeddings: the number of rows.
        embedding_dim: the size of each row.
        padding_idx: a row that starts as zeros and does not learn; may count from the end.
        max_norm: not supported; must be None.
        norm_type: not supported; must be 2.
        scale_grad_by_freq: not supported; must be False.
        sparse: not supported; must be False.
        device: the device of the table.
        dtype: the dtype of the table.

    Raises:
        ShapeError: a size is not an integer of 1 or more.
        RangeError: `padding_idx` or a label is not the index of a row.
        GraphError: an option is not supported, or `padding_idx` is not an integer.

    >>> from torch import empty
    >>> Embedding(10, 3, padding_idx=0).forward(empty(1).zero_().long())
    tensor([[0., 0., 0.]])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        *,
        device: device | str | None = None,
        dtype: dtype | None = None,
    ) -> None:
        require_counts(ShapeError, num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        refuse_unsupported(max_norm, norm_type, scale_grad_by_freq, sparse)
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx: int | None = None
        if padding_idx is not None:
            self.padding_idx = row_number(padding_idx, num_embeddings)
        weight = init.normal_(empty(num_embeddings, embedding_dim, device=device, dtype=dtype))
        if self.padding_idx is not None:
            weight[self.padding_idx].zero_()
        self.weight = Parameter(weight)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
    ) -> Embedding:
        """An embedding with the rows of a tensor, which do not learn unless `freeze` is False.

        Raises:
            ShapeError: the tensor is not a matrix.
            RangeError: `padding_idx` is not the index of a row.

        >>> from torch import empty
        >>> Embedding.from_pretrained(empty(4, 3).fill_(2)).forward(empty(1).zero_().long())
        tensor([[2., 2., 2.]])
        """
        if getattr(embeddings, "ndim", None) != 2:
            raise ShapeError(f"from_pretrained takes a matrix of rows; got {brief(embeddings)}.")
        made = cls(*embeddings.shape, device=embeddings.device, dtype=embeddings.dtype)
        if padding_idx is not None:
            made.padding_idx = row_number(padding_idx, made.num_embeddings)
        made.weight.top = embeddings
        made.weight.requires_grad = not freeze
        return made

    def build(self, labels: Node) -> Node:
        """Append the look-up."""
        return ops.embedding(labels, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        """The sizes of the table."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
