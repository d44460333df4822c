"""Django's backend for SQLite, in which those who write take turns: docs/decisions/0026-writes.md."""
