"""Folio, a headless portfolio backend."""

__version__ = "0.1.0"
