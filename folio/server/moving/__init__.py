"""An installation that moves: all rows into another database, all files into another storage, and both compared.

It stands here, not beside import and export: those take content in a form for people, this takes everything as it is,
ids, sessions and history included, and has to know migrations and who has the database open.

The rows are one transaction of the target, in which they are compared as well, and files come before it: so the target
is empty until all of it is there, and whoever serves it too early serves an empty installation, not half of one.
docs/decisions/0065-moving.md has the reasons.
"""

from folio.server.refusing import Refused, listed

__all__ = ["SOURCE", "TARGET", "Refused", "listed"]
SOURCE, TARGET = "source", "target"  # the names of the two databases in this process
