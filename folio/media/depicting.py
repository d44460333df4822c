"""Which files that are no images a picture is made of, by the server's settings."""

import shutil

from django.conf import settings
from django.db.models import Q

from .models import Media, MediaQuerySet, MediaType
from .orders import Depict
from .posters import DEMUXERS, PDF

POSTER_SECONDS = 10.0  # that an upload waits for a decoder, and then for what it makes


def to_depict(mime_type: str) -> Depict | None:
    """Return what to order of a decoder for a file of that type; None where it makes nothing of such files here."""
    ffmpeg = shutil.which(settings.FFMPEG) if mime_type in DEMUXERS and settings.FFMPEG else None
    if mime_type != PDF and ffmpeg is None:
        return None
    return Depict(mime_type, settings.MAX_IMAGE_PIXELS, POSTER_SECONDS, ffmpeg or "")


def with_pictures() -> MediaQuerySet:
    """Return the media that have thumbnails, or could have."""
    return Media.objects.filter(Q(type=MediaType.IMAGE) | Q(mime_type__in=[PDF, *DEMUXERS]))


def is_depicted(media: Media) -> bool:
    """Tell whether a media is no image, and has a picture all the same; its `thumbnails` are best prefetched."""
    return media.type != MediaType.IMAGE and bool(media.thumbnails.all())
