"""Transformers: layers of attention and of a network for each position, and stacks of them."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from graphnet import ops
from graphnet.errors import GraphError
from graphnet.layers.attention import MultiheadAttention
from graphnet.layers.containers import ModuleList
from graphnet.layers.dropout import Dropout
from graphnet.layers.linear import Linear
from graphnet.layers.module import Module
from graphnet.layers.normalization import LayerNorm
from graphnet.validation import require_choice, require_counts

if TYPE_CHECKING:
    from torch import device, dtype

    from graphnet.graph import Node

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {"relu": ops.relu, "gelu": ops.gelu}
"""The activations that have a name."""


class TransformerLayer(Module):
    """What a layer of an encoder and one of a decoder share: attention, two linear maps, norms.

    Args:
        d_model: the size of each position.
        nhead: the number of heads, which divides it.
        dim_feedforward: the size between the two linear maps.
        dropout: the probability of dropping a value, in attention and after each part.
        activation: "relu", "gelu", or a function of nodes.
        layer_norm_eps: what is added to the variance before its root.
        batch_first: True for inputs of shape (batch, length, d_model).
        norm_first: True to normalize before each part, not after it.
        bias: False to leave all biases out.
        device: the device of the parameters.
        dtype: the dtype of the parameters.

    Raises:
        ShapeError: a size is not an integer of 1 or more, or `nhead` does not divide `d_model`.
        RangeError: the dropout is not a probability, or the activation is unknown.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: device | str | None = None,
        dtype: dtype | None = None,
    ) -> None:
        where: dict[str, Any] = {"device": device, "dtype": dtype}
        heads = {"dropout": dropout, "bias": bias, "batch_first": batch_first, **where}
        norms = {"eps": layer_norm_eps, "bias": bias, **where}
        self.batch_dim = 0 if batch_first else 1
        self.norm_first, self.activation = norm_first, _named(activation)
        self.self_attn = MultiheadAttention(d_model, nhead, **heads)
        for name in self._others():
            setattr(self, name, MultiheadAttention(d_model, nhead, **heads))
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **where)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **where)
        parts = range(1, 3 + len(self._others()))
        for part in parts:
            setattr(self, f"norm{part}", LayerNorm(d_model, **norms))
        for part in parts:
            setattr(self, f"dropout{part}", Dropout(dropout))

    def _others(self) -> tuple[str, ...]:
        """The names of further attentions."""
        return ()

    def _part(self, x: Node, number: int, function: Callable[[Node], Node]) -> Node:
        """x plus a part of the layer, normalized before or after it."""
        norm, drop = getattr(self, f"norm{number}"), getattr(self, f"dropout{number}")
        if self.norm_first:
            result: Node = x + drop(function(norm(x)))
        else:
            result = norm(x + drop(function(x)))
        return result

    def _feedforward(self, x: Node) -> Node:
        """The network for each position."""
        hidden: Node = self.activation(self.linear1(x))
        return self.linear2(self.dropout(hidden))

    def extra_repr(self) -> str:
        """Where the norms are."""
        return f"norm_first={self.norm_first}"


def _named(activation: Any) -> Any:
    """The function of an activation.

    Raises:
        RangeError: there is none of that name.
    """
    if isinstance(activation, str):
        return ACTIVATIONS[require_choice("activation", activation, tuple(ACTIVATIONS))]
    if not callable(activation):
        raise GraphError(f"activation must be a name or a function; got {activation!r}.")
    return activation


class TransformerEncoderLayer(TransformerLayer):
    """Attention of a sequence to itself, then a network for each position.

    Arguments and names of parameters are those of torch.nn; see `TransformerLayer`.
    Shapes: src (length, batch, d_model), or (batch, length, d_model) with `batch_first` -> the
    same; masks are those of `MultiheadAttention`.

    Source: Vaswani et al., Attention is all you need (2017), section 3.1.

    >>> from torch import empty
    >>> TransformerEncoderLayer(4, 2, 8).forward(empty(7, 5, 4).fill_(0)).shape
    torch.Size([7, 5, 4])
    """

    def build(
        self,
        src: Node,
        src_mask: Node | None = None,
        src_key_padding_mask: Node | None = None,
        is_causal: bool = False,
    ) -> Node:
        """Append the layer; `is_causal` only states that the mask is."""

        def attention(x: Node) -> Node:
            masks = (src_key_padding_mask, False, src_mask)
            result: Node = self.self_attn(x, x, x, *masks)[0]
            return result

        return self._part(self._part(src, 1, attention), 2, self._feedforward)


