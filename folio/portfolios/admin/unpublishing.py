"""What those who unpublish an entry are told: who can read it all the same."""

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext

from folio.access.models import Token
from folio.access.readers import readers_of_unpublished
from folio.admin.options import may_see

NAMED = 5  # keys; the list of keys has the others


def still_read(request: HttpRequest) -> str:
    """Say in words who can read what is not published: by which keys, and whether visitors read without one."""
    found = readers_of_unpublished()
    if not found:
        keys = gettext("No API key reads what is not published.")
    elif sees_all_keys(request):
        keys = ngettext(
            "%(count)d API key still reads what is not published: %(names)s.",
            "%(count)d API keys still read what is not published: %(names)s.",
            len(found),
        ) % {"count": len(found), "names": names_of(found)}
    else:
        keys = gettext("Websites and programs whose API key reads more than what is published can still read it.")
    public = (
        gettext("Public reading is on, and shows what is published alone.")
        if settings.PUBLIC_READ
        else gettext("Public reading is off: nobody reads entries without an API key.")
    )
    return f"{keys} {public}"


def with_link(request: HttpRequest, text: str) -> str:
    """Return the words with a link to all keys, for those who may see them."""
    if not sees_all_keys(request):
        return text
    url = reverse("admin:access_token_changelist")
    return format_html('{} <a href="{}" class="text-link">{}</a>', text, url, gettext("Show the API keys"))


def sees_all_keys(request: HttpRequest) -> bool:
    """Tell whether someone may be told which keys others have; everyone may open the list of their own."""
    return may_see(request, Token) and request.user.has_perm("access.view_token")


def names_of(tokens: list[Token]) -> str:
    names = [
        gettext("“%(name)s” of %(user)s") % {"name": token, "user": token.user.get_username()}
        for token in tokens[:NAMED]
    ]
    return ", ".join(names) + (" …" if len(tokens) > NAMED else "")
