"""No text that somebody has stored becomes markup on a page of the admin site, nor leads its reader elsewhere."""

from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib import admin as admin_site
from django.contrib.auth.models import Group, User
from django.test import Client as Site
from django.utils.http import urlencode

from tests.conftest import Client
from tests.delivery.webhooks.hooks import make_delivery, make_webhook
from tests.factories import make_employer, make_image, make_key, make_link, make_meta, make_portfolio, make_tag
from tests.pages import admin_pages

MARK = "hostile-7"
TEXT = f"\"'><img src={MARK} onerror={MARK}()><script>{MARK}()</script><a href=javascript:{MARK}()>{{{{7*7}}}}"
LONG = f'{TEXT}\n\n[a](javascript:{MARK}()) ![b](x "onerror={MARK}()") <svg onload={MARK}()></svg>'


ADDRESSES = {"href", "src", "action", "formaction", "poster", "srcset", "data"}


class Markup(HTMLParser):
    """Gathers what of a page could run, load or lead anywhere because of a stored text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.shown = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            text = (value or "").strip().lower()
            leads = name in ADDRESSES and (text.startswith(("javascript:", "data:text")) or text == MARK)
            if leads or name.startswith("on"):
                self.found.append(f"<{tag} {name}={value!r}>")
        if tag == "script" and not dict(attributes).get("src"):
            self.is_script = dict(attributes).get("type") != "application/json"

    is_script = False

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self.is_script = False

    def handle_data(self, data: str) -> None:
        if self.is_script and data.strip():
            self.found.append(f"<script>{data[:60]}")
        self.shown += data.count(MARK)


def markup(page: str) -> Markup:
    parser = Markup()
    parser.feed(page)
    parser.close()
    return parser


@pytest.fixture
def hostile(admin: User, client_for: Any) -> dict[str, str]:
    """The addresses of all pages, of rows whose texts are hostile, and were changed to others by a hostile name."""
    tag, employer = make_tag(name=f"{TEXT[:90]}1"), make_employer(name=f"{TEXT[:90]}2", description=LONG)
    media = make_image(name="a.png", alt=TEXT)
    portfolio = make_portfolio(
        title=TEXT, excerpt=TEXT, description=LONG, tags=[tag], employer=employer, image=media, images=[media]
    )
    make_link(portfolio, name=TEXT[:100])
    make_meta(portfolio, key=TEXT[:60], value_text=LONG)
    make_key(admin, name=TEXT[:60])
    User.objects.filter(pk=admin.pk).update(first_name=TEXT[:100], last_name=TEXT[:100])
    make_delivery(make_webhook(), answer=LONG, error=TEXT, body=f'{{"data": "{MARK}<script>"}}')
    Group.objects.create(name=TEXT[:100])
    client: Client = client_for(admin, name=TEXT[:60])
    for path, field in (("portfolios", "title"), ("employers", "name"), ("tags", "name"), ("media", "alt")):
        pk = {"portfolios": portfolio, "employers": employer, "tags": tag, "media": media}[path].pk
        assert client.patch(f"/api/{path}/{pk}/", {field: f"{TEXT[:90]} 3"}).status_code == 200
    models = [model._default_manager for model in admin_site.site._registry]
    rows = {model.model._meta.label: model.order_by("pk").values_list("pk", flat=True)[0] for model in models}
    return admin_pages(rows | {"auth.Group": Group.objects.get(name=TEXT[:100]).pk})


def test_no_page_makes_markup_of_a_text(hostile: dict[str, str], site_for: Any, admin: User) -> None:
    site: Site = site_for(admin)
    searches = {
        "search": f"/admin/search/?{urlencode({'s': MARK})}",
        "a list that is searched": f"/admin/portfolios/portfolio/?{urlencode({'q': TEXT})}",
        "a list that is refused": f"/admin/portfolios/portfolio/?{urlencode({TEXT: TEXT})}",
        "a path": f"/admin/{TEXT.replace('?', '').replace('#', '')}/",
    }
    shown = 0
    for name, address in (hostile | searches).items():
        page = markup(site.get(address).content.decode())
        assert page.found == [], name
        shown += page.shown

    assert shown > 50  # the texts were there


def test_the_words_of_an_address_are_no_markup_before_anyone_has_signed_in(db: None) -> None:
    for address in (f"/admin/login/?{urlencode({'next': TEXT})}", f"/{TEXT}", f"/admin/?{urlencode({'a': TEXT})}"):
        assert markup(Site().get(address, follow=True).content.decode()).found == []


def test_a_page_that_does_is_found_out() -> None:
    assert markup(f"<p>{TEXT}</p>").found
    assert markup(f"<script>{MARK}()</script>").found
    assert not markup("<script src=/static/a.js></script><p>hostile-7 &lt;img onerror=x&gt;</p>").found
