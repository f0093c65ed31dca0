"""JavaScript as a target: a list as one readable function, for a page without a server.

| file | contents |
|---|---|
| `program` | a list as a program, and the description of its nodes |
| `assemble`: `result` | the body of `createProgram` for one size of the batch; what it returns |
| `open_batch` | one text for any size of the batch, from three |
| `parts` | a small program for each walk through each node |
| `optimizers`, `updates` | the update of a parameter, and its text |
| `open_update` | the update of a parameter of any size |
| `printer`: `adding` | the text of a part; gradients add to what is there |
| `loops`: `expressions` | maps and reductions; scalars as text |
| `products` | contractions, as tables of places |
| `names` | identifiers, strings and comments |
| `prelude` | the functions that programs call: `prelude.js` |
| `random` | random numbers that a page repeats to the bit: `random.js` |
"""
