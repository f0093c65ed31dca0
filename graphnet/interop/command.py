"""`python -m graphnet draw FILE.py:make_model 1,3,224,224 --out model.html`."""

from __future__ import annotations

import argparse
import runpy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from graphnet.errors import GraphError
from graphnet.interop.drawing import draw_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "model", help="FILE.py:NAME, a function that returns the model, its class, or the model"
    )
    parser.add_argument(
        "shapes",
        nargs="*",
        help="the shape of each input, such as 1,3,224,224; for integers 1,16:int64",
    )
    parser.add_argument("--out", default="model.html", help=".html, .svg, .png, .pdf or .dot")
    parser.add_argument("--depth", type=int, help="how deep modules are opened")


def run(options: argparse.Namespace) -> str:
    """Draw the model into the file; returns what to tell the user.

    Raises:
        GraphError: there is no such file or name, a shape is none, or the model cannot be drawn.
    """
    model = loaded(options.model)
    examples = [example(text) for text in options.shapes]
    inputs: Any = examples
    if not isinstance(model, torch.nn.Module):
        inputs = [(None, *each.shape[1:]) for each in examples]
    drawing = draw_model(model, *inputs, depth=options.depth)
    drawing.save(options.out)
    return f"{options.out}: {len(drawing.scene)} boxes"


def loaded(name: str) -> Any:
    """The model that a file of the user defines, as `python FILE.py` runs it.

    Raises:
        GraphError: there is no such file, or nothing of that name in it.
    """
    file, _, wanted = name.rpartition(":")
    if file and wanted and not Path(file).is_file():
        raise GraphError(f"There is no file {file!r} here: {Path.cwd()}.")
    if not file or not wanted:
        raise GraphError(
            f"Name a file and what it defines, such as net.py:make_model; got {name!r}."
        )
    defined = runpy.run_path(file)
    if wanted not in defined:
        raise GraphError(f"{file} defines no {wanted!r}.")
    found = defined[wanted]
    return found if hasattr(found, "named_modules") and not isinstance(found, type) else found()


def example(text: str) -> torch.Tensor:
    """An example of a shape, with ones: "1,3,224,224", or "1,16:int64" for integers of 0.

    Raises:
        GraphError: the text is no shape.
    """
    sizes, _, kind = text.partition(":")
    dtype = getattr(torch, kind or "float32", None)
    parts: Sequence[str] = [each.strip() for each in sizes.split(",") if each.strip()]
    if not isinstance(dtype, torch.dtype) or not all(part.isdecimal() for part in parts):
        raise GraphError(
            f"A shape is written 1,3,224,224, or 1,16:int64 for integers; got {text!r}."
        )
    shape = tuple(map(int, parts))
    return (
        torch.ones(shape, dtype=dtype)
        if dtype.is_floating_point
        else torch.zeros(shape, dtype=dtype)
    )
