"""How a media goes: alone, or off everything that uses it."""

from collections.abc import Callable
from typing import Any

from folio.access.codes import RESOURCES, Code
from folio.api.stored import lock_showing
from folio.api.usage import detach, detachments, lock_users, uses_of
from folio.history.changes import Changes

from .models import GOING, Media


def take_off_all(
    media: Media, permit: Callable[[Code], None], log: Callable[[list[tuple[Any, Changes]]], None]
) -> None:
    """Take a media off everything that uses it, in the caller's transaction, in which `lock_users()` was called.

    `permit` raises unless whoever asks may use the code: that of updating each resource that is changed. `log` records
    what is changed in the history.
    """
    for resource in sorted({use.resource for use in uses_of(Media, media.pk)}):
        permit(RESOURCES[resource]["update"])
    changed = detachments(Media, media.pk)
    detach(Media, media.pk)
    log(changed)


def locked_with_users(pk: int) -> Media | None:
    """Keep others from changing a media that goes and what uses it until the transaction ends; None where none is."""
    lock_showing(Media, [pk], GOING)
    lock_users(Media, pk)
    return Media.objects.select_for_update().filter(pk=pk).first()
