"""The gallery of the docs: well-known networks in several views, as a page and its pictures.

`python -m graphnet.experiments.gallery docs` writes it anew.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from graphnet.errors import GraphError
from graphnet.experiments.models import MODELS
from graphnet.graph.roles import loss_of

if TYPE_CHECKING:
    from graphnet.graph import Graph

PAGE, FOLDER = "gallery.md", "pictures/gallery"

_INTRODUCTION = """# Gallery

The networks of `graphnet.experiments.models` in five views: as `graph.draw()` shows them, with a
part opened, from left to right, in dark colours, and with the values and gradients of one batch.
A click on a picture shows it alone.

```python
from graphnet.experiments.models import MODELS

graph = MODELS["LeNet"]()
picture = graph.draw()
```

`python -m graphnet.experiments.gallery docs` writes this page and its pictures anew.
[Drawing](drawing.md) explains all options.
"""


@dataclass(frozen=True)
class Exhibit:
    """A network in the gallery.

    Attributes:
        name: its name in `MODELS`.
        sentence: what there is to see.
        opened: the options that show more of it.
        valued: those with which it fits on one screen with its values.
    """

    name: str
    sentence: str
    opened: dict[str, Any]
    valued: dict[str, Any] = field(default_factory=dict)

    def file(self, view: str) -> str:
        """The path of a picture, from the page."""
        return f"{FOLDER}/{self.name.lower().replace(' ', '-')}-{view}.svg"

    @property
    def views(self) -> dict[str, dict[str, Any]]:
        """The options of each view, by its name."""
        return {
            "default": {},
            "opened": self.opened,
            "left-to-right": {"direction": "LR"},
            "dark": {"theme": "dark"},
            "values": {"show": ("shape", "values"), **self.valued},
        }


EXHIBITS = (
    Exhibit(
        "LeNet",
        "A tall picture is cut into columns, between modules.",
        opened={"open": ["features.0"]},
        valued={"direction": "LR"},
    ),
    Exhibit(
        "ResNet-18",
        "Each layer is a box; blocks are folded until all fits on a screen.",
        opened={"open": ["layer2.0"]},
    ),
    Exhibit(
        "U-Net",
        "Long arrows run around the columns.",
        opened={"open": ["bottom"]},
    ),
    Exhibit(
        "LSTM classifier",
        "The LSTM is one box, whatever the number of its steps.",
        opened={"open": ["fc"]},
    ),
    Exhibit(
        "transformer",
        "Six equal blocks are drawn once.",
        opened={"depth": 2},
    ),
    Exhibit(
        "VAE",
        "The loss has two parts; what no module holds is drawn node by node.",
        opened={"open": ["encoder.0"]},
        valued={"depth": 0},
    ),
    Exhibit(
        "GAN",
        "Both losses read one discriminator: its layers have letters.",
        opened={"open": ["discriminator.0"]},
        valued={"depth": 0, "direction": "LR"},
    ),
    Exhibit(
        "siamese",
        "One branch reads both images: its layers have letters.",
        opened={"open": ["branch.0"]},
        valued={"depth": 0},
    ),
)


def page() -> str:
    """The page, in Markdown."""
    return "\n".join([_INTRODUCTION, *map(_section, EXHIBITS)])


def _section(exhibit: Exhibit) -> str:
    """A network with its pictures: the default one, and the others in a table below."""
    first, *others = exhibit.views
    shown = {
        view: f"[![{exhibit.name}, {view}]({exhibit.file(view)})]({exhibit.file(view)})"
        for view in exhibit.views
    }
    titles = {view: f"`graph.draw({_written(exhibit.views[view])})`" for view in others}
    rows = []
    for at in range(0, len(others), 2):
        pair = others[at : at + 2]
        rows += [_row(titles[view] for view in pair)]
        rows += ["|---|---|"] if at == 0 else []
        rows += [_row(shown[view] for view in pair)]
    return "\n".join([f"## {exhibit.name}", "", exhibit.sentence, "", shown[first], "", *rows, ""])


def _row(cells: Iterator[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _written(options: dict[str, Any]) -> str:
    """Options as they are written in a call."""
    return ", ".join(f"{name}={value!r}".replace("'", '"') for name, value in options.items())


def pictures(exhibit: Exhibit) -> dict[str, str]:
    """The pictures of a network: for the path of each, from the page, its SVG.

    graphnet's own ranker places the boxes, so that they are the same on every machine.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        graph = MODELS[exhibit.name]()
        walk(graph)
    return {
        exhibit.file(view): graph.draw(engine="ranker", **options).svg
        for view, options in exhibit.views.items()
    }


def walk(graph: Graph) -> None:
    """Walk a list forward and backward with a random batch of two."""
    feed = {}
    for node in graph.inputs:
        shape = [2 if size is None else size for size in node.shape]
        random = torch.rand(shape)
        feed[node] = random if node.dtype.is_floating_point else (2 * random).to(node.dtype)
    graph.forward(feed)
    if (loss := loss_of(graph)) is not None:
        graph.backward(loss)


def write(folder: Path) -> None:
    """Write the page and its pictures into a folder.

    Raises:
        GraphError: there is no such folder.
    """
    if not folder.is_dir():
        raise GraphError(
            f"The gallery is written into a folder that is there; got {str(folder)!r}."
        )
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    (folder / PAGE).write_text(page(), encoding="utf-8")
    for exhibit in EXHIBITS:
        for path, svg in pictures(exhibit).items():
            (folder / path).write_bytes(svg.encode())


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m graphnet.experiments.gallery")
    parser.description = "Write the gallery of networks: gallery.md and its pictures."
    parser.add_argument("folder", type=Path, help="where, such as docs")
    try:
        write(parser.parse_args(arguments).folder)
    except GraphError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
