"""Data to train on, and batches of it.

| file | contents |
|---|---|
| `points` | points inside and outside a disk |
| `digits`: `idx`, `download` | MNIST, its file format, and how its files reach this machine |
| `pairs` | pairs of digits to compare |
| `batching` | labels as columns, numbers normalized, rows in batches |
| `columns`, `images` | tables and data sets by the names of their columns; folders of pictures |
| `arrays` | arrays, frames and pictures as tensors |
| `order`, `splits` | the order of the rows of an epoch; which rows are held out |
"""

from graphnet.data.batching import batches, normalized, one_hot
from graphnet.data.columns import columns
from graphnet.data.digits import MNIST, mnist
from graphnet.data.idx import read_idx
from graphnet.data.images import ImageFolder
from graphnet.data.order import RowOrder
from graphnet.data.pairs import DigitPairs, digit_pairs, image_pairs
from graphnet.data.points import CENTER, RADIUS, disk
from graphnet.data.splits import Split

__all__ = [
    "CENTER",
    "MNIST",
    "RADIUS",
    "DigitPairs",
    "ImageFolder",
    "RowOrder",
    "Split",
    "batches",
    "columns",
    "digit_pairs",
    "disk",
    "image_pairs",
    "mnist",
    "normalized",
    "one_hot",
    "read_idx",
]
