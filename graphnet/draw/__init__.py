"""Pictures of the list.

| file | contents |
|---|---|
| `picture` | what `graph.draw` and `module.draw` do, step by step |
| `scene/`: `scene`, `building`, `sharing` | boxes and arrows |
| `scene/`: `fold`, `grouping`, `repetitions` | how they are folded |
| `layout/`: `geometry`, `engines`, `dot`, `layered`: `layered_level`, `curves` | where they go |
| `svg/`: `paint`, `style`, `marks`, `values`, `histograms`, `footer` | the SVG |
| `svg/`: `labels`, `label_placement` | what is written where it hides least |
| `drawing`, `png`, `text` | the result, and its other file formats |
| `environment` | what draws on this machine |
"""

__all__ = ["doctor"]


def doctor() -> str:
    """Say which layout engine, fonts and rasteriser are in use here, and how to get the others.

    >>> print(doctor())  # doctest: +ELLIPSIS
    layout  dot      ...
    """
    from graphnet.draw.environment import report

    return report()