class TransformerDecoderLayer(TransformerLayer):
    """Attention of a sequence to itself and to another one, then a network for each position.

    Arguments and names of parameters are those of torch.nn; see `TransformerLayer`.
    Shapes: tgt (n, batch, d_model), memory (m, batch, d_model) -> that of tgt; with `batch_first`
    the batch comes first. Masks are those of `MultiheadAttention`.

    Source: Vaswani et al., Attention is all you need (2017), section 3.1.

    >>> from torch import empty
    >>> layer = TransformerDecoderLayer(4, 2, 8)
    >>> layer.forward(empty(7, 5, 4).fill_(0), empty(6, 5, 4).fill_(0)).shape
    torch.Size([7, 5, 4])
    """

    def _others(self) -> tuple[str, ...]:
        return ("multihead_attn",)

    def build(
        self,
        tgt: Node,
        memory: Node,
        tgt_mask: Node | None = None,
        memory_mask: Node | None = None,
        tgt_key_padding_mask: Node | None = None,
        memory_key_padding_mask: Node | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Node:
        """Append the layer; `..._is_causal` only states that a mask is."""

        def to_itself(x: Node) -> Node:
            result: Node = self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask)[0]
            return result

        def to_memory(x: Node) -> Node:
            masks = (memory_key_padding_mask, False, memory_mask)
            attention: Any = getattr(self, "multihead_attn")  # noqa: B009 - made by the base class
            result: Node = attention(x, memory, memory, *masks)[0]
            return result

        x = self._part(tgt, 1, to_itself)
        return self._part(self._part(x, 2, to_memory), 3, self._feedforward)


class TransformerStack(Module):
    """Copies of a layer, one after the other, and a norm at the end.

    Args:
        layer: the layer that is copied, with its weights.
        num_layers: how many copies.
        norm: a module for the last output; None for nothing.

    Raises:
        RangeError: the number of layers is not an integer of 1 or more.
    """

    def __init__(self, layer: Any, num_layers: int, norm: Module | None = None) -> None:
        require_counts(num_layers=num_layers)
        self.layers = ModuleList([deepcopy(layer) for _ in range(num_layers)])
        self.num_layers, self.norm = num_layers, norm
        self.batch_dim = layer.batch_dim

    def _finished(self, x: Node) -> Node:
        return x if self.norm is None else self.norm(x)


class TransformerEncoder(TransformerStack):
    """Copies of a `TransformerEncoderLayer`, one after the other; see `TransformerStack`.

    `enable_nested_tensor` and `mask_check` are taken for torch's sake, and change nothing.
    Shapes: those of the layer.

    >>> from torch import empty
    >>> encoder = TransformerEncoder(TransformerEncoderLayer(4, 2, 8), 3)
    >>> encoder.forward(empty(7, 5, 4).fill_(0)).shape
    torch.Size([7, 5, 4])
    """

    def __init__(
        self,
        encoder_layer: TransformerEncoderLayer,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__(encoder_layer, num_layers, norm)

    def build(
        self,
        src: Node,
        mask: Node | None = None,
        src_key_padding_mask: Node | None = None,
        is_causal: bool | None = None,
    ) -> Node:
        """Append the layers; `is_causal` only states that the mask is."""
        for layer in self.layers:
            src = layer(src, src_mask=mask, src_key_padding_mask=src_key_padding_mask)
        return self._finished(src)


class TransformerDecoder(TransformerStack):
    """Copies of a `TransformerDecoderLayer`, one after the other; see `TransformerStack`.

    Shapes: those of the layer.

    >>> from torch import empty
    >>> decoder = TransformerDecoder(TransformerDecoderLayer(4, 2, 8), 3)
    >>> decoder.forward(empty(7, 5, 4).fill_(0), empty(6, 5, 4).fill_(0)).shape
    torch.Size([7, 5, 4])
    """

    def __init__(
        self, decoder_layer: TransformerDecoderLayer, num_layers: int, norm: Module | None = None
    ) -> None:
        super().__init__(decoder_layer, num_layers, norm)

    def build(self, tgt: Node, memory: Node, **masks: Any) -> Node:
        """Append the layers; the masks are those of a layer, by name."""
        for layer in self.layers:
            tgt = layer(tgt, memory, **masks)
        return self._finished(tgt)
