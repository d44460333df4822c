import gc

from folio.management.commands.serve import share_memory


def test_what_is_loaded_is_not_looked_through_for_garbage_by_each_worker() -> None:
    """A worker is forked; what its collector touches is copied for it, 20 MB of what all could share."""
    try:
        share_memory()
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
