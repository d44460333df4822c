from django.apps import AppConfig
from django.db.models.signals import post_delete
from django.utils.translation import gettext_lazy as _


class AccessConfig(AppConfig):
    name = "folio.access"
    verbose_name = _("Access")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from .models import Token, forget_answers

        post_delete.connect(forget_answers, sender=Token, dispatch_uid="folio.access.forget_answers")
        from .passwords import watch_passwords  # which needs the models

        watch_passwords()
