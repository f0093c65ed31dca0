"""Targets: what a program is printed for, each in a folder of its own."""
