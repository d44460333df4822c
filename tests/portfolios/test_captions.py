"""What is written beside images in a portfolio's gallery: of the place there, not of the file."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from folio.history import told
from folio.media.models import Media
from folio.portfolios.duplicating import duplicate
from folio.portfolios.models import Portfolio
from folio.snapshots.etags import digest_of, etag_of
from tests import shapes
from tests.conftest import Client
from tests.factories import make_media, make_portfolio
from tests.forms import errors, shown_values

WITH = "?include=captions"


def path_of(portfolio: Portfolio) -> str:
    return f"/api/portfolios/{portfolio.pk}/"


def tag_of(answer: Any) -> str:
    """Return the tag that a read's answer would have: the front gives it."""
    return etag_of(digest_of(answer.content))


def captions_of(portfolio: Portfolio) -> dict[int, str | None]:
    """Return what is stored beside each image, in the gallery's order."""
    return dict(portfolio.gallery.values_list("media", "caption"))


@pytest.fixture
def pier(db: None) -> Media:
    return make_media(name="pier.png")


@pytest.fixture
def quay(db: None) -> Media:
    return make_media(name="quay.png")


@pytest.fixture
def portfolio(pier: Media, quay: Media) -> Portfolio:
    """Two images, the first of which has a caption."""
    portfolio = make_portfolio(images=[pier, quay])
    portfolio.gallery.filter(media=pier).update(caption="The pier")
    return portfolio


def test_are_told_last_where_they_are_asked_for(client: Client, portfolio: Portfolio, pier: Media) -> None:
    body = {"title": "New", "slug": "new", "excerpt": "x", "images": [pier.pk], "captions": {pier.pk: "A pier"}}
    answers: list[Any] = [
        client.get(f"{path_of(portfolio)}{WITH}"),
        client.get(f"/api/portfolios/slug/{portfolio.slug}/{WITH}"),
        client.patch(f"{path_of(portfolio)}{WITH}", {"order": 1}),
        client.put(f"{path_of(portfolio)}{WITH}", client.get(path_of(portfolio)).json()),
        client.post(f"/api/portfolios/{WITH}", body),
    ]

    for answer in answers:
        assert list(answer.json()) == [*shapes.PORTFOLIO, "captions"]
    assert [answer.json()["captions"] for answer in answers[:4]] == [{str(pier.pk): "The pier"}] * 4
    assert answers[4].json()["captions"] == {str(pier.pk): "A pier"}
    row = client.get(f"/api/portfolios/{WITH}&id_max={portfolio.pk}").json()["results"][0]
    assert list(row) == [*shapes.PORTFOLIO_ROW, "captions"]
    assert row["captions"] == {str(pier.pk): "The pier"}


def test_are_in_no_answer_that_did_not_ask_for_them(client: Client, portfolio: Portfolio) -> None:
    for _ in range(2):
        for query in (WITH, ""):
            keys = [*shapes.PORTFOLIO, "captions"] if query else shapes.PORTFOLIO
            assert list(client.get(f"{path_of(portfolio)}{query}").json()) == keys
            [row] = client.get(f"/api/portfolios/{query}").json()["results"]
            assert list(row) == [*shapes.PORTFOLIO_ROW, *(["captions"] if query else [])]
    assert list(client.patch(path_of(portfolio), {"captions": {}}).json()) == shapes.PORTFOLIO


def test_cost_one_query_however_many_portfolios(client: Client) -> None:
    make_portfolio(images=[make_media()])

    def queries(query: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/api/portfolios/?limit=50{query}").status_code == 200
        return len(captured)

    one, plain = queries("&include=captions"), queries("")
    for _ in range(20):
        make_portfolio(images=[make_media(), make_media()])

    assert queries("&include=captions") == one == plain + 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("caption", "There is no 'caption' here. Did you mean captions? Allowed: schedule, captions."),
        ("links", "There is no 'links' here. Allowed: schedule, captions."),
        ("captions,meta", "There is no 'meta' here. Allowed: schedule, captions."),
    ],
)
@pytest.mark.parametrize("method", ["get", "put", "patch", "post"])
def test_an_unknown_name_is_refused(client: Client, portfolio: Portfolio, method: str, name: str, reason: str) -> None:
    path = "/api/portfolios/" if method == "post" else path_of(portfolio)

    response = getattr(client, method)(f"{path}?include={name}", *([] if method == "get" else [{"order": 1}]))

    assert (response.status_code, response.json()) == (400, {"include": [reason]})


