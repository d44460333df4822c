"""Backups: a copy of the database at one moment with all files of that moment, and the way back.

docs/decisions/0067-backups.md has the reasons.
"""

from folio.server.refusing import Refused

from .keeping import listed, prune
from .making import make
from .manifest import Made

__all__ = ["WITHOUT_KEY", "Made", "Refused", "listed", "make", "prune"]
WITHOUT_KEY = (
    "The secret key is not in it. Restored beside another key, all people have to sign in again, links to previews "
    "have to be made anew, and receivers of webhooks be given the new secrets; passwords and API keys stay good."
)
