"""What a teller does, in the test's own thread."""

import time

from folio.delivery.webhooks.teller import Teller

from .endpoints import PATIENCE


def run(teller: Teller) -> None:
    """Do what is due now, and wait until all attempts have ended."""
    end = time.monotonic() + PATIENCE
    teller.step()
    while teller.sending:
        assert time.monotonic() < end
        time.sleep(0.005)
        teller.step()