def test_include_is_given_once_and_spaces_are_ignored(client: Client, portfolio: Portfolio) -> None:
    assert client.get(f"{path_of(portfolio)}{WITH}&include=captions").status_code == 400
    assert "captions" in client.get(f"{path_of(portfolio)}?include=%20captions%20,captions").json()
    assert "captions" not in client.get(f"{path_of(portfolio)}?include=").json()


def test_a_delete_takes_no_include(client: Client, portfolio: Portfolio) -> None:
    assert list(client.delete(f"{path_of(portfolio)}{WITH}").json()) == ["include"]


@pytest.mark.parametrize("method", ["put", "patch"])
def test_what_is_sent_is_merged(client: Client, portfolio: Portfolio, pier: Media, quay: Media, method: str) -> None:
    required = {"title": portfolio.title, "slug": portfolio.slug, "excerpt": "x"}

    answer = getattr(client, method)(f"{path_of(portfolio)}{WITH}", {**required, "captions": {quay.pk: "The quay"}})

    assert answer.json()["captions"] == {str(pier.pk): "The pier", str(quay.pk): "The quay"}


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_null_and_an_empty_text_clear(
    client: Client, portfolio: Portfolio, pier: Media, quay: Media, empty: str | None
) -> None:
    client.patch(path_of(portfolio), {"captions": {pier.pk: empty}})

    assert captions_of(portfolio) == {pier.pk: None, quay.pk: None}


def test_what_was_read_can_be_sent_back(client: Client, portfolio: Portfolio) -> None:
    read = client.get(f"{path_of(portfolio)}{WITH}").json()

    again = client.put(f"{path_of(portfolio)}{WITH}", read).json()

    assert {**again, "updated_at": ""} == {**read, "updated_at": ""}


def test_an_id_outside_of_the_gallery_is_refused_by_its_name(client: Client, portfolio: Portfolio, pier: Media) -> None:
    other = make_media()

    for body in (
        {"captions": {pier.pk: "Other", other.pk: "x"}},
        {"captions": {other.pk: None}},
        {"images": [pier.pk], "captions": {other.pk: "x"}},
    ):
        response = client.patch(path_of(portfolio), body)
        reason = f"{other.pk} is not in the gallery. Captions are of its images, by their ids."
        assert (response.status_code, response.json()) == (400, {"captions": [reason]})
    assert captions_of(portfolio)[pier.pk] == "The pier"
    new = {"title": "New", "slug": "new", "excerpt": "x", "captions": {pier.pk: "x"}}
    assert list(client.post("/api/portfolios/", new).json()) == ["captions"]


def test_the_gallery_that_is_sent_along_counts(client: Client, portfolio: Portfolio, pier: Media) -> None:
    other = make_media()

    client.patch(path_of(portfolio), {"images": [other.pk, pier.pk], "captions": {other.pk: "New"}})

    assert captions_of(portfolio) == {other.pk: "New", pier.pk: "The pier"}


def test_an_image_that_leaves_the_gallery_loses_its_caption(
    client: Client, portfolio: Portfolio, pier: Media, quay: Media
) -> None:
    client.patch(path_of(portfolio), {"images": [quay.pk]})
    client.patch(path_of(portfolio), {"images": [quay.pk, pier.pk]})

    assert captions_of(portfolio) == {quay.pk: None, pier.pk: None}


def test_a_new_order_keeps_them(client: Client, portfolio: Portfolio, pier: Media, quay: Media) -> None:
    client.patch(path_of(portfolio), {"images": [quay.pk, pier.pk]})

    assert list(captions_of(portfolio).items()) == [(quay.pk, None), (pier.pk, "The pier")]


def test_the_admin_s_form_keeps_them(site: Site, portfolio: Portfolio, pier: Media, quay: Media) -> None:
    url = f"/admin/portfolios/portfolio/{portfolio.pk}/change/"

    answer = site.post(url, {**shown_values(site.get(url)), "images": [quay.pk, pier.pk], "order": "5"})

    assert answer.status_code == 302, errors(answer)
    assert list(captions_of(portfolio).items()) == [(quay.pk, None), (pier.pk, "The pier")]


