"""Descriptions that name a file of the media library, as Markdown shows pictures."""

from django.db.models import Q, QuerySet
from django.utils.encoding import filepath_to_uri

from .models import Portfolio

ENOUGH = 101  # one more than a page names


def descriptions_with(name: str) -> tuple[QuerySet[Portfolio], str]:
    """Return the portfolios whose descriptions have a file's name in them, as it is or as an address writes it."""
    address = filepath_to_uri(name) or name
    found = Portfolio.objects.filter(Q(description__contains=name) | Q(description__contains=address))
    return found.order_by("pk")[:ENOUGH], "description"
