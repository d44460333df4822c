"""What an entry tells: the keys in their order, and what each holds."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import msgspec
import pytest
from django.core.files.base import ContentFile
from django.test import Client
from PIL import Image as Drawing

from folio.delivery.documents import Entry, Image, ListedEntry
from folio.media.models import Media
from folio.media.uploads import store_upload
from folio.portfolios.models import Portfolio, PortfolioImage
from tests.delivery.entries import OPTIONAL, PATH, REST, ROW, ask, make_full, make_picture
from tests.factories import make_employer, make_image, make_link, make_media, make_meta, make_portfolio, make_tag

IMAGE = [
    *("id", "alt", "width", "height", "type", "src", "original", "sources", "thumbnails"),
    *("dominant_color", "placeholder", "focal", "is_animated"),
]
FILE = ["id", "type", "name", "mime_type", "size", "src", "alt", "width", "height", "duration", "poster"]


def alone(visitor: Client, portfolio: Portfolio) -> Any:
    return ask(visitor, f"{PATH}{portfolio.slug}/")


def image_of(visitor: Client, media: Media) -> Any:
    return alone(visitor, make_portfolio(image=media))["cover"]


def test_an_entry_has_all_keys_in_their_order(visitor: Client) -> None:
    entry = alone(visitor, make_full())

    assert list(entry) == [*ROW, *REST]
    assert list(entry["employer"]) == list(entry["tags"][0]) == ["id", "slug", "name", "image"]
    assert list(entry["links"][0]) == ["id", "name", "url", "description", "image"]
    assert list(entry["meta"][0]) == ["id", "key", "value_text", "value_file"]
    assert list(entry["meta"][0]["value_file"]) == FILE
    assert list(entry["neighbours"]) == ["previous", "next"]


def test_a_result_of_the_list_has_the_first_keys_alone(visitor: Client) -> None:
    make_full()

    assert list(ask(visitor)["results"][0]) == ROW
    assert list(ask(visitor, include=",".join(OPTIONAL))["results"][0]) == [*ROW, *REST]


def test_answers_are_of_the_declared_types(visitor: Client) -> None:
    portfolio = make_full(2)
    make_full(2)

    alone = visitor.get(f"{PATH}{portfolio.slug}/").content
    listed = visitor.get(PATH, {"include": ",".join(OPTIONAL)}).json()["results"]

    entry = msgspec.json.decode(alone, type=Entry)
    assert msgspec.json.encode(entry) == alone
    assert len(msgspec.convert(listed, list[ListedEntry], strict=False)) == 2


def test_the_page_of_an_entry_is_told_by_the_website(visitor: Client, settings: Any) -> None:
    portfolio = make_portfolio(slug="نمایشگاه-عکس")

    assert alone(visitor, portfolio)["url"] == (
        "https://studio.example/work/%D9%86%D9%85%D8%A7%DB%8C%D8%B4%DA%AF%D8%A7%D9%87-%D8%B9%DA%A9%D8%B3/"
    )
    settings.SITE_URL = ""
    assert alone(visitor, portfolio)["url"] is None


def test_the_year_is_that_of_the_completion(visitor: Client) -> None:
    entry = alone(visitor, make_portfolio(completed_at=datetime(2023, 12, 31, 23, 59, tzinfo=UTC)))

    assert (entry["completed_at"], entry["year"]) == ("2023-12-31T23:59:00Z", 2023)


def test_updated_at_is_when_anything_shown_last_changed(visitor: Client) -> None:
    portfolio = make_portfolio()
    later = datetime(2099, 1, 1, tzinfo=UTC)
    Portfolio.objects.update(related_updated_at=later)

    assert alone(visitor, portfolio)["updated_at"] == "2099-01-01T00:00:00Z"


def test_an_entry_without_anything_has_nulls_and_empty_lists(visitor: Client) -> None:
    entry = alone(visitor, make_portfolio())

    nothing = {name for name, value in entry.items() if value is None}
    assert nothing == {"completed_at", "year", "cover", "employer", "description", "description_html", "share_image"}
    assert (entry["tags"], entry["gallery"], entry["links"], entry["meta"], entry["related"]) == ([], [], [], [], [])
    assert entry["neighbours"] == {"previous": None, "next": None}


def test_an_image_has_all_keys_in_their_order(visitor: Client) -> None:
    media = make_picture(alt="Letters", dominant_color="#008083", placeholder="data:image/webp;base64,AA==")

    image = image_of(visitor, media)

    assert list(image) == IMAGE
    assert (image["id"], image["alt"], image["type"]) == (media.pk, "Letters", "image/jpeg")
    assert (image["width"], image["height"]) == (4000, 3000)
    assert image["original"] == f"http://testserver/media/{media.file.name}"
    assert (image["dominant_color"], image["placeholder"]) == ("#008083", "data:image/webp;base64,AA==")
    assert [source["type"] for source in image["sources"]] == ["image/avif", "image/webp", "image/jpeg"]


def test_an_image_is_shown_by_its_largest_thumbnail(visitor: Client) -> None:
    image = image_of(visitor, make_picture())

    assert (
        image["src"]
        == image["thumbnails"][-1]["src"]
        == f"http://testserver/media/core_media/thumbnails/{image['id']}_1080.jpg"
    )
    assert [(each["size"], each["width"], each["height"]) for each in image["thumbnails"]] == [
        (64, 64, 48),
        (128, 128, 96),
        (512, 512, 384),
        (1080, 1080, 810),
    ]
    assert list(image["thumbnails"][0]) == ["size", "src", "width", "height"]


def test_thumbnails_have_the_sizes_that_are_told(visitor: Client) -> None:
    drawn = BytesIO()
    Drawing.new("RGB", (1301, 77), "navy").save(drawn, "PNG")
    media = store_upload(ContentFile(drawn.getvalue(), name="strip.png"))

    told = {each["size"]: (each["width"], each["height"]) for each in image_of(visitor, media)["thumbnails"]}

    for thumbnail in media.thumbnails.all():
        with thumbnail.file.open() as file, Drawing.open(file) as image:
            assert image.size == told[thumbnail.size]


def test_a_small_image_is_shown_by_its_original(visitor: Client) -> None:
    image = image_of(visitor, make_picture(width=400, height=300))

    assert image["src"] == image["original"]


def test_originals_may_be_kept_back(visitor: Client, settings: Any) -> None:
    settings.PUBLIC_ORIGINALS = False
    small = make_picture(width=400, height=300)
    portfolio = make_portfolio(image=small)
    make_meta(portfolio, value_file=small)

    response = visitor.get(f"{PATH}{portfolio.slug}/")

    image = response.json()["cover"]
    assert list(image) == [name for name in IMAGE if name != "original"]
    assert image["src"] == image["thumbnails"][-1]["src"] == response.json()["meta"][0]["value_file"]["src"]
    assert f'/{small.file.name}"' not in response.content.decode()


def test_an_image_of_which_nothing_may_be_shown_is_none(visitor: Client, settings: Any) -> None:
    settings.PUBLIC_ORIGINALS = False
    portfolio = make_portfolio(image=make_media(), images=[make_media()])

    assert (alone(visitor, portfolio)["cover"], alone(visitor, portfolio)["gallery"]) == (None, [])


@pytest.mark.parametrize(("x", "y", "told"), [(None, None, (0.5, 0.5)), (0.25, None, (0.25, 0.5)), (0.0, 1.0, (0, 1))])
def test_what_matters_in_an_image_is_the_centre_unless_chosen(
    visitor: Client, x: float | None, y: float | None, told: Any
) -> None:
    focal = image_of(visitor, make_picture(focal_x=x, focal_y=y))["focal"]

    assert (focal["x"], focal["y"]) == told


@pytest.mark.parametrize("is_animated", [True, False, None])
def test_an_image_tells_whether_it_moves(visitor: Client, is_animated: bool | None) -> None:
    assert image_of(visitor, make_picture(is_animated=is_animated))["is_animated"] is is_animated


def test_a_caption_belongs_to_the_place_in_the_gallery(visitor: Client) -> None:
    media = make_picture()
    one, other = make_portfolio(image=media), make_portfolio()
    PortfolioImage.objects.create(portfolio=one, media=media, place=0, caption='A "caption"')
    PortfolioImage.objects.create(portfolio=other, media=media, place=0)

    entry = alone(visitor, one)

    assert list(entry["gallery"][0]) == [*IMAGE, "caption"]
    assert entry["gallery"][0] == {**entry["cover"], "caption": 'A "caption"'}
    assert alone(visitor, other)["gallery"][0]["caption"] is None


def test_lists_are_in_the_order_that_was_given(visitor: Client) -> None:
    first, second = make_picture(), make_picture()
    tags = [make_tag(name="z"), make_tag(name="a")]
    portfolio = make_portfolio(images=[second, first], tags=tags)
    make_link(portfolio, name="later", place=1)
    make_link(portfolio, name="sooner", place=0)

    entry = alone(visitor, portfolio)

    assert [image["id"] for image in entry["gallery"]] == [second.pk, first.pk]
    assert [tag["name"] for tag in entry["tags"]] == ["z", "a"]
    assert [link["name"] for link in entry["links"]] == ["sooner", "later"]


def test_a_file_tells_what_is_known_of_it(visitor: Client) -> None:
    media = make_media(
        type="document", mime_type="application/pdf", name="Brochure", file="core_media/2026/03/02/b.pdf"
    )
    portfolio = make_portfolio()
    make_meta(portfolio, key="brochure", value_text=None, value_file=media)

    assert alone(visitor, portfolio)["meta"][0]["value_file"] == {
        "id": media.pk,
        "type": "document",
        "name": "Brochure",
        "mime_type": "application/pdf",
        "size": 1024,
        "src": "http://testserver/media/core_media/2026/03/02/b.pdf",
        "alt": "",
        "width": None,
        "height": None,
        "duration": None,
        "poster": None,
    }


def test_meta_that_begins_with_a_line_below_is_never_public(visitor: Client) -> None:
    portfolio = make_portfolio()
    make_meta(portfolio, key="_fee", value_text="secret", value_file=make_picture(file="core_media/2026/03/02/x.png"))
    make_meta(portfolio, key="area", value_text="90 m²")

    content = visitor.get(f"{PATH}{portfolio.slug}/").content.decode()

    assert '"key":"area"' in content
    assert not [word for word in ("_fee", "secret", "x.png") if word in content]


def test_a_share_image_follows_the_cover(visitor: Client) -> None:
    media = make_picture(focal_x=0.25, focal_y=0.75)

    shared = alone(visitor, make_portfolio(image=media))["share_image"]

    assert shared.startswith(f"http://testserver/media/{str(media.file.name).rpartition('/')[0]}/thumbnails/")
    assert "share_250x750" in shared


def test_no_variant_is_told_of_where_none_are_made(visitor: Client, settings: Any) -> None:
    settings.IMAGE_WIDTHS = []

    entry = alone(visitor, make_portfolio(image=make_picture()))

    assert (entry["cover"]["sources"], entry["share_image"]) == ([], None)


def test_a_description_comes_as_it_is_written_and_as_html(visitor: Client) -> None:
    entry = alone(visitor, make_portfolio(description="# Work\n\n**Bold** <script>alert(1)</script>"))

    assert entry["description"] == "# Work\n\n**Bold** <script>alert(1)</script>"
    assert "<h2>Work</h2>" in entry["description_html"]
    assert "<strong>Bold</strong> &lt;script&gt;" in entry["description_html"]


def test_a_picture_of_a_description_gets_its_size(visitor: Client) -> None:
    media = make_image()
    entry = alone(visitor, make_portfolio(description=f"![Alt](/media/{media.file.name})"))

    told = (
        f'src="http://testserver/media/{media.file.name}" width="{media.width}" height="{media.height}" loading="lazy"'
    )
    assert told in entry["description_html"]


def test_a_neighbour_is_told_as_a_link_shows_it(visitor: Client) -> None:
    other = make_portfolio(title="Other", slug="other", image=make_picture(), order=1)
    entry = alone(visitor, make_portfolio(order=0))

    assert list(entry["neighbours"]["next"]) == ["slug", "title", "cover"]
    assert (entry["neighbours"]["next"]["slug"], entry["neighbours"]["next"]["title"]) == ("other", "Other")
    assert msgspec.convert(entry["neighbours"]["next"]["cover"], Image).id == other.image_id
    assert entry["related"] == [entry["neighbours"]["next"]]


def test_what_is_encoded_once_is_told_in_each_place(visitor: Client) -> None:
    picture = make_picture()
    tag, employer = make_tag(image=picture), make_employer(image=picture)
    for _ in range(2):
        make_portfolio(image=picture, tags=[tag], employer=employer)

    first, second = ask(visitor)["results"]

    assert first["tags"] == second["tags"]
    assert first["employer"] == second["employer"]
    assert first["cover"] == second["cover"] == first["tags"][0]["image"] == first["employer"]["image"]
