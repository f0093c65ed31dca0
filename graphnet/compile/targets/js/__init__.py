"""JavaScript as a target."""
