"""Both walks one event at a time: as events, as frames of a film, as a page to click through."""
