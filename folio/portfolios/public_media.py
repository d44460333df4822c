"""What of the media visitors see: those of published portfolios, of their employers and of their tags."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from folio.media.public import changed_by, shown_by

from .models import Employer, Link, MetaEntry, Portfolio, PortfolioImage, PortfolioQuerySet, PortfolioTag, Tag

PRIVATE = "_"  # what the keys of meta entries begin with that are never public


@shown_by
def shown_media() -> Q:
    """Return what is true of a media that a published portfolio, its employer or one of its tags shows."""
    return shown_by_portfolios(Portfolio.objects.order_by().published())


@changed_by
def changed_media(since: datetime) -> Q:
    """Return what is true of a media that a portfolio, employer or tag shows which was changed since a moment."""
    media = OuterRef("pk")
    changed = Q(updated_at__gte=since) | Q(publish_at__gte=since)
    return (
        shown_by_portfolios(Portfolio.objects.order_by().published().filter(changed))
        | Q(Exists(Employer.objects.order_by().filter(image=media, updated_at__gte=since)))
        | Q(Exists(Tag.objects.order_by().filter(image=media, updated_at__gte=since)))
    )


def shown_by_portfolios(portfolios: PortfolioQuerySet) -> Q:
    media, owner = OuterRef("pk"), OuterRef("pk")
    employers = Employer.objects.order_by().filter(Exists(portfolios.filter(employer=owner)), image=media)
    placed = PortfolioTag.objects.order_by().filter(tag=owner, portfolio__in=portfolios)
    entries = MetaEntry.objects.order_by().filter(portfolio__in=portfolios, value_file=media)
    return (
        Q(Exists(portfolios.filter(image=media)))
        | Q(Exists(PortfolioImage.objects.order_by().filter(portfolio__in=portfolios, media=media)))
        | Q(Exists(Link.objects.order_by().filter(portfolio__in=portfolios, image=media)))
        | Q(Exists(entries.exclude(key__startswith=PRIVATE)))
        | Q(Exists(employers))
        | Q(Exists(Tag.objects.order_by().filter(Exists(placed), image=media)))
    )
