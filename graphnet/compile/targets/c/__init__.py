"""C as a target: what prints and compiles a source, and keeps what was compiled.

| file | contents |
|---|---|
| `assemble` | from a program to a function, bound to its memory |
| `printer`: `loops`, `products`, `tiles`, `expressions`, `several` | the text |
| `prelude`: `names`, `text` | functions, names and lines that the text is made of |
| `export/` | standalone C for machines without Python |
| `toolchain` | from a source to a loaded library, in the background |
| `compilers` | which compiler is here, and the flags that it is given |
| `background` | a program that runs in the background, and ends with this one |
| `library_cache`: `private_folder` | compiled libraries on disk, where only the user can write |
"""
