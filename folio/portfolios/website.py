"""Where the website shows a portfolio, as far as the installation knows one."""

from urllib.parse import quote, urlsplit

from django.conf import settings


def page_of(slug: str) -> str | None:
    """Return the URL of a portfolio's page on the website; None where the installation knows no website."""
    return settings.SITE_URL.replace("{slug}", quote(slug, safe="")) if settings.SITE_URL else None


def preview_page_of(slug: str, token: str) -> str | None:
    """Return the URL at which the website shows an entry to who has the token: its page's, unless there is another."""
    if settings.PREVIEW_URL:
        return str(settings.PREVIEW_URL).replace("{slug}", quote(slug, safe="")).replace("{token}", token)
    page = page_of(slug)
    if page is None:
        return None
    parts = urlsplit(page)
    query = f"{parts.query}&preview={token}" if parts.query else f"preview={token}"
    return parts._replace(query=query).geturl()
