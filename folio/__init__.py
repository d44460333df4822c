"""Folio, a headless portfolio backend."""

__version__ = "0.2.0"
