"""Data to train on, and batches of it.

| file | contents |
|---|---|
| `points` | points inside and outside a disk |
| `digits`: `idx`, `download` | MNIST, its file format, and how its files reach this machine |
| `pairs` | pairs of digits to compare |
| `batching` | labels as columns, numbers normalized, rows in batches |
"""

from graphnet.data.batching import batches, normalized, one_hot
from graphnet.data.digits import MNIST, mnist
from graphnet.data.idx import read_idx
from graphnet.data.pairs import DigitPairs, digit_pairs, image_pairs
from graphnet.data.points import CENTER, RADIUS, disk

__all__ = [
    "CENTER",
    "MNIST",
    "RADIUS",
    "DigitPairs",
    "batches",
    "digit_pairs",
    "disk",
    "image_pairs",
    "mnist",
    "normalized",
    "one_hot",
    "read_idx",
]
