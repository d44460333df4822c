"""Telling websites, and those who build them, what has changed of what is published.

What other rooms use of it is here; the thread that compares and sends is in `teller`. Why it is as it is:
docs/decisions/0050-webhooks.md.
"""

from .addresses import check_url, masked
from .messages import secret_of
from .outbox import send_again

__all__ = ["check_url", "masked", "secret_of", "send_again"]
