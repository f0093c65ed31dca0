"""The playground: a network that trains in a page, one HTML file without server or network.

| file | contents |
|---|---|
| `task` | what is learned from which rows, and what is refused |
| `checked_rows` | which rows are refused: not finite, or labels that are no class |
| `classes` | rows that belong to classes: how errors are counted |
| `images` | rows that are pictures |
| `description` | what the page knows of the list: formulas, rows, settings |
| `nodes` | what it knows of each node |
| `views` | the pictures of the list, with room for what moves in them |
| `generator` | the parts of other networks of dense layers, which the page puts together |
| `program` | how model, loss and optimizer are written in Python |
| `encoding` | tensors as texts |
| `page` | all of it in one file, and the policy that keeps it safe |
| `cell` | the page in a notebook |
| `options` | the options of a page, for type checkers |
| `reading` | a page read back, and its run in Python |

Of the scripts, `learner.js` holds the network and takes its steps, on `rows.js`; `evaluator.js`
measures it, `runs.js` keeps what it measured, and `loop.js` trains beside the display. `dense.js`
makes the list of another network, `layers.js` its program, and `chain.js` its picture. Each of
`controls.js`, `network.js`, `structure.js`, `card.js` with `grids.js` and `written.js`,
`surface.js`, `images.js` with `pad.js`, `table.js`, `curves.js`, `weights.js`, `python.js`,
`link.js` and `keys.js` is one part of the page, and adds itself to the `parts` of `tools.js`;
`app.js` tells all of them what happens, and `start.js` begins.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast, overload

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path
    from typing import Unpack

    from graphnet.layers import Module
    from graphnet.optim import Optimizer
    from graphnet.playground.cell import Cell
    from graphnet.playground.options import PageOptions
    from graphnet.playground.reading import Page

__all__: list[str] = []


class Room(ModuleType):
    """This package, which can be called: `gn.playground(model, loss, data, optimizer, file)`."""

    @overload
    def __call__(
        self,
        model: Module,
        loss: Any,
        data: Any,
        optimizer: Optimizer,
        file: None = None,
        **options: Unpack[PageOptions],
    ) -> Cell: ...

    @overload
    def __call__(
        self,
        model: Module,
        loss: Any,
        data: Any,
        optimizer: Optimizer,
        file: str | PathLike[str],
        **options: Unpack[PageOptions],
    ) -> Path: ...

    def __call__(
        self,
        model: Module,
        loss: Any,
        data: Any,
        optimizer: Optimizer,
        file: str | PathLike[str] | None = None,
        *,
        test: Any = None,
        batch_size: int = 32,
        seed: int = 0,
        title: str = "",
        height: int = 640,
    ) -> Path | Cell:
        """Make a page in which a model learns: one HTML file, without server or network.

        Args:
            model: a module; the page begins with its present weights.
            loss: of its output and the targets, as in `gn.fit`.
            data: the pair (inputs, targets), each a tensor or a tuple of tensors with a row for
                each example; without targets they are the inputs, as in `gn.fit`.
            optimizer: over the parameters of the model.
            file: the page, its suffix .html; if None, a cell of a notebook shows it.
            test: data of the same form, measured and not learned from.
            batch_size: rows in a batch, at the start; the last one of an epoch takes the rest.
            seed: the order of the rows, the masks of dropout and the noise that it begins with.
            title: of the page; if empty, the name of the model's class.
            height: of the frame in a notebook, in pixels.

        Returns:
            The path of the page; without a file an object that a notebook shows, with a method
            `save(file)`.

        Raises:
            FeedError: the data do not have that form, or hold NaN or infinite numbers.
            ShapeError: sizes do not fit together.
            RangeError: batch_size is less than 1, seed not between 0 and 2**32 - 1, height
                less than 200, or a label is not one of the classes.
            GraphError: an operation has no form in JavaScript, the optimizer is of another model,
                an argument has another type, or the file cannot be written.

        Warns:
            UserWarning: the data are so large that the page holds their first rows alone.

        >>> import graphnet as gn, tempfile, torch
        >>> points, labels = gn.data.disk(100, torch.Generator().manual_seed(0))
        >>> model = gn.Sequential(gn.Linear(2, 8), gn.Tanh(), gn.Linear(8, 2))
        >>> sgd = gn.SGD(model.parameters(), lr=0.1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     page = gn.playground(
        ...         model, gn.LossCrossEntropy(), (points, labels), sgd, f"{folder}/disk.html"
        ...     )
        ...     page.name
        'disk.html'
        """
        from graphnet.playground.cell import cell_or_file
        from graphnet.playground.task import task_of_model

        settings = {"batch_size": batch_size, "seed": seed, "title": title}
        task = task_of_model(model, loss, data, optimizer, test, **settings)
        return cell_or_file(task, file, height)

    def read(self, file: str | PathLike[str]) -> Page:
        """Read a page back: its rows, the weights that it began with, and `repeat`, the same run.

        Raises:
            LoadError: the file cannot be read, or is no such page.
        """
        from graphnet.playground.reading import read

        return read(file)

    def draw_weights(self, module: Module, seed: int) -> None:
        """Give dense layers the first weights that a page draws for networks made there.

        Weights and biases are uniform within ±1/√in_features, drawn layer by layer, the weight row
        by row and then the bias.

        Raises:
            GraphError: the module has parameters that are not of dense layers.

        >>> import graphnet as gn
        >>> model = gn.Sequential(gn.Linear(2, 3), gn.Tanh(), gn.Linear(3, 1))
        >>> gn.playground.draw_weights(model, seed=0)
        >>> bool(model[0].weight.top.abs().max() < 2**-0.5)
        True
        """
        from graphnet.playground.reading import draw_weights

        draw_weights(module, seed)


Room.__call__.__qualname__ = "playground"  # as a wrong argument is told, and as it is called
sys.modules[__name__].__class__ = Room
room = cast("Room", sys.modules[__name__])
