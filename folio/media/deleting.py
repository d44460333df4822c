"""How a media goes: alone, or off everything that uses it."""

from collections.abc import Callable

from folio.access.codes import RESOURCES, Code
from folio.api.usage import detach, lock_users, uses_of

from .models import Media


def take_off_all(media: Media, permit: Callable[[Code], None]) -> None:
    """Take a media off everything that uses it, in the caller's transaction, in which `lock_users()` was called.

    `permit` raises unless whoever asks may use the code: that of updating each resource that is changed.
    """
    for resource in sorted({use.resource for use in uses_of(Media, media.pk)}):
        permit(RESOURCES[resource]["update"])
    detach(Media, media.pk)


def locked_with_users(pk: int) -> Media | None:
    """Keep others from changing a media and what uses it until the transaction ends; None where there is none."""
    lock_users(Media, pk)
    return Media.objects.select_for_update().filter(pk=pk).first()
