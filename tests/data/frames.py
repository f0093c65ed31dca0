"""What frames of pandas and polars have in common."""

from __future__ import annotations

import numpy as np


class Frame:
    """What pandas and polars have in common."""

    def __init__(self, **columns):
        self.data = {name: np.asarray(values) for name, values in columns.items()}
        self.columns = list(columns)
        self.shape = (len(next(iter(self.data.values()))), len(columns))

    def to_numpy(self):
        return np.stack(list(self.data.values()), 1)

    def __getitem__(self, name):
        return Series(name, self.data[name])


class Series:
    def __init__(self, name, values):
        self.name, self.values, self.shape = name, values, values.shape

    def to_numpy(self):
        return self.values

    def __iter__(self):
        return iter(self.values.tolist())
