"""C as a target: what compiles a source, and keeps what was compiled.

| file | contents |
|---|---|
| `toolchain` | from a source to a loaded library, in the background |
| `compilers` | which compiler is here, and the flags that it is given |
| `background` | a program that runs in the background, and ends with this one |
| `library_cache`: `private_folder` | compiled libraries on disk, where only the user can write |
"""
