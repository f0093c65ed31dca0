"""Layouts: where the boxes and arrows of a scene go.

| file | contents |
|---|---|
| `engines` | which engine is used: Graphviz, Graphviz as WebAssembly, or the built-in one |
| `dot_text` | scenes in the DOT language, for Graphviz |
| `layered`: `layered_level` | the built-in engine |
| `columns`: `columns_side_by_side` | a tall picture in several columns |
| `crossings` | arrows that run through boxes |
| `title_space` | room for the titles of frames |
| `geometry`, `curves` | positions, sizes, and arrows as curves |
"""
