"""SVG: a scene and its layout as a picture."""
