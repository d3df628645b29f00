"""Texts written by hand, and their reader."""
