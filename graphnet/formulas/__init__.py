"""The rules of operations as formulas.

| file | contents |
|---|---|
| `symbols` | a rule is run on symbols, and what it does is written down |
| `operation` | the formulas of one operation, with the names and shapes of a graph |
| `derivation` | the backward pass as a worked exercise: `graph.derivation()` |
"""
