"""Whole experiments, each from its settings to its figures.

| file | contents |
|---|---|
| `disk`: `options`, `report` | points inside a disk: what `python test.py` runs |
| `pairs/` | the study of digit pairs |
| `models/` | well-known networks, to draw and to try things out on |
| `gallery` | pictures of them, for the docs |
"""
