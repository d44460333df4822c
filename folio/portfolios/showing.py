"""What of the media visitors see: those of published portfolios, of their employers and of their tags."""

from django.db.models import Exists, OuterRef, Q

from folio.media.public import shown_by

from .models import Employer, Link, MetaEntry, Portfolio, PortfolioImage, PortfolioTag, Tag

PRIVATE = "_"  # what the keys of meta entries begin with that are never public


@shown_by
def shown_media() -> Q:
    """Return what is true of a media that a published portfolio, its employer or one of its tags shows."""
    published = Portfolio.objects.order_by().published()
    media, owner = OuterRef("pk"), OuterRef("pk")
    employers = Employer.objects.order_by().filter(Exists(published.filter(employer=owner)), image=media)
    placed = PortfolioTag.objects.order_by().filter(tag=owner, portfolio__in=published)
    entries = MetaEntry.objects.order_by().filter(portfolio__in=published, value_file=media)
    return (
        Q(Exists(published.filter(image=media)))
        | Q(Exists(PortfolioImage.objects.order_by().filter(portfolio__in=published, media=media)))
        | Q(Exists(Link.objects.order_by().filter(portfolio__in=published, image=media)))
        | Q(Exists(entries.exclude(key__startswith=PRIVATE)))
        | Q(Exists(employers))
        | Q(Exists(Tag.objects.order_by().filter(Exists(placed), image=media)))
    )
