"""The admin site's page on which an entry is shared before it is published."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from folio.admin.moments import shown
from folio.portfolios.models import Portfolio
from folio.portfolios.previews import end_all, share, shown_by
from tests.clock import Clock
from tests.conftest import Client
from tests.factories import make_portfolio, make_user

SITE = "https://studio.example/work/{slug}/"
LINK = re.compile(r'<input id="folio-sharing-link"[^>]* value="([^"]*)"')


@pytest.fixture(autouse=True)
def with_website(settings: Any) -> None:
    settings.SITE_URL, settings.PREVIEW_URL, settings.PUBLIC_READ = SITE, "", True


@pytest.fixture
def draft(db: None) -> Portfolio:
    return make_portfolio(slug="draft", title="A draft", is_active=False)


def path(portfolio: Portfolio) -> str:
    return f"/admin/portfolios/portfolio/{portfolio.pk}/share/"


def text(page: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.content.decode())).split())


def made(site: Site, portfolio: Portfolio, lifetime: Any = 7) -> str:
    """Make a link by the page's form, and return its URL."""
    page = site.post(path(portfolio), {"lifetime": lifetime})
    assert page.status_code == 200
    found = LINK.search(page.content.decode())
    assert found is not None
    return html.unescape(found[1])


def token_of(url: str) -> str:
    return url.partition("?preview=")[2]


class TestMaking:
    def test_shows_the_link_once_with_its_end(self, site: Site, draft: Portfolio, clock: Clock) -> None:
        page = site.post(path(draft), {"lifetime": 7})
        found = LINK.search(page.content.decode())

        assert found is not None
        assert found[1].startswith("https://studio.example/work/draft/?preview=")
        assert shown_by(token_of(found[1])) == draft
        until = shown(clock.after(days=7))  # which the page's script writes anew in the reader's time zone
        assert f"It works until {until}. It is shown only here, only this once" in page.content.decode()
        assert "no-store" in page.headers["Cache-Control"]
        again = site.get(path(draft)).content.decode()
        assert LINK.search(again) is None
        assert token_of(found[1]) not in again

    @pytest.mark.parametrize("days", [1, 7, 14, 30])
    def test_lasts_as_long_as_is_chosen(self, site: Site, draft: Portfolio, clock: Clock, days: int) -> None:
        token = token_of(made(site, draft, days))

        clock.move(days=days, seconds=-1)
        assert shown_by(token) == draft
        clock.move(seconds=1)
        assert shown_by(token) is None

    @pytest.mark.parametrize("lifetime", ["", "0", "31", "-1", "x", "7.5", "٧", None])
    def test_refuses_what_is_no_choice(self, site: Site, draft: Portfolio, lifetime: Any) -> None:
        page = site.post(path(draft), {} if lifetime is None else {"lifetime": lifetime})

        assert page.status_code == 400
        assert LINK.search(page.content.decode()) is None
        assert "folio-sharing-error" in page.content.decode()
        assert not LogEntry.objects.exists()

    def test_reading_the_page_makes_none_and_writes_nothing(self, site: Site, draft: Portfolio) -> None:
        site.get(path(draft))
        with CaptureQueriesContext(connection) as captured:
            site.get(path(draft))

        assert not LogEntry.objects.exists()
        assert all(each["sql"].startswith("SELECT") for each in captured)

    def test_the_link_is_the_one_that_is_set_for_previews(self, site: Site, draft: Portfolio, settings: Any) -> None:
        settings.PREVIEW_URL = "https://studio.example/preview/?slug={slug}&preview={token}"

        assert made(site, draft).startswith("https://studio.example/preview/?slug=draft&preview=")

    def test_needs_no_inline_script_or_style(self, site: Site, draft: Portfolio) -> None:
        page = site.post(path(draft), {"lifetime": 7}).content.decode()

        body = page[page.index("<folio-sharing") : page.index("</folio-sharing>")]
        assert "<script" not in body
        assert " style=" not in body
        assert not re.search(r"\son\w+=", body)

    def test_escapes_everything(self, site: Site, settings: Any) -> None:
        settings.SITE_URL = "https://studio.example/?a=1&work={slug}"
        draft = make_portfolio(title="<script>alert(1)</script>", slug="x", is_active=False)

        page = site.post(path(draft), {"lifetime": 7}).content.decode()

        assert "<script>alert" not in page
        assert "?a=1&amp;work=x&amp;preview=" in page


