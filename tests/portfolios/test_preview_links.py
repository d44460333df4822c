"""Making and ending links that show a portfolio before it is published, through the API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from folio.admin.moments import shown
from folio.history import entries_of, told
from folio.portfolios.duplicating import duplicate
from folio.portfolios.models import Portfolio
from folio.portfolios.previews import shown_by
from tests.clock import Clock
from tests.conftest import Client
from tests.factories import make_portfolio, make_user
from tests.forms import shown_values

DAY = 86_400


def path(portfolio: Portfolio) -> str:
    return f"/api/portfolios/{portfolio.pk}/preview/"


def made(client: Client, portfolio: Portfolio, **body: Any) -> Any:
    response = client.post(path(portfolio), body)
    assert response.status_code == 201, response.content
    return response.json()


@pytest.fixture
def draft(db: None, settings: Any) -> Portfolio:
    settings.SITE_URL, settings.PREVIEW_URL = "https://studio.example/work/{slug}/", ""
    return make_portfolio(slug="draft", is_active=False)


class TestMaking:
    def test_answers_with_the_link_its_token_and_its_end(self, client: Client, draft: Portfolio, clock: Clock) -> None:
        response = client.post(path(draft))
        answer = response.json()

        assert response.status_code == 201
        assert response.headers["Cache-Control"] == "no-store"
        assert not {"ETag", "Location"} & response.headers.keys()
        assert list(answer) == ["url", "token", "expires_at"]
        assert answer["url"] == f"https://studio.example/work/draft/?preview={answer['token']}"
        assert answer["expires_at"] == clock.after(days=7).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert shown_by(answer["token"]) == draft

    @pytest.mark.parametrize("seconds", [1, DAY, 30 * DAY])
    def test_lasts_as_long_as_is_asked_for(self, client: Client, draft: Portfolio, clock: Clock, seconds: int) -> None:
        answer = made(client, draft, expires_in=seconds)

        assert answer["expires_at"] == clock.after(seconds=seconds).strftime("%Y-%m-%dT%H:%M:%SZ")
        clock.move(seconds=seconds - 1)
        assert shown_by(answer["token"]) == draft
        clock.move(seconds=1)
        assert shown_by(answer["token"]) is None

    @pytest.mark.parametrize("value", [0, -1, 30 * DAY + 1, 10**60, 1.5, 60.0, "60", True, None, [60], {}, ""])
    def test_refuses_what_is_no_such_time(self, client: Client, draft: Portfolio, value: Any) -> None:
        response = client.post(path(draft), {"expires_in": value})

        assert response.status_code == 400
        (message,) = response.json()["expires_in"]
        assert "from 1 to 2592000 (30 days)" in message
        assert len(message) < 200

    @pytest.mark.parametrize("body", [{"expires": 60}, {"expires_in": 60, "slug": "draft"}, {"token": "x"}])
    def test_refuses_unknown_keys(self, client: Client, draft: Portfolio, body: Any) -> None:
        response = client.post(path(draft), body)

        assert response.status_code == 400
        assert list(response.json()) == [next(key for key in body if key != "expires_in")]

    @pytest.mark.parametrize("body", ["[]", '"60"', "{", "[1]"])
    def test_refuses_what_is_no_object(self, client: Client, draft: Portfolio, body: str) -> None:
        assert client.post(path(draft), body, content_type="application/json").status_code == 400

    def test_takes_neither_keys_to_repeat_it_nor_conditions(self, client: Client, draft: Portfolio) -> None:
        for header in ("Idempotency-Key", "If-Match", "If-Unmodified-Since"):
            for method in (client.post, client.delete):
                response = method(path(draft), headers={header: "abc"})
                assert (response.status_code, list(response.json())) == (400, [header])
        assert not LogEntry.objects.exists()

    def test_takes_no_parameters(self, client: Client, draft: Portfolio) -> None:
        assert client.post(f"{path(draft)}?expires_in=60").json().keys() == {"expires_in"}

    @pytest.mark.parametrize("pk", [0, 999_999, 2**63, 10**30])
    def test_of_a_portfolio_that_is_not_there(self, client: Client, pk: int, db: None) -> None:
        for method in (client.post, client.delete):
            response = method(f"/api/portfolios/{pk}/preview/")
            assert (response.status_code, list(response.json())) == (404, ["detail"])

    def test_there_is_nothing_to_read(self, client: Client, draft: Portfolio) -> None:
        for method in (client.get, client.put, client.patch):
            response = method(path(draft))
            assert (response.status_code, response.headers["Allow"]) == (405, "POST, DELETE")

    def test_keys_for_what_is_published_make_none(
        self, admin: User, client_for: Callable[..., Client], draft: Portfolio
    ) -> None:
        published = client_for(admin, published_only=True)

        for method in (published.post, published.delete):
            response = method(path(draft))
            assert (response.status_code, response.json()["permission_code"]) == (403, 4204)
        draft.refresh_from_db()
        assert draft.preview_generation == 0

    def test_two_links_hold_alike(self, client: Client, draft: Portfolio) -> None:
        first, second = made(client, draft), made(client, draft, expires_in=60)

        assert first["token"] != second["token"]
        assert shown_by(first["token"]) == shown_by(second["token"]) == draft

    def test_costs_few_queries(self, client: Client, draft: Portfolio) -> None:
        made(client, draft)
        with CaptureQueriesContext(connection) as captured:
            made(client, draft)

        assert len(captured) <= 8

    def test_nothing_of_the_portfolio_changes(self, client: Client, draft: Portfolio) -> None:
        before = Portfolio.objects.values().get(pk=draft.pk)

        made(client, draft)

        assert Portfolio.objects.values().get(pk=draft.pk) == before


class TestTheAddress:
    def test_is_null_where_no_website_is_known(self, client: Client, draft: Portfolio, settings: Any) -> None:
        settings.SITE_URL = ""

        answer = made(client, draft)

        assert answer["url"] is None
        assert shown_by(answer["token"]) == draft

    @pytest.mark.parametrize(
        ("site", "url"),
        [
            (
                "https://studio.example/?work={slug}",
                "https://studio.example/?work=%D8%AE%D8%A7%D9%86%D9%87&preview=TOKEN",
            ),
            ("https://studio.example/#/{slug}", "https://studio.example/?preview=TOKEN#/%D8%AE%D8%A7%D9%86%D9%87"),
            ("http://localhost:8080/{slug}", "http://localhost:8080/%D8%AE%D8%A7%D9%86%D9%87?preview=TOKEN"),
        ],
    )
    def test_is_the_page_of_the_entry(
        self, client: Client, draft: Portfolio, settings: Any, site: str, url: str
    ) -> None:
        settings.SITE_URL = site
        Portfolio.objects.update(slug="خانه")

        answer = made(client, draft)

        assert answer["url"] == url.replace("TOKEN", answer["token"])

    def test_or_the_one_that_is_set_for_previews(self, client: Client, draft: Portfolio, settings: Any) -> None:
        settings.PREVIEW_URL = "https://studio.example/preview/?slug={slug}&preview={token}"

        answer = made(client, draft)

        assert answer["url"] == f"https://studio.example/preview/?slug=draft&preview={answer['token']}"
        settings.SITE_URL = ""
        assert made(client, draft)["url"].startswith("https://studio.example/preview/?slug=draft&preview=")

    def test_needs_no_escape_for_its_token(self, client: Client, draft: Portfolio) -> None:
        assert set(made(client, draft)["token"]) <= set(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
        )


class TestEnding:
    def test_ends_all_of_that_entry_and_no_other(self, client: Client, draft: Portfolio) -> None:
        other = make_portfolio(is_active=False)
        tokens = [made(client, draft)["token"], made(client, draft)["token"]]
        kept = made(client, other)["token"]

        response = client.delete(path(draft))

        assert (response.status_code, response.content) == (204, b"")
        assert [shown_by(token) for token in tokens] == [None, None]
        assert shown_by(kept) == other
        assert shown_by(made(client, draft)["token"]) == draft

    def test_touches_nothing_that_says_when_it_changed(self, client: Client, draft: Portfolio) -> None:
        before = Portfolio.objects.values().get(pk=draft.pk)

        client.delete(path(draft))

        assert Portfolio.objects.values().get(pk=draft.pk) == {**before, "preview_generation": 1}

    def test_may_be_done_where_there_are_none(self, client: Client, draft: Portfolio) -> None:
        assert [client.delete(path(draft)).status_code for _ in range(2)] == [204, 204]

    def test_a_form_that_is_open_can_be_saved_all_the_same(self, client: Client, site: Site, draft: Portfolio) -> None:
        """Its version says nothing of links, and what it writes brings none back."""
        address = f"/admin/portfolios/portfolio/{draft.pk}/change/"
        values = shown_values(site.get(address))
        token = made(client, draft)["token"]
        client.delete(path(draft))

        response = site.post(address, {**values, "title": "Another"})

        assert response.status_code == 302
        draft.refresh_from_db()
        assert (draft.title, draft.preview_generation) == ("Another", 1)
        assert shown_by(token) is None


class TestWhoseLink:
    def test_ends_with_the_permission_of_its_maker(self, client_for: Callable[..., Client], draft: Portfolio) -> None:
        maker = make_user("mia", is_staff=True, codes=[4204])
        token = made(client_for(maker), draft)["token"]
        assert shown_by(token) == draft

        for withdrawn in ({"is_active": False}, {"is_staff": False}):
            User.objects.filter(pk=maker.pk).update(**withdrawn)
            assert shown_by(token) is None
            User.objects.filter(pk=maker.pk).update(is_active=True, is_staff=True)
            assert shown_by(token) == draft
        permissions = list(maker.user_permissions.all())
        maker.user_permissions.clear()
        assert shown_by(token) is None
        maker.user_permissions.set(permissions)
        assert shown_by(token) == draft
        maker.delete()
        assert shown_by(token) is None

    def test_an_admin_needs_no_grant(self, admin: User, client_for: Callable[..., Client], draft: Portfolio) -> None:
        token = made(client_for(admin), draft)["token"]

        assert shown_by(token) == draft
        User.objects.update(is_active=False)
        assert shown_by(token) is None

    def test_stays_when_the_key_goes_that_made_it(
        self, editor: User, client_for: Callable[..., Client], draft: Portfolio
    ) -> None:
        token = made(client_for(editor), draft)["token"]

        editor.tokens.all().delete()

        assert shown_by(token) == draft

    def test_ends_with_its_portfolio(self, client: Client, draft: Portfolio) -> None:
        token = made(client, draft)["token"]
        draft.delete()

        assert shown_by(token) is None

    def test_a_copy_is_not_shown_by_the_links_of_what_it_was_made_of(self, client: Client, draft: Portfolio) -> None:
        client.delete(path(draft))
        token = made(client, draft)["token"]

        copy = duplicate(draft.pk)

        assert copy.preview_generation == 0
        assert shown_by(token) == draft

    def test_ends_when_the_secret_of_the_installation_changes(
        self, client: Client, draft: Portfolio, settings: Any
    ) -> None:
        token = made(client, draft)["token"]
        settings.SECRET_KEY = "another"

        assert shown_by(token) is None


class TestHistory:
    def test_tells_who_made_one_and_until_when(self, client: Client, draft: Portfolio, clock: Clock) -> None:
        clock.now = clock.now.replace(year=2026, month=3, day=4, hour=15, minute=30)
        answer = made(client, draft, expires_in=DAY)

        (entry,) = told(entries_of(draft), draft)

        assert (entry.who, entry.token, entry.action) == ("eda", "test", "Changed")
        assert [(each.label, str(each.shown)) for each in entry.differences] == [
            ("Preview link", f'<span dir="auto">A link was made, until {shown(clock.after(seconds=DAY))}.</span>')
        ]
        assert answer["token"] not in entry.entry.change_message
        assert answer["token"].partition(".")[2] not in entry.entry.change_message

    def test_tells_who_ended_all(self, client: Client, draft: Portfolio) -> None:
        client.delete(path(draft))

        (entry,) = told(entries_of(draft), draft)

        assert [str(each.shown) for each in entry.differences] == [
            '<span dir="auto">All preview links were ended.</span>'
        ]

    def test_the_page_of_the_history_shows_both(self, client: Client, site: Site, draft: Portfolio) -> None:
        token = made(client, draft)["token"]
        client.delete(path(draft))

        page = site.get(f"/admin/portfolios/portfolio/{draft.pk}/history/").content.decode()

        assert "A link was made, until" in page
        assert "All preview links were ended." in page
        assert token not in page

    @pytest.mark.parametrize("value", ["", "soon", 5, None, [], {}, "2026-13-40T00:00:00Z"])
    def test_survives_what_nobody_writes(self, draft: Portfolio, value: Any) -> None:
        with override("fa"):
            assert str(Portfolio.deeds["preview_link"]((None, value)))

    def test_nothing_is_recorded_of_what_was_refused(self, client: Client, draft: Portfolio) -> None:
        client.post(path(draft), {"expires_in": 0})

        assert not LogEntry.objects.exists()


def test_a_link_of_the_longest_time_is_within_what_clocks_know(client: Client, draft: Portfolio, clock: Clock) -> None:
    token = made(client, draft, expires_in=30 * DAY)["token"]
    clock.now += timedelta(days=365 * 5000)

    assert shown_by(token) is None
