"""Both walks, one event at a time: `graph.walk(feed, loss)`.

| file | contents |
|---|---|
| `walk` | the events |
| `frames` | a picture for each of them |
| `page` | a page to click through |
| `numbers` | the numbers of small tensors, and how each was computed |
"""