class TestOnTheWebsite:
    def test_leads_there_by_a_link_that_lasts_an_hour(self, site: Site, draft: Portfolio, clock: Clock) -> None:
        page = site.post(path(draft), {"_website": "1"})

        assert page.status_code == 200
        found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page.content.decode())
        assert found is not None
        assert html.unescape(found[1]).startswith("https://studio.example/work/draft/?preview=")
        assert f'href="{found[1]}" rel="noreferrer"' in page.content.decode()
        assert "no-store" in page.headers["Cache-Control"]
        token = token_of(html.unescape(found[1]))
        clock.move(minutes=59)
        assert shown_by(token) == draft
        clock.move(minutes=1)
        assert shown_by(token) is None

    def test_is_offered_in_the_preview_too(self, site: Site, draft: Portfolio) -> None:
        page = site.get(f"/admin/portfolios/portfolio/{draft.pk}/preview/").content.decode()

        assert f'action="{path(draft)}" target="_blank"' in page
        assert f'href="{path(draft)}"' in page

    def test_is_not_offered_where_no_website_is_known(self, site: Site, draft: Portfolio, settings: Any) -> None:
        settings.SITE_URL = ""

        preview = site.get(f"/admin/portfolios/portfolio/{draft.pk}/preview/").content.decode()
        page = site.get(path(draft))
        refused = site.post(path(draft), {"_website": "1"})
        not_made = site.post(path(draft), {"lifetime": 7})

        assert "_website" not in preview
        for each in (page, refused, not_made):
            assert each.status_code == 200
            assert "FOLIO_SITE_URL" in text(each)
            assert f'href="/admin/portfolios/portfolio/{draft.pk}/preview/"' in each.content.decode()
            assert "Make a link" not in text(each)
        assert not LogEntry.objects.exists()


class TestWhatIsSaid:
    def test_of_one_that_is_published(self, site: Site) -> None:
        page = site.get(path(make_portfolio(slug="shown")))

        assert "The entry is published: everyone can see it, without a link." in text(page)
        assert 'href="https://studio.example/work/shown/"' in page.content.decode()

    def test_of_one_that_is_not(self, site: Site, draft: Portfolio) -> None:
        assert "The entry is published" not in text(site.get(path(draft)))

    def test_while_public_reading_is_off(self, site: Site, draft: Portfolio, settings: Any) -> None:
        assert "FOLIO_PUBLIC_READ" not in text(site.get(path(draft)))
        settings.PUBLIC_READ = False
        assert "FOLIO_PUBLIC_READ" in text(site.get(path(draft)))


class TestHistory:
    def states(self, site: Site, portfolio: Portfolio) -> list[str]:
        page = site.get(path(portfolio)).content.decode()
        return re.findall(r'<span class="folio-sharing-state[^"]*">([^<]+)<', page)

    def test_tells_who_made_which_and_whether_they_work(
        self, site: Site, client: Client, draft: Portfolio, clock: Clock
    ) -> None:
        made(site, draft, 30)
        client.post(f"/api/portfolios/{draft.pk}/preview/", {"expires_in": 60})
        other = make_user("mia", is_staff=True, codes=[4204], first_name="Mia", last_name="Day")
        share(other, draft.pk, timedelta(days=2))

        page = text(site.get(path(draft)))

        assert "Mia Day (mia)" in page
        assert "through the API, with the key “test”" in page
        assert self.states(site, draft) == ["Works", "Works", "Works"]
        User.objects.filter(pk=other.pk).update(is_active=False)
        clock.move(minutes=1)
        assert self.states(site, draft) == ["Ended", "Ended", "Works"]

    def test_a_button_ends_all(self, site: Site, draft: Portfolio) -> None:
        tokens = [token_of(made(site, draft)), token_of(made(site, draft, 30))]
        kept = token_of(made(site, make_portfolio(slug="other", is_active=False)))
        assert "End all links" in text(site.get(path(draft)))

        page = site.post(path(draft), {"_end": "1"}, follow=True)

        assert page.redirect_chain == [(path(draft), 302)]
        assert "All links to this entry are ended." in text(page)
        assert "End all links" not in text(page)
        assert [shown_by(token) for token in tokens] == [None, None]
        assert shown_by(kept) is not None
        assert self.states(site, draft) == ["All ended", "Ended", "Ended"]
        made(site, draft)
        assert self.states(site, draft) == ["Works", "All ended", "Ended", "Ended"]

    def test_shows_the_latest_alone(self, site: Site, editor: User, draft: Portfolio) -> None:
        for _ in range(25):
            share(editor, draft.pk, timedelta(days=1))

        assert len(self.states(site, draft)) == 20

    def test_its_length_changes_the_number_of_queries_by_none(self, site: Site, editor: User, draft: Portfolio) -> None:
        counts = []
        for _ in range(3):
            share(editor, draft.pk, timedelta(days=1))
            site.get(path(draft))
            with CaptureQueriesContext(connection) as captured:
                site.get(path(draft))
            counts.append(len(captured))

        assert len(set(counts)) == 1

    def test_other_changes_are_not_told_of(self, site: Site, client: Client, draft: Portfolio) -> None:
        client.patch(f"/api/portfolios/{draft.pk}/", {"excerpt": 'says "preview_link":[null,null]'})

        assert self.states(site, draft) == []


