from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from folio.media.ahead import complete, public_images
from folio.media.decoding import Decoders
from folio.media.management.each_image import EachImageCommand
from folio.media.models import MediaQuerySet


class Command(EachImageCommand):
    help = "Make variants of the images that visitors see, before they are asked for; the server may run meanwhile."
    name = "makevariants"
    anew_help = "make all anew, also those that are there, and delete those of former versions and focal points"
    decoders_beside = 1  # in a server it is left to uploads

    def images(self) -> MediaQuerySet:
        return public_images()

    def complete(self, pk: int, pool: Decoders, *, anew: bool) -> bool:
        return complete(pk, pool, anew=anew)

    def handle(self, **options: Any) -> None:
        if not settings.IMAGE_WIDTHS:
            raise CommandError("There is nothing to make: FOLIO_IMAGE_WIDTHS is empty.")
        super().handle(**options)
