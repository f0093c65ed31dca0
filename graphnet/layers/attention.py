"""Multi-head attention."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any, Literal, overload

from torch import empty

from graphnet import init, ops
from graphnet.errors import GraphError, ShapeError
from graphnet.graph import Node, Parameter
from graphnet.layers.linear import Linear
from graphnet.layers.module import Module
from graphnet.layers.nesting import leaves
from graphnet.ops.attention import attention_weights, is_bool
from graphnet.ops.dims import described, require_tensors
from graphnet.ops.running import refuse_sizes
from graphnet.validation import require_counts, require_flags, require_range

if TYPE_CHECKING:
    from torch import Tensor, device, dtype

    from graphnet.op import T


class MultiheadAttention(Module):
    """Attention with several heads, each with its share of the dimensions.

    Call it as `attention(query, key, value)`, with torch's `key_padding_mask`, `need_weights`,
    `attn_mask`, `average_attn_weights` and `is_causal`; it returns the output, and the weights
    averaged over the heads, or None for `need_weights=False`. In a boolean mask True hides a key;
    a mask of numbers is added. A query to which every key is hidden attends to none: its weights
    are zeros, whereas torch has NaN.
    Shapes: query (n, batch, embed_dim), key (m, batch, kdim), value (m, batch, vdim), attn_mask
    (n, m) or (batch num_heads, n, m), key_padding_mask (batch, m) -> (n, batch, embed_dim) and
    (batch, n, m); with batch_first the batch comes first, and all inputs may lack a batch.

    Args:
        embed_dim: the size of queries and outputs.
        num_heads: the number of heads, a divisor of embed_dim.
        dropout: the probability of dropping a weight in training.
        bias: False to leave the biases out.
        add_bias_kv: True to learn one more key and value, which every query sees.
        add_zero_attn: True to add one more key and value of zeros.
        kdim: the size of keys; embed_dim if None.
        vdim: the size of values; embed_dim if None.
        batch_first: True for inputs (batch, n, embed_dim).
        device: the device of the parameters.
        dtype: the dtype of the parameters.

    Source: Vaswani et al., Attention is all you need (2017), section 3.2.2.

    Raises:
        ShapeError: the sizes do not fit, or embed_dim is not a multiple of num_heads.
        RangeError: dropout lies outside [0, 1].
        GraphError: an option has a wrong type.

    >>> from torch import empty
    >>> attention, x = MultiheadAttention(4, 2, batch_first=True), empty(3, 5, 4).fill_(1)
    >>> output, weights = attention.forward(x, x, x)
    >>> output.shape, weights.shape
    (torch.Size([3, 5, 4]), torch.Size([3, 5, 5]))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: device | str | None = None,
        dtype: dtype | None = None,
    ) -> None:
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        require_counts(
            ShapeError, embed_dim=embed_dim, num_heads=num_heads, kdim=self.kdim, vdim=self.vdim
        )
        require_range("dropout", dropout, high=1)
        if embed_dim % num_heads:
            raise ShapeError(f"embed_dim {embed_dim} must be a multiple of num_heads {num_heads}.")
        require_flags(add_bias_kv=add_bias_kv, add_zero_attn=add_zero_attn)
        self.add_bias_kv, self.add_zero_attn = add_bias_kv, add_zero_attn
        self.embed_dim, self.num_heads, self.dropout = embed_dim, num_heads, dropout
        self.batch_first, self.batch_dim = batch_first, 0 if batch_first else 1
        self._shows = (True, True)
        self._add_weights(bias, device=device, dtype=dtype)

    def _add_weights(self, bias: bool, **where: Any) -> None:
        """Make the weights in torch's order: those of the output are drawn before the others."""
        embed_dim = self.embed_dim
        out_proj = Linear(embed_dim, embed_dim, bias, **where)
        sizes = {"in": embed_dim}
        if (self.kdim, self.vdim) != (embed_dim, embed_dim):
            sizes = {"q": embed_dim, "k": self.kdim, "v": self.vdim}
        rows = 3 * embed_dim if len(sizes) == 1 else embed_dim
        for name, size in sizes.items():
            weight = init.xavier_uniform_(empty(rows, size, **where))
            setattr(self, f"{name}_proj_weight", Parameter(weight))
        zeros = empty(3 * embed_dim, **where).zero_()
        self.in_proj_bias = Parameter(zeros) if bias else None
        if out_proj.bias is not None:
            out_proj.bias.top.zero_()
        self.out_proj = out_proj
        self.bias_k, self.bias_v = (
            Parameter(init.xavier_normal_(empty(1, 1, embed_dim, **where)))
            if self.add_bias_kv
            else None
            for _ in range(2)
        )

    @overload  # type: ignore[override]  # masks and settings have names
    def __call__(
        self,
        query: T,
        key: T,
        value: T,
        key_padding_mask: T | None = None,
        need_weights: Literal[True] = True,
        attn_mask: T | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[T, T]: ...
    @overload
    def __call__(
        self,
        query: T,
        key: T,
        value: T,
        key_padding_mask: T | None = None,
        need_weights: bool = True,
        attn_mask: T | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[T, T | None]: ...
    def __call__(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> Any:
        """Append to the graph of the nodes, or compute for tensors; see the class."""
        if is_causal and attn_mask is None:
            raise GraphError("is_causal=True states that attn_mask is causal: give attn_mask too.")
        # A mask is a tuple of one item or of none: both kinds of call take tuples.
        padding = () if key_padding_mask is None else (key_padding_mask,)
        mask = () if attn_mask is None else (attn_mask,)
        require_tensors(type(self).__name__, query, key, value, *padding, *mask)
        self._refuse_misfits(query, key, value, key_padding_mask, attn_mask)
        # What `build` returns; by this attribute a kept graph knows whether it fits.
        self._shows = (need_weights, average_attn_weights)
        nodes = any(isinstance(each, Node) for each in (query, key, value, *padding, *mask))
        run = super().__call__ if nodes else super().forward
        result = run(query, key, value, padding, mask)
        return result if need_weights else (result, None)

    def forward(  # type: ignore[override]  # it takes settings
        self, *tensors: Any, **settings: Any
    ) -> tuple[Tensor, Any]:
        """Compute for tensors, as calling the module with tensors does."""
        return self(*tensors, **settings)

    def backward(self, *gradwrtoutput: Any) -> Any:
        """Add to the gradients; return those of query, key, value, and the given masks."""
        return tuple(leaves(super().backward(*gradwrtoutput)))

    def build(
        self, query: Node, key: Node, value: Node, padding: Sequence[Node], mask: Sequence[Node]
    ) -> Any:
        """Append the attention; each mask is a tuple of one item or of none."""
        batched = query.ndim == 3
        q, k, v = (self._heads(each, place) for place, each in enumerate((query, key, value)))
        k, v = self._extended(k, self.bias_k), self._extended(v, self.bias_v)
        more = self.add_bias_kv + self.add_zero_attn
        if more:  # no mask hides what is added
            padding, mask = ([ops.pad(m, (0, more)) for m in each] for each in (padding, mask))
        masks = [ops.unsqueeze(ops.unsqueeze(_passing(each), -2), -2) for each in padding]
        masks += [  # (batch heads, n, m) -> (batch, heads, n, m)
            each if each.ndim == 2 else ops.unflatten(each, 0, (-1, self.num_heads))
            for each in map(_passing, mask)
        ]
        weights = attention_weights(q, k, *masks)
        if self.dropout:
            weights = ops.dropout(weights, self.dropout)
        # (batch, heads, n, size) -> (batch, n, embed_dim)
        mixed = ops.transpose(ops.matmul(weights, v), 1, 2)
        output = self._batch_as_given(self.out_proj(ops.flatten(mixed, 2)), batched)
        need_weights, average = self._shows
        if not need_weights:
            return output
        shown = ops.mean(weights, 1) if average else weights
        return output, shown if batched else ops.squeeze(shown, 0)

    def _refuse_misfits(self, query: Any, key: Any, value: Any, padding: Any, mask: Any) -> None:
        """Refuse inputs and masks that do not fit together, as far as sizes are known."""
        for each in (query, key, value):
            if each.ndim not in (2, 3) or each.ndim != query.ndim:
                raise ShapeError(
                    "query, key and value must have 3 dimensions, or all 2 without a batch; "
                    f"got {described(each)}."
                )
        time = 1 if self.batch_first and query.ndim == 3 else 0
        batch = (query.shape[self.batch_dim],) if query.ndim == 3 else ()
        n, m = query.shape[time], key.shape[time]
        for name, each, length, size in [
            ("query", query, n, self.embed_dim),
            ("key", key, m, self.kdim),
            ("value", value, m, self.vdim),
        ]:
            refuse_sizes(each, (*batch, length, size) if time else (length, *batch, size), name)
        if padding is not None:
            refuse_sizes(padding, (*batch, m), "key_padding_mask")
        if mask is not None:
            many = None if None in batch else prod(batch) * self.num_heads
            refuse_sizes(mask, (n, m) if mask.ndim == 2 else (many, n, m), "attn_mask")

    def _heads(self, x: Node, place: int) -> Node:
        """The input at `place`, projected and split into heads."""
        if x.ndim == 2:
            x = ops.unsqueeze(x, 0)
        elif not self.batch_first:
            x = ops.transpose(x, 0, 1)
        size = self.embed_dim
        whole = getattr(self, "in_proj_weight", None)
        if whole is None:
            weight = getattr(self, f"{'qkv'[place]}_proj_weight")
        else:
            weight = ops.narrow(whole, 0, place * size, size)
        biases = self.in_proj_bias
        bias = None if biases is None else ops.narrow(biases, 0, place * size, size)
        x = ops.linear(x, weight, bias)
        return ops.transpose(ops.unflatten(x, -1, (self.num_heads, -1)), 1, 2)

    def _extended(self, x: Node, row: Parameter | None) -> Node:
        """Keys or values of each head, and those that are learned, or zeros."""
        if row is None and not self.add_zero_attn:
            return x
        zeros = ops.zeros_like(ops.narrow(x, -2, 0, 1))
        if row is not None:
            heads = ops.transpose(ops.unflatten(row, -1, (self.num_heads, -1)), 1, 2)
            x = ops.cat([x, zeros + heads], -2)
        return ops.cat([x, zeros], -2) if self.add_zero_attn else x

    def _batch_as_given(self, output: Node, batched: bool) -> Node:
        """The output, with its batch dimension where the inputs have it."""
        if not batched:
            return ops.squeeze(output, 0)
        return output if self.batch_first else ops.transpose(output, 0, 1)

    def extra_repr(self) -> str:
        """The sizes of the layer."""
        return f"{self.embed_dim}, {self.num_heads}, batch_first={self.batch_first}"


def _passing(mask: Node) -> Node:
    """A mask as attention takes it: booleans, true to keep a key, or numbers to add."""
    return ops.eq(mask, 0) if is_bool(mask) else mask