class TestWhoMay:
    def test_is_for_those_who_may_change_what_is_published(
        self, site_for: Callable[[User], Site], drafter: Site, viewer: Site, draft: Portfolio, stranger: User
    ) -> None:
        form = f"/admin/portfolios/portfolio/{draft.pk}/change/"

        for reader in (drafter, viewer):
            for data in ({"lifetime": 7}, {"_website": "1"}, {"_end": "1"}):
                assert reader.post(path(draft), data).status_code == 403
            assert reader.get(path(draft)).status_code == 403
            assert "/share/" not in reader.get(form).content.decode()
            assert "/share/" not in reader.get(form.replace("change", "preview")).content.decode()
        assert site_for(stranger).get(path(draft)).headers["Location"].startswith("/admin/login/")
        assert not LogEntry.objects.exists()
        draft.refresh_from_db()
        assert draft.preview_generation == 0
        changer = site_for(make_user(is_staff=True, codes=[4203, 4204]))
        assert shown_by(token_of(made(changer, draft))) == draft
        assert path(draft) in changer.get(form).content.decode()

    def test_needs_the_token_of_the_form(self, editor: User, draft: Portfolio) -> None:
        site = Site(enforce_csrf_checks=True)
        site.force_login(editor)

        for data in ({"lifetime": 7}, {"_end": "1"}, {"_website": "1"}):
            assert site.post(path(draft), data).status_code == 403
        assert not LogEntry.objects.exists()

    @pytest.mark.parametrize("pk", ["0", "999999", "-1", "x", "9" * 18, "9" * 25, "9" * 5000, str(2**64), "١"])
    def test_there_is_none_of_what_is_not_there(self, site: Site, pk: str) -> None:
        assert site.get(f"/admin/portfolios/portfolio/{pk}/share/").status_code == 404
        assert site.post(f"/admin/portfolios/portfolio/{pk}/share/", {"lifetime": 7}).status_code == 404

    def test_an_entry_that_goes_meanwhile(self, site: Site, draft: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
        def gone(*args: Any, **kwargs: Any) -> Any:
            raise Portfolio.DoesNotExist

        monkeypatch.setattr("folio.portfolios.admin.sharing.share", gone)
        monkeypatch.setattr("folio.portfolios.admin.sharing.end_all", gone)

        for data in ({"lifetime": 7}, {"_end": "1"}, {"_website": "1"}):
            assert site.post(path(draft), data).status_code == 404

    def test_ended_ones_of_many_makers_are_told_in_bounded_time(self, site: Site, draft: Portfolio) -> None:
        for number in range(5):
            share(make_user(f"u{number}", is_staff=True, codes=[4204]), draft.pk, timedelta(days=1))
        end_all(make_user("u9", is_staff=True, codes=[4204]), draft.pk)

        with CaptureQueriesContext(connection) as captured:
            site.get(path(draft))
        assert len(captured) <= 20
