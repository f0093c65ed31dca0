"""Pictures of the list: as it is, as it is walked, and of how it learns.

| file | what it holds |
|---|---|
| `picture` | what `graph.draw` and `module.draw` do, step by step |
| `scene`, `building`, `fold`: `repetitions` | boxes and arrows, and fewer of them |
| `geometry`, `engines`, `dot`, `ranker`: `level`, `curves` | where they go |
| `paint`: `style`, `marks`, `footer`, `strips` | the SVG |
| `drawing`, `png` | the result, and its other formats |
| `text`, `summary`: `flops`, `health` | the list in words and tables |
| `formulas`: `symbols`, `derivation` | its rules written out |
| `walk`, `frames`, `page` | both walks, one event at a time |
| `plots` | curves, boundaries and matrices of a training, by matplotlib |
| `doctor` | what is in use here |
"""
