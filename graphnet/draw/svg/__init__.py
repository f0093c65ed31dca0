"""SVG: a scene and its layout as a picture.

| file | contents |
|---|---|
| `paint` | the picture: frames, arrows, boxes |
| `style`, `marks` | the look of each kind of box; outlines, curves, escaped text |
| `values`: `histograms`, `grid` | what a box shows of its tensors |
| `theme` | light, dark, or as the page is |
| `labels`: `titles`, `label_placement` | what is written on frames and arrows |
| `footer` | what is written below |
"""
