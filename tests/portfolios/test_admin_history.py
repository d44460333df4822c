"""The history of a row in the admin site, and bringing back a version of a portfolio."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from folio.portfolios.models import Portfolio
from tests.conftest import Client
from tests.factories import make_employer, make_image, make_link, make_media, make_portfolio, make_tag, make_user
from tests.forms import shown_values

PORTFOLIO = "/admin/portfolios/portfolio/"


def told(site: Site, row: Any) -> list[Any]:
    page = site.get(f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/history/")
    assert page.status_code == 200
    entries: list[Any] = page.context["entries"]
    return entries


def words(entry: Any) -> dict[str, str]:
    return {difference.label: str(difference.shown) for difference in entry.differences}


def restore(site: Site, portfolio: Portfolio, entry: LogEntry) -> Any:
    return site.post(f"{PORTFOLIO}{portfolio.pk}/history/{entry.pk}/restore/")


@pytest.fixture
def versions(client: Client) -> tuple[Portfolio, list[LogEntry]]:
    """A portfolio that was made and changed twice, with its entries, oldest first."""
    made = client.post("/api/portfolios/", {"title": "One", "slug": "one", "excerpt": "First.", "is_active": False})
    path = f"/api/portfolios/{made.json()['id']}/"
    client.patch(path, {"title": "Two", "employer": make_employer(name="Trust").pk, "order": 3})
    client.patch(path, {"title": "Three", "is_active": True, "tags": [make_tag(name="print").pk]})
    return Portfolio.objects.get(pk=made.json()["id"]), list(LogEntry.objects.order_by("pk"))


def test_tells_who_did_what_by_which_key(site: Site, versions: tuple[Portfolio, list[LogEntry]]) -> None:
    newest, middle, oldest = told(site, versions[0])

    assert (newest.who, newest.token, newest.action, oldest.action) == ("eda", "test", "Changed", "Added")
    shown = words(newest)
    assert {"Title", "Tags"} <= set(shown)
    assert "print" in shown["Tags"]
    assert ">No<" in shown[next(name for name in shown if name.lower().endswith("active"))].replace("</span>No", ">No")
    assert "Trust" in words(middle)["Employer"]
    assert "One" in words(oldest)["Title"]


def test_records_what_a_form_changes(site: Site) -> None:
    portfolio, image = make_portfolio(title="Before"), make_image()
    make_link(portfolio, name="site")
    url = f"{PORTFOLIO}{portfolio.pk}/change/"
    sent = {**shown_values(site.get(url)), "title": "After", "image": image.pk, "links-0-name": "shop"}

    assert site.post(url, sent).status_code == 302

    (entry,) = told(site, portfolio)
    shown = words(entry)
    assert entry.token == ""
    assert len(shown) == 3
    assert "After" in shown["Title"]
    assert "shop" in shown["Links"]
    assert any("picture_thumbnail_64x64.png" in html for html in shown.values())


def test_records_nothing_where_a_form_is_saved_as_it_is(site: Site) -> None:
    portfolio = make_portfolio(description="One.\n\nTwo.", completed_at="2024-05-01T00:00:00.123456Z")
    url = f"{PORTFOLIO}{portfolio.pk}/change/"

    assert site.post(url, shown_values(site.get(url))).status_code == 302

    assert not LogEntry.objects.exists()


def test_a_link_has_its_history_and_its_portfolio_has_it_too(site: Site, client: Client) -> None:
    portfolio = make_portfolio()
    link, other = make_link(portfolio, name="site"), make_link(portfolio, name="other")
    client.patch(f"/api/links/{link.pk}/", {"name": "shop"})
    client.patch(f"/api/links/{other.pk}/", {"name": "press"})

    (entry,) = told(site, link)

    assert "shop" in words(entry)["Links"]
    assert "press" not in words(entry)["Links"]
    assert len(told(site, portfolio)) == 2


def test_names_what_was_deleted_since(site: Site, client: Client) -> None:
    portfolio, employer = make_portfolio(), make_employer(name="Harbour Trust")
    client.patch(f"/api/portfolios/{portfolio.pk}/", {"employer": employer.pk})
    client.patch(f"/api/portfolios/{portfolio.pk}/", {"employer": None})
    client.delete(f"/api/employers/{employer.pk}/")

    assert "Harbour Trust (deleted)" in words(told(site, portfolio)[1])["Employer"]


def test_costs_the_same_for_any_number_of_entries(site: Site, client: Client) -> None:
    portfolio = make_portfolio()

    def fill(count: int) -> None:
        for _ in range(count):
            body = {"image": make_image().pk, "employer": make_employer().pk, "images": [make_media().pk]}
            assert client.patch(f"/api/portfolios/{portfolio.pk}/", body).status_code == 200

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            told(site, portfolio)
        return len(captured)

    fill(1)
    queries()
    at_one = queries()
    fill(12)

    assert queries() == at_one


def test_is_paged(site: Site, client: Client) -> None:
    portfolio = make_portfolio()
    for order in range(1, 26):
        client.patch(f"/api/portfolios/{portfolio.pk}/", {"order": order})

    assert len(told(site, portfolio)) == 20
    assert len(site.get(f"{PORTFOLIO}{portfolio.pk}/history/?p=2").context["entries"]) == 5


def test_escapes_what_was_typed(site: Site, client: Client) -> None:
    portfolio = make_portfolio()
    client.patch(
        f"/api/portfolios/{portfolio.pk}/",
        {"title": "<script>1</script>", "description": "<script>2</script>", "links": [{"name": "<script>3</script>"}]},
    )

    shown = site.get(f"{PORTFOLIO}{portfolio.pk}/history/").content.decode()

    for number in "123":
        assert f"<script>{number}" not in shown
        assert f"&lt;script&gt;{number}" in shown


def test_tells_of_people_without_their_passwords(site_for: Callable[[User], Site], admin: User) -> None:
    user = make_user("eve", is_staff=True)
    site = site_for(admin)
    new = "correct horse battery staple"
    sent = {"usable_password": "true", "password1": new, "password2": new}

    site.post(f"/admin/auth/user/{user.pk}/password/", sent)

    (entry,) = told(site, user)
    assert words(entry) == {"Password": "changed; what it holds is not shown"}
    user.refresh_from_db()
    assert user.check_password(new)
    assert user.password not in LogEntry.objects.get().change_message


def test_is_for_those_who_may_see_the_row(site_for: Callable[[User], Site]) -> None:
    portfolio = make_portfolio()
    outsider, viewer = make_user(is_staff=True, codes=[4212]), make_user(is_staff=True, codes=[4202])

    assert site_for(outsider).get(f"{PORTFOLIO}{portfolio.pk}/history/").status_code == 403
    page = site_for(viewer).get(f"{PORTFOLIO}{portfolio.pk}/history/")
    assert page.status_code == 200
    assert ">Restore this version</button>" not in page.content.decode()


# Restoring


def test_shows_what_a_version_would_bring_back(site: Site, versions: tuple[Portfolio, list[LogEntry]]) -> None:
    portfolio, (first, *_) = versions

    page = site.get(f"{PORTFOLIO}{portfolio.pk}/history/{first.pk}/restore/")

    assert page.status_code == 200
    assert {difference.label for difference in page.context["differences"]} >= {"Title", "Employer", "Order"}
    portfolio.refresh_from_db()
    assert portfolio.title == "Three"


def test_brings_back_the_own_fields_of_a_version(site: Site, versions: tuple[Portfolio, list[LogEntry]]) -> None:
    portfolio, (first, *_) = versions

    assert restore(site, portfolio, first).status_code == 302

    portfolio.refresh_from_db()
    assert (portfolio.title, portfolio.order, portfolio.employer, portfolio.is_active) == ("One", 0, None, False)
    assert portfolio.tags.get().name == "print"
    newest = told(site, portfolio)[0]
    assert "One" in words(newest)["Title"]
    assert newest.token == ""


def test_names_a_title_that_is_taken_now(site: Site, versions: tuple[Portfolio, list[LogEntry]]) -> None:
    portfolio, (first, *_) = versions
    make_portfolio(title="One")

    page = restore(site, portfolio, first)

    assert page.status_code == 400
    assert [problem.label for problem in page.context["problems"]] == ["Title"]
    portfolio.refresh_from_db()
    assert (portfolio.title, portfolio.order) == ("Three", 3)
    assert LogEntry.objects.count() == 3


def test_restores_the_rest_where_the_employer_is_gone(
    site: Site, client: Client, versions: tuple[Portfolio, list[LogEntry]]
) -> None:
    portfolio, (_, second, _) = versions
    employer = portfolio.employer_id
    client.patch(f"/api/portfolios/{portfolio.pk}/", {"employer": None})
    client.delete(f"/api/employers/{employer}/")

    said = "The employer of that version was deleted. The employer stays as it is now."
    page = site.get(f"{PORTFOLIO}{portfolio.pk}/history/{second.pk}/restore/")
    assert said in page.content.decode()
    assert [difference.label for difference in page.context["differences"]] == ["Title", "Publish"]
    assert ">Restore this version</button>" in page.content.decode()

    answer = restore(site, portfolio, second)

    assert answer.status_code == 302
    assert said in site.get(answer.headers["Location"]).content.decode()
    portfolio.refresh_from_db()
    assert (portfolio.title, portfolio.employer) == ("Two", None)


def test_offers_nothing_where_only_what_is_gone_differs(
    site: Site, client: Client, versions: tuple[Portfolio, list[LogEntry]]
) -> None:
    portfolio, (_, _, third) = versions
    employer = portfolio.employer_id
    client.patch(f"/api/portfolios/{portfolio.pk}/", {"employer": None})
    client.delete(f"/api/employers/{employer}/")

    page = site.get(f"{PORTFOLIO}{portfolio.pk}/history/{third.pk}/restore/").content.decode()

    assert "The employer of that version was deleted." in page
    assert "already as they were then" not in page
    assert ">Restore this version</button>" not in page


def test_does_not_publish_for_those_who_draft(
    site_for: Callable[[User], Site], client: Client, versions: tuple[Portfolio, list[LogEntry]]
) -> None:
    portfolio, (_, _, published) = versions
    client.patch(f"/api/portfolios/{portfolio.pk}/", {"is_active": False, "title": "Four", "order": 7})
    drafter = make_user(is_staff=True)
    drafter.user_permissions.add(Permission.objects.get(codename="draft_portfolio"))
    site = site_for(drafter)

    assert restore(site, portfolio, published).status_code == 302

    portfolio.refresh_from_db()
    assert (portfolio.title, portfolio.is_active, portfolio.order) == ("Three", False, 7)


def test_refuses_those_who_may_only_look(
    site_for: Callable[[User], Site], versions: tuple[Portfolio, list[LogEntry]]
) -> None:
    portfolio, (first, *_) = versions
    site = site_for(make_user(is_staff=True, codes=[4202]))

    assert site.get(f"{PORTFOLIO}{portfolio.pk}/history/{first.pk}/restore/").status_code == 403
    assert restore(site, portfolio, first).status_code == 403


def test_knows_no_version_of_another_entry(site: Site, versions: tuple[Portfolio, list[LogEntry]]) -> None:
    other = make_portfolio()

    assert restore(site, other, versions[1][0]).status_code == 404
    assert site.get(f"{PORTFOLIO}999999/history/{versions[1][0].pk}/restore/").status_code == 404
