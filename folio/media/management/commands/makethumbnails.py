from folio.media.decoding import Decoders
from folio.media.depicting import with_pictures
from folio.media.management.each_image import EachImageCommand
from folio.media.models import MediaQuerySet
from folio.media.renewing import complete


class Command(EachImageCommand):
    help = "Make thumbnails from the originals, which are left as they are; the server may run meanwhile."
    name = "makethumbnails"

    def images(self) -> MediaQuerySet:
        return with_pictures()

    def complete(self, pk: int, pool: Decoders, *, anew: bool) -> bool:
        return complete(pk, pool, anew=anew)
