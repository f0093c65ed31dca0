"""Pictures of a list.

| file | contents |
|---|---|
| `picture` | what `graph.draw` and `module.draw` do, step by step |
| `scene/` | boxes and arrows, and how to fold them |
| `layout/` | where they go |
| `svg/` | how they look |
| `page/` | what moves under the hand |
| `drawing`, `png`, `text` | the result, and its other forms |
| `environment` | what draws on this machine |
"""

__all__ = ["engines"]


def engines() -> str:
    """Say which layout engine, fonts and rasteriser are in use here, and how to get the others.

    >>> print(engines())  # doctest: +ELLIPSIS
    layout  dot      ...
    """
    from graphnet.draw.environment import report

    return report()
