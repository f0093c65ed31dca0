"""Standalone C: what `graph.export_c` writes, for machines without Python.

| file | what it does |
|---|---|
| `export` | from a graph to the files |
| `programs` | what is computed, lowered without anything that belongs to this machine |
| `example` | the rows that show how the functions are called |
| `memory` | the structs that the caller owns, and the arrays that never change |
| `in_place` | which values may overwrite what they are computed from |
| `functions` | the text of each function |
| `numbers` | what an optimizer is given at each step, as formulas in C |
| `files`: `main` | the text of each file |
| `report` | bytes of flash and RAM |
"""
