"""Scenes: boxes and arrows, and fewer of them, before it is known where they go."""
