"""The portfolio's form: what it offers, what it keeps, and what it costs."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from folio.portfolios.models import Employer, Portfolio, Tag
from tests.factories import (
    make_employer,
    make_image,
    make_link,
    make_media,
    make_meta,
    make_portfolio,
    make_tag,
    make_user,
)
from tests.forms import entry, errors, rows, shown_values

LIST = "/admin/portfolios/portfolio/"
ADD = f"{LIST}add/"
TAG = "/admin/portfolios/tag/make/"


def make(site: Site, url: str, name: Any) -> Any:
    return site.post(url, {"name": name}, content_type="application/json")


# An empty form


def test_publishes_nothing_unless_asked(site: Site) -> None:
    shown = shown_values(site.get(ADD))

    answer = site.post(ADD, {**shown, "title": "Harbour", "slug": "harbour", "excerpt": "A quay."})

    assert answer.status_code == 302, errors(answer)
    assert not Portfolio.objects.get().is_active


# What was deleted in another tab


def test_names_an_employer_that_was_deleted_meanwhile_and_keeps_the_rest(site: Site) -> None:
    employer, tag, image = make_employer(name="Harbour Trust"), make_tag(name="print"), make_media()
    sent = entry(
        **{"employer": employer.pk, "employer-names": "Harbour Trust", "tags": [tag.pk], "images": [image.pk]},
        **{**rows("links", {"name": "press"}), "description": "Long text"},
    )
    employer.delete()

    page = site.post(ADD, sent)

    assert errors(page) == {
        "employer": ["“Harbour Trust” was deleted meanwhile, and was taken out here. Save again to go on without."]
    }
    again = shown_values(page)
    assert (again["title"], again["description"], again["links-0-name"]) == ("Harbour", "Long text", "press")
    html = page.content.decode()
    assert f'name="tags" value="{tag.pk}"' in html
    assert f'name="employer" value="{employer.pk}"' not in html
    assert not Portfolio.objects.exists()


def test_names_the_tags_that_were_deleted_meanwhile(site: Site) -> None:
    kept, gone, other = make_tag(name="kept"), make_tag(name="gone"), make_tag(name="other")
    sent = entry(**{"tags": [gone.pk, kept.pk, other.pk], "tags-names": ["gone", "kept", "other"]})
    Tag.objects.exclude(pk=kept.pk).delete()

    page = site.post(ADD, sent)

    assert errors(page)["tags"] == [
        "“gone”, “other” were deleted meanwhile, and were taken out here. Save again to go on without."
    ]
    assert f'name="tags" value="{kept.pk}"' in page.content.decode()


@pytest.mark.parametrize("tag", ["x", "-1", "1.5", "9" * 30, "١", "<b>"])
def test_refuses_tags_that_cannot_be_any(site: Site, tag: str) -> None:
    page = site.post(ADD, entry(tags=[tag]))

    assert set(errors(page)) == {"tags"}
    assert "<b>" not in page.content.decode().split("folio-problems")[1].split("</ul>")[0]


def test_takes_one_employer_only(site: Site) -> None:
    page = site.post(ADD, entry(employer=[make_employer().pk, make_employer().pk]))

    assert errors(page) == {"employer": ["Choose only one."]}


# Errors


def test_lists_what_is_wrong_with_links_to_the_fields(site: Site) -> None:
    sent = entry(title="", completed_at_1="08:00", **rows("meta", {"key": "a"}, {"key": "a"}))

    page = site.post(ADD, sent)

    assert [(problem["label"], problem["id"]) for problem in page.context["problems"]] == [
        ("Title", "id_title"),
        ("Completed", "id_completed_at_0"),
        ("meta 2, Key", "id_meta-1-key"),
    ]
    html = page.content.decode()
    for target in ("id_title", "id_completed_at_0", "id_meta-1-key"):
        assert f'href="#{target}"' in html
        assert f'id="{target}"' in html


def test_hides_a_duplicate_from_those_who_may_not_see_it(site_for: Callable[[User], Site]) -> None:
    make_portfolio(title="Harbour")

    page = site_for(make_user(is_staff=True, codes=[4201])).post(ADD, entry())

    assert errors(page) == {"title": ["Portfolio with this Title already exists."]}


def test_escapes_the_title_of_a_duplicate(site: Site) -> None:
    make_portfolio(title="<script>alert(1)</script>", slug="harbour")

    page = site.post(ADD, entry())

    assert "&lt;script&gt;" in errors(page)["slug"][0]
    assert "<script>alert" not in page.content.decode()


def test_counts_an_excerpt_whose_lines_end_as_browsers_send_them(site: Site) -> None:
    answer = site.post(ADD, entry(excerpt="ab\r\n" * 333))

    assert answer.status_code == 302, errors(answer)
    assert "maxlength" not in str(site.get(ADD).context["adminform"].form["excerpt"])


# Tags and employers made in place


@pytest.mark.parametrize(("url", "model"), [(TAG, Tag), ("/admin/portfolios/employer/make/", Employer)])
def test_makes_a_row_of_a_name(site: Site, url: str, model: Any) -> None:
    answer = make(site, url, " new ")

    row = model.objects.get()
    assert answer.status_code == 200
    assert answer.json() == {"id": str(row.pk), "text": "new"}


def test_finds_the_tag_that_is_there_already(site: Site) -> None:
    tag = make_tag(name="print")

    assert make(site, TAG, "print").json() == {"id": str(tag.pk), "text": "print"}
    assert Tag.objects.count() == 1


def test_finds_the_tag_that_won_a_race(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    tag = make_tag(name="print")
    filter_ = type(Tag._default_manager.all()).filter
    attempts: list[Any] = []

    def miss_the_first_time(queryset: Any, *args: Any, **kwargs: Any) -> Any:
        if "name" in kwargs and not attempts:
            attempts.append(kwargs)
            return queryset.none()
        return filter_(queryset, *args, **kwargs)

    monkeypatch.setattr(type(Tag._default_manager.all()), "filter", miss_the_first_time)
    monkeypatch.setattr(Tag, "validate_constraints", lambda *args, **kwargs: None)

    assert make(site, TAG, "print").json() == {"id": str(tag.pk), "text": "print"}
    assert attempts
    assert Tag.objects.count() == 1


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\0b", None, 5, ["a"]])
def test_refuses_a_tag_without_a_name_that_will_do(site: Site, name: Any) -> None:
    answer = make(site, TAG, name)

    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert not Tag.objects.exists()


def test_makes_no_tag_for_those_who_may_not(site_for: Callable[[User], Site]) -> None:
    site = site_for(make_user(is_staff=True, codes=[4201, 4202, 4204, 4222]))

    answer = make(site, TAG, "new")

    assert (answer.status_code, answer.json()) == (403, {"detail": "You may not do that."})
    assert not Tag.objects.exists()
    assert 'data-make=""' in site.get(ADD).content.decode()
    assert make(Site(), TAG, "new").status_code == 302
    assert site.get(TAG).status_code == 405


# A session that ends in mid-edit


def test_says_who_is_signed_in(site: Site, editor: User, stranger: User) -> None:
    assert site.get("/admin/session/").json()["user"] == str(editor.pk)
    outside = Site()
    assert outside.get("/admin/session/").json()["user"] is None
    outside.force_login(stranger)
    assert outside.get("/admin/session/").json()["user"] is None
    assert outside.post("/admin/session/").status_code == 405


def test_gives_the_token_that_a_form_needs_now(editor: User) -> None:
    site = Site(enforce_csrf_checks=True)
    site.force_login(editor)
    token = site.get("/admin/session/").json()["token"]

    assert site.post(ADD, entry(csrfmiddlewaretoken=token)).status_code == 302
    assert Portfolio.objects.exists()


def test_explains_a_form_that_is_out_of_date(editor: User) -> None:
    site = Site(enforce_csrf_checks=True)
    site.force_login(editor)

    page = site.post(ADD, entry(csrfmiddlewaretoken="old"))
    answer = site.post(TAG, {"name": "a"}, content_type="application/json", headers={"Accept": "application/json"})

    assert page.status_code == 403
    assert "your browser has kept what you typed" in page.content.decode()
    assert (answer.status_code, "out of date" in answer.json()["detail"]) == (403, True)
    assert not Portfolio.objects.exists()


# What it costs


def test_opens_with_the_same_queries_however_much_there_is(site: Site) -> None:
    def fill(portfolio: Portfolio, count: int) -> None:
        for number in range(count):
            make_link(portfolio, image=make_image(), place=number)
            make_meta(portfolio, value_file=make_image(), place=number)
        Tag.objects.bulk_create(Tag(name=f"{portfolio.pk}-{number}") for number in range(count * 100))
        Employer.objects.bulk_create(Employer(name=f"{portfolio.pk}-{number}") for number in range(count * 100))

    def queries(portfolio: Portfolio) -> tuple[int, int]:
        with CaptureQueriesContext(connection) as captured:
            page = site.get(f"{LIST}{portfolio.pk}/change/")
        assert page.status_code == 200
        return len(captured), page.content.count(b"<option")  # those of the languages

    one = make_portfolio(image=make_image(), images=[make_image()], tags=[make_tag()], employer=make_employer())
    many = make_portfolio(
        image=make_image(),
        images=[make_image() for _ in range(10)],
        tags=[make_tag() for _ in range(10)],
        employer=make_employer(),
    )
    fill(one, 1)
    site.get(f"{LIST}{one.pk}/change/")
    at_one = queries(one)
    fill(many, 12)

    assert queries(many) == at_one
    assert at_one[0] <= 20
