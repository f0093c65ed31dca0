"""Data in every form that `fit` takes."""

from __future__ import annotations

import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset
from train.small_runs import data

import graphnet as gn

X, T = data(40)
LOSS = gn.LossCrossEntropy()


class Rows(Dataset):
    """The rows of tensors as items, with noise from torch's global generator on demand."""

    def __init__(self, noise=0.0, rows=40):
        self.noise, self.rows = noise, rows
        self.read = []

    def __len__(self):
        return self.rows

    def __getitem__(self, row):
        self.read.append(row)
        x = X[row]
        return (x + self.noise * torch.randn(x.shape) if self.noise else x), int(T[row])


class Passing(IterableDataset):
    """The same, one after another."""

    def __iter__(self):
        for x, t in zip(X, T, strict=True):
            yield x, int(t)


class Counting(Passing):
    """The same, which tells where it is."""

    def __init__(self):
        self.place = 0

    def __iter__(self):
        while self.place < len(X):
            self.place += 1
            yield X[self.place - 1], int(T[self.place - 1])
        self.place = 0

    def state_dict(self):
        return {"place": self.place}

    def load_state_dict(self, state):
        self.place = state["place"]


def batches(size=10):
    """Batches of tensors, in order."""
    for start in range(0, len(X), size):
        yield X[start : start + size], T[start : start + size]


def loader(noise=0.0, **options):
    """Shuffled batches of torch."""
    return DataLoader(Rows(noise), batch_size=10, shuffle=True, **options)
