"""What of the media visitors see: those of published portfolios, of their employers and of their tags."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from folio.media.public import changed_by, shown_by

from .models import Employer, Link, MetaEntry, Portfolio, PortfolioImage, PortfolioTag, Tag

PRIVATE = "_"  # what the keys of meta entries begin with that are never public


@shown_by
def shown_media() -> Q:
    """Return what is true of a media that a published portfolio, its employer or one of its tags shows.

    Each part is asked of one media by an index, so that a page of many media costs the same however many there are.
    """
    media, owner = OuterRef("pk"), OuterRef("pk")
    published = Portfolio.objects.order_by().published()
    of_published = Exists(published.filter(pk=OuterRef("portfolio")))
    entries = MetaEntry.objects.order_by().exclude(key__startswith=PRIVATE)
    placed = PortfolioTag.objects.order_by().filter(of_published, tag=owner)
    return (
        Q(Exists(published.filter(image=media)))
        | Q(Exists(PortfolioImage.objects.order_by().filter(of_published, media=media)))
        | Q(Exists(Link.objects.order_by().filter(of_published, image=media)))
        | Q(Exists(entries.filter(of_published, value_file=media)))
        | Q(Exists(Employer.objects.order_by().filter(Exists(published.filter(employer=owner)), image=media)))
        | Q(Exists(Tag.objects.order_by().filter(Exists(placed), image=media)))
    )


@changed_by
def changed_media(since: datetime) -> Q:
    """Return what is true of a media that a portfolio, employer or tag has which was changed since a moment.

    These are found from what was changed, which is little, and not by a look at every media.
    """
    changed = Portfolio.objects.order_by().filter(Q(updated_at__gte=since) | Q(publish_at__gte=since))
    employers = Employer.objects.order_by().filter(Q(updated_at__gte=since) | Q(pk__in=changed.values("employer")))
    placed = PortfolioTag.objects.order_by().filter(portfolio__in=changed)
    tags = Tag.objects.order_by().filter(Q(updated_at__gte=since) | Q(pk__in=placed.values("tag")))
    return (
        Q(pk__in=changed.values("image"))
        | Q(pk__in=PortfolioImage.objects.order_by().filter(portfolio__in=changed).values("media"))
        | Q(pk__in=Link.objects.order_by().filter(portfolio__in=changed).values("image"))
        | Q(pk__in=MetaEntry.objects.order_by().filter(portfolio__in=changed).values("value_file"))
        | Q(pk__in=employers.values("image"))
        | Q(pk__in=tags.values("image"))
    )
