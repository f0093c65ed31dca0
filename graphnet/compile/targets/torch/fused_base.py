"""What an op class says of itself if it stands for several others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from graphnet.compile.targets.torch.kernel import Kernel
from graphnet.op_rules import arguments_of

if TYPE_CHECKING:
    from graphnet.compile.ir.program import Sources
    from graphnet.compile.ir.rewrite import Rewriting
    from graphnet.op import Op


class Fused:
    """What an op says that stands for several others, besides its rule.

    Its `forward` is the pattern: operations that compute the same become one. An input annotated
    `Tensor` stands for a tensor, `float` for a number (also one given at each step, or its opposite
    in a difference), `Tensor | float` for a tensor or a fixed number. An input that the kernel
    needs but the rule does not compute with is looked up: `find_top(self, x)` tells of which
    operation it is the value. No input has a derivative: only the passes make such an op, after all
    gradients have been appended. The op is found if it is listed in `FUSED`.

    >>> from graphnet.op import Op
    >>> class Hypot(Op, Fused):
    ...     symbol = "hypot"
    ...     out = "hypot({x}, {y}, out={out})"
    ...     def forward(self, x: "Tensor", y: "Tensor") -> "Tensor":
    ...         return (x * x + y * y).sqrt()
    """

    out: ClassVar[str] = ""
    """The call that writes into `{out}`; `{x}` is an input, `{dim}` an option. It begins with a
    function of torch, or one of `printer.FUNCTIONS`."""
    inplace: ClassVar[str | None] = None
    """The call that writes over the first input, if there is one."""
    lower: ClassVar[Any] = None
    """In place of a call, a lowering: a static method that adds calls, as in `LOWERINGS`."""
    takes_numbers: ClassVar[bool] = False
    """True if the kernel takes a Python number as its second input."""
    read_once: ClassVar[bool] = False
    """True if nothing else may read the operations that are replaced: it would need them still."""
    choices: ClassVar[tuple[dict[str, Any], ...]] = ({},)
    """Options whose value the rule must know; others may have any value that a program has."""

    def __init_subclass__(cls) -> None:
        """Declare, for `Op` to read, that no input has a derivative."""
        for name in arguments_of(vars(cls)["forward"]):
            if f"grad_{name}" not in vars(cls):
                setattr(cls, f"grad_{name}", None)

    @classmethod
    def as_kernel(cls) -> Kernel:
        """What its line is printed from."""
        return Kernel(cls.out, cls.inplace)

    def fits(self, *sources: Any) -> bool:
        """True if the kernel can be used for these inputs; always, if not overridden."""
        return True

    def instead(self, copy: Rewriting, *sources: Any) -> tuple[Op, Sources]:
        """What is used: the op itself, if not overridden."""
        return cast("Op", self), sources
