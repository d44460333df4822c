"""Where a media is used, and how it comes off everything."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from folio.access.codes import CODES, RESOURCES
from folio.media.models import Media
from folio.portfolios.models import Employer, Portfolio, PortfolioImage, Tag
from tests.conftest import Client
from tests.contract.test_lock_order import locks
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

from .test_media_api import NO_ID, PATH, USES, files_in

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
DELETE_MEDIA = RESOURCES["media"]["delete"].code


def used_by(client: Client, media: Media) -> list[dict[str, Any]]:
    response = client.get(f"{PATH}{media.pk}/usage/")
    assert response.status_code == 200, response.json()
    assert list(response.json()) == ["used_by"]
    uses: list[dict[str, Any]] = response.json()["used_by"]
    return uses


def by_all(use: dict[str, Any]) -> tuple[Any, ...]:
    return use["resource"], use["field"], use["id"]


def use_everywhere(media: Media, times: int) -> list[dict[str, Any]]:
    return [use(media) for use in USES.values() for _ in range(times)]


def detach(client: Client, media: Media) -> Any:
    return client.delete(f"{PATH}{media.pk}/?detach=true")


def queries(request: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert request().status_code in {200, 204}
    return len(captured)


def let_be_old() -> None:
    Portfolio.objects.update(updated_at=LONG_AGO)


def touched() -> set[int]:
    return set(Portfolio.objects.exclude(updated_at=LONG_AGO).values_list("pk", flat=True))


# Listing


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_usage_names_what_uses_a_media(client: Client, use: Callable[[Media], dict[str, Any]]) -> None:
    media = make_media()
    expected = use(media)
    use(make_media())

    assert used_by(client, media) == [expected]


def test_usage_of_an_unused_media_is_empty(client: Client) -> None:
    assert used_by(client, make_media()) == []


def test_usage_is_the_list_that_keeps_a_media_from_being_deleted(client: Client) -> None:
    media = make_media()
    expected = use_everywhere(media, 2)
    both = make_portfolio(image=media, images=[media])
    expected += [{"resource": "portfolios", "id": both.pk, "field": field} for field in ("image", "images")]

    listed = used_by(client, media)

    assert sorted(listed, key=by_all) == sorted(expected, key=by_all)
    assert client.delete(f"{PATH}{media.pk}/").json()["used_by"] == listed


def test_usage_costs_the_same_however_many_use_the_media(client: Client) -> None:
    few, many = make_media(), make_media()
    use_everywhere(few, 1)
    use_everywhere(many, 30)

    cost = queries(lambda: client.get(f"{PATH}{few.pk}/usage/"))

    assert cost == queries(lambda: client.get(f"{PATH}{many.pk}/usage/"))
    assert len(used_by(client, many)) == 30 * len(USES)


@pytest.mark.parametrize("pk", [NO_ID, 2**70])
def test_usage_of_an_unknown_id_is_a_404(client: Client, pk: int) -> None:
    assert client.get(f"{PATH}{pk}/usage/").status_code == 404


# Detaching


@pytest.mark.usefixtures("_removed_at_once")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_detach_takes_a_media_off_and_deletes_it(
    client: Client, media_root: Path, use: Callable[[Media], dict[str, Any]]
) -> None:
    media, kept = make_image("gone.png"), make_image("kept.png")
    user = use(media)
    use(kept)

    response = detach(client, media)

    assert (response.status_code, response.content) == (204, b"")
    assert client.get(f"{PATH}{media.pk}/").status_code == 404
    answer = client.get(f"/api/{user['resource']}/{user['id']}/").json()
    shown = {"image": "image_data", "images": "images_data", "value_file": "value_file"}[user["field"]]
    assert answer[shown] in (None, [])
    assert len(used_by(client, kept)) == 1
    assert len(list(files_in(media_root))) == 5
    assert not [name for name in files_in(media_root) if "gone" in name]


def test_detach_takes_a_media_off_everything_at_once(client: Client) -> None:
    media = make_media()
    use_everywhere(media, 3)
    make_portfolio(image=media, images=[media])

    assert detach(client, media).status_code == 204
    assert not Media.objects.exists()


def test_detach_keeps_the_rest_of_a_gallery_in_its_order(client: Client) -> None:
    first, gone, last, new = (make_media() for _ in range(4))
    portfolio = make_portfolio(images=[last, gone, first])

    detach(client, gone)

    path = f"/api/portfolios/{portfolio.pk}/"
    assert [image["id"] for image in client.get(path).json()["images_data"]] == [last.pk, first.pk]
    answer = client.patch(path, {"images": [first.pk, new.pk, last.pk]}).json()
    assert [image["id"] for image in answer["images_data"]] == [first.pk, new.pk, last.pk]


def test_detach_keeps_the_text_of_a_meta(client: Client) -> None:
    media = make_media()
    entry = make_meta(make_portfolio(), value_file=media, value_text="kept")

    detach(client, media)

    entry.refresh_from_db()
    assert (entry.value_file, entry.value_text) == (None, "kept")


def test_detach_renews_the_portfolios_that_it_changes_and_no_other(client: Client) -> None:
    media, other = make_media(), make_media()
    changed = [make_portfolio(image=media), make_portfolio(images=[other, media]), make_portfolio(), make_portfolio()]
    make_link(changed[2], image=media)
    make_meta(changed[3], value_file=media)
    make_portfolio(image=other, images=[other])
    # A picture of theirs is no change of the portfolio.
    make_portfolio(employer=make_employer(image=media), tags=[make_tag(image=media)])
    let_be_old()

    detach(client, media)

    assert touched() == {portfolio.pk for portfolio in changed}


def test_detach_of_an_unused_media_is_a_deletion(client: Client) -> None:
    media = make_media()
    make_portfolio(image=make_media())
    let_be_old()

    assert detach(client, media).status_code == 204
    assert touched() == set()


def test_detach_of_an_unknown_id_is_a_404(client: Client) -> None:
    assert client.delete(f"{PATH}{NO_ID}/?detach=true").status_code == 404


def test_a_refused_deletion_tells_of_detach(client: Client) -> None:
    media = make_media()
    make_portfolio(image=media)

    assert "?detach=true" in client.delete(f"{PATH}{media.pk}/").json()["detail"]


@pytest.mark.usefixtures("_removed_at_once")
def test_detach_costs_the_same_however_many_use_the_media(client: Client) -> None:
    few, many = make_media(), make_media()
    use_everywhere(few, 1)
    use_everywhere(many, 20)  # SQLite takes the history's entries 142 at a time
    ContentType.objects.get_for_models(Media, Employer, Portfolio, Tag)  # which a process asks for once

    cost = queries(lambda: detach(client, few))

    assert cost == queries(lambda: detach(client, many)) <= 70  # PostgreSQL locks first what shows and names it


def test_detach_locks_the_portfolios_first(client: Client) -> None:
    media = make_media()
    use_everywhere(media, 1)

    with CaptureQueriesContext(connection) as captured:
        assert detach(client, media).status_code == 204

    first = next(query["sql"] for query in captured if locks(query["sql"]))
    assert first.startswith('SELECT "portfolios_portfolio"."id"')


@pytest.mark.django_db(transaction=True)
def test_a_detachment_that_fails_changes_nothing(
    client: Client, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = make_image()
    use_everywhere(media, 1)
    let_be_old()
    before = used_by(client, media)
    files = sorted(files_in(media_root))

    def fail(*args: Any, **kwargs: Any) -> None:
        raise OSError("The disk is gone.")

    monkeypatch.setattr(Media, "delete", fail)
    response = detach(client, media)

    assert response.status_code == 500
    assert used_by(client, media) == before
    assert touched() == set()
    assert sorted(files_in(media_root)) == files


@pytest.mark.django_db(transaction=True)
def test_detachments_and_new_uses_at_once_leave_no_one_waiting(client_for: Callable[..., Client], admin: User) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's database in memory is one for all threads")
    clients = [client_for(admin) for _ in range(6)]
    for _ in range(5):
        media = make_media()
        portfolios = [make_portfolio(image=media) for _ in clients]
        employers = [make_employer(image=media) for _ in clients]

        def change(number: int, media: Media = media, users: Any = (portfolios, employers)) -> list[int]:
            client, portfolio, employer = clients[number], users[0][number], users[1][number]
            try:
                if number < 2:
                    return [detach(client, media).status_code]
                path = f"/api/portfolios/{portfolio.pk}/"
                answers = [client.patch(path, {"images": [media.pk], "employer": employer.pk})]
                answers += [client.patch(f"/api/employers/{employer.pk}/", {"name": f"New {employer.pk}"})]
                return [answer.status_code for answer in answers]
            finally:
                connection.close()

        with ThreadPoolExecutor(len(clients)) as pool:
            statuses = list(pool.map(change, range(len(clients))))

        assert sorted(status for answers in statuses[:2] for status in answers) == [204, 404]
        assert {status for answers in statuses[2:] for status in answers} <= {200, 400}
        assert not Portfolio.objects.exclude(image=None).exists()


# Who may


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_detach_needs_the_update_code_of_what_it_changes(
    client: Client, client_for: Callable[..., Client], use: Callable[[Media], dict[str, Any]]
) -> None:
    media = make_media()
    user = use(media)
    code = RESOURCES[user["resource"]]["update"].code
    let_be_old()
    owner = make_user(is_staff=True, codes=[DELETE_MEDIA])

    response = detach(client_for(owner), media)

    assert response.status_code == 403
    assert response.json()["permission_code"] == code
    assert str(code) in response.json()["detail"]
    assert used_by(client, media) == [user]
    assert touched() == set()
    assert detach(client_for(make_user(is_staff=True, codes=[DELETE_MEDIA, code])), media).status_code == 204


def test_detach_needs_the_code_of_every_resource(client: Client, client_for: Callable[..., Client]) -> None:
    media = make_media()
    make_tag(image=media)
    make_portfolio(images=[media])
    owner = make_user(is_staff=True, codes=[DELETE_MEDIA, RESOURCES["portfolios"]["update"].code])

    response = detach(client_for(owner), media)

    assert response.json()["permission_code"] == RESOURCES["tags"]["update"].code
    assert len(used_by(client, media)) == 2


def test_detach_minds_what_a_key_is_narrowed_to(client_for: Callable[..., Client], admin: User) -> None:
    media = make_media()
    make_link(make_portfolio(), image=media)

    response = detach(client_for(admin, codes=[code for code in CODES if code != 4234]), media)

    assert (response.status_code, response.json()["permission_code"]) == (403, 4234)
    assert detach(client_for(admin, codes=[DELETE_MEDIA, 4234]), media).status_code == 204


def test_detach_of_an_unused_media_needs_no_other_code(client_for: Callable[..., Client]) -> None:
    media = make_media()

    assert detach(client_for(make_user(is_staff=True, codes=[DELETE_MEDIA])), media).status_code == 204


# Parameters


@pytest.mark.parametrize("value", ["true", "True", "1"])
def test_detach_is_a_boolean(client: Client, value: str) -> None:
    media = make_media()
    make_portfolio(image=media)

    assert client.delete(f"{PATH}{media.pk}/?detach={value}").status_code == 204


@pytest.mark.parametrize("query", ["detach=false", "detach=0", "detach="])
def test_without_detach_a_used_media_stays(client: Client, query: str) -> None:
    media = make_media()
    make_portfolio(images=[media])

    assert client.delete(f"{PATH}{media.pk}/?{query}").status_code == 409
    assert PortfolioImage.objects.count() == 1


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("detach=yes", "detach"),
        ("detach=true&detach=true", "detach"),
        ("detatch=true", "detatch"),
        ("detach=true&force=true", "force"),
    ],
)
def test_other_parameters_are_a_400(client: Client, query: str, name: str) -> None:
    media = make_media()
    make_portfolio(image=media)

    response = client.delete(f"{PATH}{media.pk}/?{query}")

    assert response.status_code == 400
    assert list(response.json()) == [name]
    assert len(used_by(client, media)) == 1


@pytest.mark.parametrize("path", ["/api/media/{}/", "/api/media/{}/usage/"])
def test_only_a_deletion_takes_detach(client: Client, path: str) -> None:
    response = client.get(path.format(make_media().pk), {"detach": "true"})

    assert response.status_code == 400
    assert list(response.json()) == ["detach"]


def test_deletions_of_other_resources_take_no_parameters(client: Client) -> None:
    employer = make_employer()

    assert client.delete(f"/api/employers/{employer.pk}/?detach=true").status_code == 400
    assert client.delete(f"/api/employers/{employer.pk}/").status_code == 204