def test_a_copy_of_a_portfolio_has_them(portfolio: Portfolio) -> None:
    assert captions_of(duplicate(portfolio.pk)) == captions_of(portfolio)


def test_are_stored_in_normal_form(client: Client, portfolio: Portfolio, pier: Media) -> None:
    client.patch(path_of(portfolio), {"captions": {pier.pk: "Cafe\u0301\nby the pier"}})

    assert captions_of(portfolio)[pier.pk] == "Café\nby the pier"


@pytest.mark.parametrize(
    ("captions", "reasons"),
    [
        (None, ["This field may not be null."]),
        ([], ["Enter an object of texts by the ids of images, not a list."]),
        ("A pier", ["Enter an object of texts by the ids of images, not a text."]),
        ({"pier": "x"}, ["pier: 'pier' is no id. Name each caption after its image's."]),
        ({"-1": "x"}, ["-1: '-1' is no id. Name each caption after its image's."]),
        ({"1.0": "x"}, ["1.0: '1.0' is no id. Name each caption after its image's."]),
        ({"7": [], "8": True}, ["7: Not a valid string.", "8: Not a valid string."]),
        ({"7": "x" * 1001}, ["7: Ensure this field has no more than 1000 characters."]),
        ({"7": "a\0b"}, ["7: Null characters are not allowed."]),
        ({"7": "a", "07": "b"}, ["07: Give each id once; 7 is repeated."]),
        ({str(pk): "x" for pk in range(1001)}, ["Enter at most 1000 captions."]),
    ],
    ids=["null", "list", "text", "name", "negative", "decimal", "no texts", "long", "nul", "twice", "many"],
)
def test_refuses_what_is_no_caption(client: Client, portfolio: Portfolio, captions: Any, reasons: list[str]) -> None:
    before = captions_of(portfolio)

    response = client.patch(path_of(portfolio), {"captions": captions})

    assert (response.status_code, response.json()) == (400, {"captions": reasons})
    assert captions_of(portfolio) == before


def test_a_change_moves_updated_at_and_with_it_the_tag_of_a_plain_read(
    client: Client, portfolio: Portfolio, quay: Media
) -> None:
    before = client.get(path_of(portfolio))

    written = client.patch(path_of(portfolio), {"captions": {quay.pk: "The quay"}})

    after = client.get(path_of(portfolio))
    assert after.json()["updated_at"] > before.json()["updated_at"]
    assert tag_of(before) != tag_of(after) == written.headers["ETag"]


def test_a_condition_holds_by_the_tag_of_either_form(client: Client, portfolio: Portfolio, quay: Media) -> None:
    path = f"{path_of(portfolio)}{WITH}"
    plain, included = (tag_of(client.get(url)) for url in (path_of(portfolio), path))
    assert plain != included
    refused = client.patch(path_of(portfolio), {"order": 1}, headers={"If-Match": included})
    assert refused.status_code == 412, "which asks for the other form"

    written = client.patch(path, {"captions": {quay.pk: "1"}}, headers={"If-Match": included})
    assert written.status_code == 200
    assert written.headers["ETag"] == tag_of(client.get(path_of(portfolio)))
    assert client.patch(path, {"order": 1}, headers={"If-Match": included}).status_code == 412
    assert client.patch(path, {"order": 1}, headers={"If-Match": written.headers["ETag"]}).status_code == 200


def test_the_history_tells_them_by_the_images_names(
    client: Client, portfolio: Portfolio, pier: Media, quay: Media
) -> None:
    client.patch(path_of(portfolio), {"captions": {pier.pk: "The old pier", quay.pk: "The quay"}})
    client.patch(path_of(portfolio), {"images": [quay.pk]})
    client.patch(path_of(portfolio), {"captions": {quay.pk: "The quay"}})

    entries = told(LogEntry.objects.order_by("pk"), portfolio)

    assert len(entries) == 2, "what changes nothing is not recorded"
    changed, left = ({difference.label: str(difference.shown) for difference in entry.differences} for entry in entries)
    assert list(changed) == ["Captions"]
    for text in ("pier.png", "<ins", "old", "quay.png", "The quay"):
        assert text in changed["Captions"]
    assert list(left) == ["Gallery", "Captions"]
    assert "The old pier" in left["Captions"]
