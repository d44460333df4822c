"""Two people who edit the texts of one media in the admin site."""

from typing import Any

from django.test import Client as Site

from folio.media.models import Media
from tests.conftest import Client
from tests.factories import make_image
from tests.forms import errors, shown_values


def address(media: Media) -> str:
    return f"/admin/media/media/{media.pk}/change/"


def opened(site: Site, media: Media) -> dict[str, Any]:
    """Return what the form holds, as it is sent back untouched."""
    return shown_values(site.get(address(media)))


def test_saves_nothing_where_someone_else_has_saved_meanwhile(site: Site, client: Client) -> None:
    media = make_image(alt="Before")
    mine = {**opened(site, media), "alt": "Mine"}
    client.patch(f"/api/media/{media.pk}/", {"name": "Theirs", "alt": "Theirs"})

    page = site.post(address(media), mine)

    assert page.status_code == 200
    media.refresh_from_db()
    assert (media.name, media.alt) == ("Theirs", "Theirs")
    assert "Nothing was saved, because eda has changed this meanwhile." in page.content.decode()
    sides = {side.label: (side.old, side.new) for side in page.context["sides"]}
    assert sides.keys() == {"Name", "Alt"}
    assert ("Theirs" in sides["Alt"][0], "Mine" in sides["Alt"][1]) == (True, True)


def test_saves_over_it_what_is_sent_again(site: Site, client: Client) -> None:
    media = make_image(alt="Before")
    mine = {**opened(site, media), "alt": "Mine"}
    client.patch(f"/api/media/{media.pk}/", {"alt": "Theirs"})
    page = site.post(address(media), mine)

    answer = site.post(address(media), shown_values(page))

    assert answer.status_code == 302, errors(answer)
    media.refresh_from_db()
    assert media.alt == "Mine"


def test_lets_one_save_several_times(site: Site) -> None:
    media = make_image()

    for alt in ("One", "Two"):
        assert site.post(address(media), {**opened(site, media), "alt": alt}).status_code == 302

    assert Media.objects.get().alt == "Two"


def test_leads_to_the_library_from_a_media_that_is_gone(site: Site) -> None:
    media = make_image()
    mine = {**opened(site, media), "alt": "Mine"}
    media.delete()

    assert site.post(address(media), mine, follow=True).status_code == 200
    assert not Media.objects.exists()
