"""Pages: one HTML file without server or network, with a picture that moves under the hand.

| file | contents |
|---|---|
| `assets` | templates, styles and scripts, and how they become one file |

`page.css` and `viewport.js` also serve the page of a walk.
"""
