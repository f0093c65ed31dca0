"""The lowered form: a program of nodes as loops over scalars, which several printers share.

| file | contents |
|---|---|
| `scalars`, `primitives` | what one element is computed from: traced from the rules of operations |
| `loops` | the statements: maps, reductions, contractions, checks |
| `axes` | loops in the order of memory, as few as possible |
| `lowering`: `statements`, `layouts` | from nodes to statements; which axis vectors run along |
| `long_sums`, `joining` | long sums in blocks; maps that share a nest of loops |
| `rules/` | a row for each operation that is not elementwise |
"""
