"""Whole experiments, each from its settings to its figures."""
