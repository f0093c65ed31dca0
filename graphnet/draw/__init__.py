"""Pictures of the list: as it is, as it is walked, and as it learns.

| file | contents |
|---|---|
| `picture` | what `graph.draw` and `module.draw` do, step by step |
| `scene`, `building`, `fold`: `parts`, `repetitions` | boxes and arrows, and how to fold them |
| `geometry`, `engines`, `dot`, `ranker`: `level`, `curves` | where they go |
| `paint`: `style`, `marks`, `values`, `captions`, `room`, `footer`, `strips` | the SVG |
| `drawing`, `png` | the result, and its other file formats |
| `text`, `table`: `rails`; `summary`: `flops` | the list as text and tables |
| `health`: `findings` | what is wrong with it |
| `formulas`: `symbols`, `derivation` | its rules as formulas |
| `walk`, `frames`, `page` | both walks, one event at a time |
| `plots` | curves, boundaries and matrices of a training run, by matplotlib |
| `in_use` | what draws on this machine |
"""

__all__ = ["doctor"]


def doctor() -> str:
    """Say which layout engine, fonts and rasteriser are in use here, and how to get the others.

    >>> print(doctor())  # doctest: +ELLIPSIS
    layout  dot      ...
    """
    from graphnet.draw.environment import report

    return report()
