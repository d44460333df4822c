from django.apps import AppConfig
from django.conf import settings
from django.core.signals import request_finished
from django.db.models.signals import post_delete, post_save
from django.utils.translation import gettext_lazy as _
from PIL import Image


class MediaConfig(AppConfig):
    name = "folio.media"
    verbose_name = _("Media")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from folio.postgresql.pools import give_back

        from .ahead import make_ahead_of_saved
        from .decoding import before_waits
        from .journal import settle
        from .models import Media, Thumbnail
        from .removals import let_go
        from .removing import companions
        from .variant_files import variant_names

        companions.append(variant_names)
        before_waits.append(give_back)
        for model in (Media, Thumbnail):
            post_delete.connect(let_go, sender=model)
        request_finished.connect(settle)
        post_save.connect(make_ahead_of_saved, sender=Media)
        # Pillow's own limit only warns up to twice its value, and would hold beside a setting above it.
        Image.MAX_IMAGE_PIXELS = settings.MAX_IMAGE_PIXELS
