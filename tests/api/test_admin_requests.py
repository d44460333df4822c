"""What the admin site answers to requests that none of its pages sends: a sentence, and never a failure."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client as Site

from folio.media.models import Media
from tests.factories import make_media, make_user

JSON = "application/json"
UNREADABLE = {"detail": "The request could not be read. Load the page again."}


@pytest.fixture
def site(site_for: Callable[[User], Site]) -> Site:
    return site_for(make_user("root", is_staff=True, is_superuser=True))


@pytest.fixture
def media() -> Media:
    return make_media(name="Crane")


@pytest.mark.parametrize(
    "body",
    ["[" * 100_000, '{"name": "\\ud800"}', '{"name": NaN}', b'{"name": "\xff"}', '{"name": ' + "9" * 5000 + "}", "[]"],
    ids=["nested", "half a surrogate pair", "NaN", "not UTF-8", "digits", "no object"],
)
def test_refuses_a_body_that_is_no_object(site: Site, media: Media, body: str | bytes) -> None:
    answer = site.post(f"/admin/media/media/{media.pk}/texts/", body, content_type=JSON)

    assert answer.status_code == 400
    assert answer.json() == UNREADABLE
    media.refresh_from_db()
    assert media.name == "Crane"
