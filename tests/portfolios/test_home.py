"""The admin site's home page."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.test import Client as Site

from folio.media.models import Media
from folio.portfolios.models import Portfolio
from tests.factories import make_employer, make_media, make_portfolio, make_tag, make_user

HOME = "/admin/"


def home(site: Site) -> str:
    response = site.get(HOME)
    assert response.status_code == 200
    return response.content.decode()


def counts(site: Site) -> dict[str, Any]:
    return {count["title"]: count.get("number", count.get("size")) for count in site.get(HOME).context["counts"]}


def log(user: User, row: Any, flag: int = CHANGE) -> LogEntry:
    return LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(row),
        object_id=str(row.pk),
        object_repr=str(row),
        action_flag=flag,
        change_message="",
    )


def test_counts_what_there_is(site_for: Callable[[User], Site], editor: User) -> None:
    image = make_media(size=3000)
    make_portfolio(image=image, employer=make_employer())
    make_portfolio(is_active=False, image=image, tags=[make_tag(), make_tag()])

    assert counts(site_for(editor)) == {
        "Published portfolios": 1,
        "Draft portfolios": 1,
        "Media": 1,
        "Space used": 3000,
        "Employers": 1,
        "Tags": 2,
    }


def test_says_what_was_changed_last_and_by_whom(site_for: Callable[[User], Site], editor: User) -> None:
    grace = make_user("grace", is_staff=True)
    log(editor, make_portfolio(title="Older"), ADDITION)
    log(grace, make_portfolio(title="Harbour <b>"), CHANGE)
    log(grace, make_tag(name="Gone"), DELETION)

    response = site_for(editor).get(HOME)

    assert [change.name for change in response.context["latest"]] == ["Gone", "Harbour <b>", "Older"]
    page = response.content.decode()
    assert "grace" in page
    assert "Harbour &lt;b&gt;" in page
    assert "Harbour <b>" not in page
    assert ">Gone</a>" not in page.replace("<bdi>", "").replace("</bdi>", "")


def test_lists_entries_without_a_cover_and_images_without_alt_text(
    site_for: Callable[[User], Site], editor: User
) -> None:
    covered = make_portfolio(title="Covered", image=make_media(name="described.png", alt="A harbour"))
    bare = make_portfolio(title="Bare")
    make_media(name="silent.png")
    make_media(name="report.pdf", type="document")

    page = home(site_for(editor))

    assert f'href="/admin/portfolios/portfolio/{bare.pk}/change/"' in page
    assert f'href="/admin/portfolios/portfolio/{covered.pk}/change/"' not in page
    assert "silent.png" in page
    assert "described.png" not in page
    assert "report.pdf" not in page


def test_leads_to_lists_by_filters_that_are_shown_as_chosen(site_for: Callable[[User], Site], editor: User) -> None:
    site = site_for(editor)
    for number in range(6):
        make_portfolio(is_active=number < 2)

    context = site.get(HOME).context

    active, hidden = context["counts"][:2]
    for url, count in ((active["url"], 2), (hidden["url"], 4), (context["without_cover"]["more"], 6)):
        changelist = site.get(url).context["cl"]
        assert (changelist.result_count, changelist.has_active_filters) == (count, True)


def test_lists_five_and_leads_to_all(site_for: Callable[[User], Site], editor: User) -> None:
    site = site_for(editor)
    for _ in range(6):
        make_portfolio()
        make_media()

    context = site.get(HOME).context

    for lacking in (context["without_cover"], context["without_alt"]):
        assert len(lacking["rows"]) == 5
        assert site.get(lacking["more"]).context["cl"].result_count == 6


def test_says_that_nothing_lacks_anything(site_for: Callable[[User], Site], editor: User) -> None:
    page = home(site_for(editor))

    assert "Every portfolio has a cover." in page
    assert "Every image has alt text." in page
    assert "Nothing was changed yet." in page


def test_shows_only_what_its_reader_may_see(site_for: Callable[[User], Site], editor: User) -> None:
    log(editor, make_portfolio(title="Secret"))
    make_media(name="hidden.png")
    viewer = make_user("vera", is_staff=True, codes=[4222])

    site = site_for(viewer)

    assert counts(site) == {"Tags": 0}
    page = home(site)
    assert "Secret" not in page
    assert "hidden.png" not in page
    assert "New portfolio" not in page
    assert "Upload media" not in page


def test_is_a_page_for_those_who_may_nothing_too(site_for: Callable[[User], Site], staff: User) -> None:
    assert "permission to view or edit anything" in home(site_for(staff))


def test_offers_what_its_reader_may_do(site_for: Callable[[User], Site], editor: User) -> None:
    actions = site_for(editor).get(HOME).context["actions"]

    assert [action["url"] for action in actions] == ["/admin/portfolios/portfolio/add/", "/admin/media/media/add/"]


@pytest.mark.parametrize("rows", [1, 40])
def test_asks_the_same_number_of_queries_for_any_number_of_rows(
    rows: int, site_for: Callable[[User], Site], admin: User, django_assert_num_queries: Any
) -> None:
    site = site_for(admin)
    home(site)  # content types are remembered
    for number in range(rows):
        log(admin, make_portfolio(title=f"Work {number}"))
        make_media(name=f"{number}.png")
    assert Portfolio.objects.count() == Media.objects.count() == rows

    with django_assert_num_queries(14):  # one of them for webhooks, two for backups
        home(site)
