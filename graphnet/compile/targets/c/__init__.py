"""C as a target: the loops of `lower` as text, what compiles it, and keeps what was compiled.

| file | contents |
|---|---|
| `assemble` | a program lowered, printed, compiled, and bound to its memory |
| `printer`: `names`, `prelude` | the whole source: names, functions |
| `loops`: `expressions` | maps and reductions; scalars as text |
| `products`: `pieces`, `tiles` | contractions, around tiles whose sums stay in registers |
| `transposing` | copies in another order, by squares that lie in registers |
| `several` | many steps in one call |
| `masks` | random masks, which torch draws |
| `export/` | standalone C for machines without Python |
| `toolchain` | from a source to a loaded library, in the background |
| `compilers` | which compiler is here, and the flags that it is given |
| `background` | a program that runs in the background, and ends with this one |
| `library_cache`: `private_folder` | compiled libraries on disk, where only the user can write |
"""
