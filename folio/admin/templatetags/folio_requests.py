from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from folio.current import current

register = template.Library()


@register.simple_tag
def name_request() -> SafeString | str:
    """Tell the request's id on a page about a failure, for whoever reports it; nothing where it has none."""
    words = _("Whoever runs this site finds it in the log by this number:")
    return format_html('<p><small>{} <code dir="ltr">{}</code></small></p>', words, current.id) if current.id else ""
