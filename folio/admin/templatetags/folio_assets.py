from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from folio.admin import assets

register = template.Library()


@register.simple_tag
def site_styles() -> SafeString:
    """Link the styles of every page: one file where `folio serve` has made it of the several."""
    return format_html_join("\n", '<link href="{}" rel="stylesheet">', ((url,) for url in assets.urls(assets.STYLES)))


@register.simple_tag
def site_scripts() -> SafeString:
    """Load the scripts of every page, likewise."""
    return format_html_join("\n", '<script src="{}" defer></script>', ((url,) for url in assets.urls(assets.SCRIPTS)))
