"""Targets: what a program is printed for, each in a folder of its own.

| folder | contents |
|---|---|
| `torch/` | straight-line Python over torch's own kernels |
| `c/` | C, compiled for this machine |
| `js/` | JavaScript, for pages |
| `printing/` | what the two printers of loops share |
"""
