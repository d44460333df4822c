"""Every address of the admin site, from the URL configuration itself, so that no new page is forgotten."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver, reverse

# Answers that no one sees as a page, or that nobody comes to by a plain visit.
NO_PAGES = {
    "admin:jsi18n": "a script",
    "admin:autocomplete": "JSON",
    "admin:search": "a part of a page",
    "search": "the same",
    "admin:view_on_site": "a redirect",
    "admin:logout": "a change",
    "admin:login": "a redirect, for who is signed in",
    "admin-sign-in": "the same",
    "own-password": "admin:password_change, by its other name",
    "admin:app_list": "for each app, below",
    "set_language": "a change",
    "session": "JSON",
    "admin:media_media_panel": "a part of a page",
    "admin:media_media_pick": "a part of a page",
    "admin:media_media_picture": "a picture",
    "admin:media_media_replace": "JSON",
    "admin:media_media_texts": "JSON",
    "admin:media_media_upload": "JSON",
    "admin:portfolios_employer_make": "JSON",
    "admin:portfolios_tag_make": "JSON",
    "admin:portfolios_portfolio_duplicate": "a change",
    "admin:portfolios_portfolio_markdown": "JSON",
    "admin:portfolios_portfolio_reorder": "JSON",
    "admin:portfolios_portfolio_restore": "of an entry of the history: tests/browser/test_two_editors.py goes there",
    "admin:portfolios_portfolio_state": "JSON",
}
PLAIN = ("admin:index", "admin:password_change", "admin:password_change_done")
OF_MODELS = {"changelist": False, "add": False, "change": True, "delete": True, "history": True}  # whether of one row


def admin_routes() -> set[str]:
    """Return the names of all routes under `/admin/`; those without a name as their pattern."""
    return {name for prefix, name in walk(get_resolver(), "", "") if prefix.startswith("admin/")}


def walk(resolver: URLResolver, prefix: str, namespace: str) -> Iterator[tuple[str, str]]:
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from walk(pattern, path, namespace + (f"{pattern.namespace}:" if pattern.namespace else ""))
        elif isinstance(pattern, URLPattern):
            yield path, namespace + pattern.name if pattern.name else path


def admin_pages(first: Mapping[str, int]) -> dict[str, str]:
    """Return the address of each page by its route's name; `first` is a row of each model, by its label."""
    pages = {name: reverse(name) for name in PLAIN}
    for model in admin.site._registry:
        meta: Any = model._meta
        for page, is_of_row in OF_MODELS.items():
            name = f"admin:{meta.app_label}_{meta.model_name}_{page}"
            if name in admin_routes():
                pages[name] = reverse(name, args=[first[meta.label]] if is_of_row else [])
    portfolio = first["portfolios.Portfolio"]
    pages["admin:portfolios_portfolio_preview"] = reverse("admin:portfolios_portfolio_preview", args=[portfolio])
    pages["admin:portfolios_portfolio_share"] = reverse("admin:portfolios_portfolio_share", args=[portfolio])
    pages["admin:auth_user_password_change"] = reverse("admin:auth_user_password_change", args=[first["auth.User"]])
    for app in sorted({model._meta.app_label for model in admin.site._registry}):
        pages[f"admin:app_list {app}"] = reverse("admin:app_list", args=[app])
    return pages


def forgotten(pages: Mapping[str, str]) -> set[str]:
    """Return the routes that are neither a page of the list nor known to be none."""
    redirects = {name for name in admin_routes() if name.endswith("<path:object_id>/")}  # from an old address
    catch_all = {name for name in admin_routes() if name.endswith("(?P<url>.*)$")}
    return admin_routes() - set(pages) - set(NO_PAGES) - redirects - catch_all
