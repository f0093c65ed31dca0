"""What an op class says of itself if it stands for several others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

if TYPE_CHECKING:
    from graphnet.compile.ir.program import Source
    from graphnet.compile.ir.rewrite import Rewriting
    from graphnet.op import Op


class Fused:
    """What an op says that stands for several others, besides its rule.

    Its `forward` is the pattern: operations that compute the same become one. An input annotated
    `Tensor` stands for a tensor, `float` for a number (also one given at each step, or its opposite
    in a difference), `Tensor | float` for a tensor or a fixed number. An input that the kernel
    needs but the rule does not compute with is looked up: `find_top(self, x)` tells of which
    operation it is the value. The op is found if it is listed in `FUSED`.

    >>> from graphnet.op import Op
    >>> class Hypot(Op, Fused):
    ...     symbol = "hypot"
    ...     out = "torch.hypot({x}, {y}, out={out})"
    ...     def forward(self, x: "Tensor", y: "Tensor") -> "Tensor":
    ...         return (x * x + y * y).sqrt()
    ...     grad_x = grad_y = None
    """

    out: ClassVar[str] = ""
    """The line that writes into `{out}`; `{x}` is an input, `{op.dim}` an option."""
    inplace: ClassVar[str | None] = None
    """The line that writes over the first input, if there is one."""
    elementwise: ClassVar[bool] = False
    """True if the kernel may write over any of its inputs."""
    lower: ClassVar[Any] = None
    """In place of a line, a lowering: a static method that writes lines, as in `WRITERS`."""
    takes_numbers: ClassVar[bool] = False
    """True if the kernel takes a Python number as its second input."""
    read_once: ClassVar[bool] = False
    """True if nothing else may read the operations that are replaced: it would need them still."""
    choices: ClassVar[tuple[dict[str, Any], ...]] = ({},)
    """Options whose value the rule must know; others may have any value that a program has."""

    def fits(self, *sources: Any) -> bool:
        """True if the kernel can be used for these inputs; always, if not overridden."""
        return True

    def instead(self, copy: Rewriting, *sources: Any) -> tuple[Op, tuple[Source, ...]]:
        """What is used: the op itself, if not overridden."""
        return cast("Op", self), sources
