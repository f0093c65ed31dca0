"""Pages: one HTML file without server or network, with a picture that moves under the hand.

| file | contents |
|---|---|
| `page` | the page of a drawing |
| `views`, `ports`, `copies` | the drawing, and what is inside each of its boxes |
| `cards` | what is said about a box |
| `theme` | its colours |
| `assets` | templates, styles and scripts, and how they become one file |

Of the scripts, `stretch.js` computes where everything goes when a box is opened, `picture.js` keeps
the elements there, and `explore.js` listens. `page.css`, `theme.js` and `viewport.js` also serve
the page of a walk.
"""
