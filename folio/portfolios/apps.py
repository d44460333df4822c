from django.apps import AppConfig
from django.db.models.signals import post_migrate, post_save, pre_delete
from django.utils.translation import gettext_lazy as _


class PortfoliosConfig(AppConfig):
    name = "folio.portfolios"
    verbose_name = _("Portfolios")

    def ready(self) -> None:
        from folio.api.stored import showers
        from folio.api.texts import indexes
        from folio.api.viewsets import last_steps
        from folio.media.ahead import Upcoming, make_ahead_of_saved
        from folio.media.mentions import finders
        from folio.tasks.registry import lookouts

        from . import public_media  # noqa: F401 - it tells which media are public
        from .mentions import descriptions_with
        from .models import Portfolio
        from .moments import next_publication
        from .searching.checks import register_checks
        from .searching.due import fold_with_a_write, follow_migrations, look_for_due
        from .searching.parts import by_parts
        from .services import touch_tagged
        from .showing import SHOWER

        showers.append(SHOWER)
        pre_delete.connect(touch_tagged, sender="portfolios.Tag", dispatch_uid="folio.portfolios.touch_tagged")
        # Whatever else changes is part of one of these, and touches it.
        for name in ("Portfolio", "Employer", "Tag", "PortfolioImage", "Link", "MetaEntry"):
            post_save.connect(
                make_ahead_of_saved, sender=f"portfolios.{name}", dispatch_uid=f"folio.portfolios.make_ahead_of_{name}"
            )
        post_migrate.connect(follow_migrations, sender=self, dispatch_uid="folio.portfolios.searching")
        indexes[Portfolio] = by_parts
        finders.append(descriptions_with)
        last_steps.append(fold_with_a_write)
        lookouts += [look_for_due, Upcoming(next_publication).look]
        register_checks()
