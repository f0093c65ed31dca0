"""Layouts: where the boxes and arrows of a scene go."""
