"""Cleaning up after a worker that died while the others serve: files that are in no row, uploads that never ended."""

import logging
import sys
import time

from django.db import Error, connections

from folio.media.journal import recover

from .working import die_with

logger = logging.getLogger(__name__)

# The second look is for what the dead worker's decoder still held: it follows its worker within moments.
PAUSES = (0, 2)  # seconds before each look


def clean_up(parent: int) -> None:
    """Clean up, in a process that ends with its parent; end it with the status 1 where the database can't be asked."""
    die_with(parent)
    count = 0
    try:
        for pause in PAUSES:
            time.sleep(pause)
            count += recover()
    except Error as error:
        logger.warning("What a worker left can't be cleaned up yet; it is tried again. %s", str(error).strip())
        sys.exit(1)
    finally:
        connections.close_all()
        if count:
            logger.info("Cleaned up after %d interrupted uploads, changes and deletions of files.", count)
