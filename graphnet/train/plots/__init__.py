"""Pictures of training, by matplotlib: curves with bands, decision boundary, gradients, confusion.

Each function draws into given axes, or makes a figure, and returns the axes. matplotlib comes with
the extra `plot`: pip install graphnet[plot].

`theme="dark"` and `"light"` paint ground, text and data; without it, the data has the colours that
suit the ground of matplotlib's style, such as `plt.style.use("dark_background")`. No colour of text
can be read both on white and on the dark ground of a notebook: so each plot has a ground.

| file | contents |
|---|---|
| `lines` | curves over epochs with bands, and the flow of gradients |
| `points` | how a classifier divides the plane |
| `maps` | a map for each unit of a layer, and the confusion matrix |
| `figures` | figures and axes, and colours to add curves in |
| `themes` | the colours on light and on dark grounds |
"""

from graphnet.train.plots.figures import (
    BLUE,
    COLOURS,
    GREY,
    ORANGE,
    canvas,
    new_axes,
    new_figure,
    require_matplotlib,
)
from graphnet.train.plots.lines import curves, gradient_flow, mean_and_deviation
from graphnet.train.plots.maps import confusion, plane, units
from graphnet.train.plots.points import boundary, classification

__all__ = [
    "BLUE",
    "COLOURS",
    "GREY",
    "ORANGE",
    "boundary",
    "canvas",
    "classification",
    "confusion",
    "curves",
    "gradient_flow",
    "mean_and_deviation",
    "new_axes",
    "new_figure",
    "plane",
    "require_matplotlib",
    "units",
]
