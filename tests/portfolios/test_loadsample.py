from collections import Counter
from collections.abc import Callable
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from folio.media.models import Media, Thumbnail
from folio.media.uploads import store_upload
from folio.portfolios import sample
from folio.portfolios.models import Employer, Link, MetaEntry, Portfolio, PortfolioImage, PortfolioTag, Tag
from folio.portfolios.sample.content import EMPLOYERS
from folio.portfolios.sample.pictures import Picture
from folio.portfolios.sample.works import PORTFOLIOS
from tests.conftest import Client
from tests.factories import make_employer, make_media, make_portfolio, make_tag

MODELS = (Portfolio, Employer, Tag, Media, Thumbnail, PortfolioImage, PortfolioTag, Link, MetaEntry)
FILES = list(sample.sample_files())
PICTURES = [file for file in FILES if isinstance(file, Picture)]


@pytest.fixture(scope="module")
def drawn() -> dict[str, bytes]:
    """Every picture's bytes by its file name; to draw them all takes seconds."""
    return {picture.filename: picture.data() for picture in PICTURES}


@pytest.fixture
def draws_fast(monkeypatch: pytest.MonkeyPatch, drawn: dict[str, bytes]) -> None:
    monkeypatch.setattr(Picture, "data", lambda picture: drawn[picture.filename])


@pytest.fixture(scope="module")
def opened(drawn: dict[str, bytes]) -> dict[str, Image.Image]:
    images: dict[str, Image.Image] = {name: Image.open(BytesIO(content)) for name, content in drawn.items()}
    for image in images.values():
        image.load()
    return images


def row_counts() -> list[int]:
    return [model._default_manager.count() for model in MODELS]


def files_below(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


# The command


@pytest.mark.usefixtures("draws_fast")
def test_fills_an_empty_installation(media_root: Path, client: Client) -> None:
    output = StringIO()

    call_command("loadsample", stdout=output)

    assert (
        "Loaded 26 portfolios, 10 employers, 11 tags, 26 links, 52 meta, 51 media."
        in output.getvalue().splitlines()[-1]
    )
    assert row_counts()[:4] == [26, 10, 11, 51]
    assert Portfolio.objects.filter(is_active=False).count() == 3
    for model in MODELS:
        for row in model._default_manager.all():
            row.full_clean()
    for portfolio, written in zip(Portfolio.objects.order_by("pk"), PORTFOLIOS, strict=True):
        assert portfolio.title == written.title
        assert portfolio.employer == (written.employer and Employer.objects.get(name=written.employer.name))
        assert [one.media.name for one in portfolio.gallery.all()] == [one.filename for one in written.images]
        assert [one.tag.name for one in portfolio.placed_tags.all()] == [one.name for one in written.tags]
        assert list(portfolio.links.values_list("name", "url")) == [(one.name, one.url) for one in written.links]
        assert list(portfolio.meta.values_list("key", "value_text")) == [
            (one.key, one.value_text) for one in written.meta
        ]
    images = Media.objects.images()
    assert images.count() == len(PICTURES)
    assert not images.filter(alt="").exists()
    assert Thumbnail.objects.count() == 4 * len(PICTURES)
    assert sorted(files_below(media_root)) == sorted(
        [*Media.objects.values_list("file", flat=True), *Thumbnail.objects.values_list("file", flat=True)]
    )
    # The example of the reference documentation finds something.
    found = client.get("/api/portfolios/", {"search": "site", "has_image": "True"}).json()
    assert "A site for the Harbour Museum" in [row["title"] for row in found["results"]]


@pytest.mark.django_db
@pytest.mark.parametrize("make_content", [make_portfolio, make_employer, make_tag, make_media])
def test_refuses_an_installation_that_holds_content(
    make_content: Callable[[], Any], media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = make_content()
    before = row_counts()
    monkeypatch.setattr(Picture, "data", lambda picture: pytest.fail("It drew before it looked."))

    with pytest.raises(CommandError, match=f"holds {held._meta.verbose_name_plural} already"):
        call_command("loadsample", stdout=StringIO())

    assert row_counts() == before
    assert files_below(media_root) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("draws_fast")
def test_refuses_content_that_came_while_it_drew(monkeypatch: pytest.MonkeyPatch, media_root: Path) -> None:
    def tell(message: str) -> None:
        if message.startswith("Storing"):
            make_tag(name="mine")

    with pytest.raises(sample.InstallationNotEmpty, match="holds tags already"):
        sample.load_sample(tell)

    assert [tag.name for tag in Tag.objects.all()] == ["mine"]
    assert files_below(media_root) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("draws_fast")
@pytest.mark.parametrize("failure", [OSError("No space left on device"), KeyboardInterrupt()])
def test_leaves_nothing_when_it_fails_halfway(
    failure: BaseException, monkeypatch: pytest.MonkeyPatch, media_root: Path
) -> None:
    stored: list[Media] = []

    def store_three(*args: Any, **kwargs: Any) -> Media:
        if len(stored) == 3:
            assert files_below(media_root)
            raise failure
        stored.append(store_upload(*args, **kwargs))
        return stored[-1]

    monkeypatch.setattr(sample, "store_upload", store_three)

    with pytest.raises(type(failure)):
        call_command("loadsample", stdout=StringIO())

    assert row_counts() == [0] * len(MODELS)
    assert files_below(media_root) == []


# The pictures


def test_draws_the_same_each_time(drawn: dict[str, bytes]) -> None:
    assert [picture.filename for picture in PICTURES if picture.data() != drawn[picture.filename]] == []


def test_writes_the_same_documents_each_time() -> None:
    documents = [file for file in FILES if not isinstance(file, Picture)]

    assert {document.filename.rpartition(".")[2] for document in documents} == {"pdf", "txt"}
    assert all(document.data() == document.data() for document in documents)


def test_pictures_come_in_many_formats_modes_and_sizes(opened: dict[str, Image.Image]) -> None:
    assert 35 <= len(opened) <= 50
    assert {image.format for image in opened.values()} == {"JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"}
    assert {image.mode for image in opened.values()} == {"RGB", "RGBA", "L", "P", "CMYK"}
    assert {(1600, 1200), (1200, 1600), (2000, 1000), (800, 800), (216, 263)} <= {
        image.size for image in opened.values()
    }


def test_no_picture_is_blank(opened: dict[str, Image.Image]) -> None:
    for name, image in opened.items():
        colours = image.convert("RGB").resize((64, 64)).getcolors(64 * 64)
        assert colours, name
        assert len(colours) > 8, name


def test_logos_are_transparent(opened: dict[str, Image.Image]) -> None:
    for employer in EMPLOYERS:
        if employer.image:
            logo = opened[employer.image.filename]
            assert logo.getpixel((0, 0))[3] < 255, employer.name  # type: ignore[index]
            assert logo.getchannel("A").getextrema()[1] == 255, employer.name


# The texts


def test_every_file_has_a_name_of_its_own() -> None:
    assert [name for name, times in Counter(file.filename for file in FILES).items() if times > 1] == []


def test_shows_what_may_be_absent_or_tied() -> None:
    orders = Counter(portfolio.order for portfolio in PORTFOLIOS)

    assert max(orders.values()) > 1
    assert any(portfolio.image is None for portfolio in PORTFOLIOS)
    assert any(portfolio.employer is None for portfolio in PORTFOLIOS)
    assert any(portfolio.description is None for portfolio in PORTFOLIOS)
    assert any(portfolio.completed_at is None for portfolio in PORTFOLIOS)
    assert any(not portfolio.slug.isascii() for portfolio in PORTFOLIOS)
    years = {portfolio.completed_at.year for portfolio in PORTFOLIOS if portfolio.completed_at}
    assert max(years) - min(years) >= 5


def test_links_lead_to_reserved_domains_only() -> None:
    hosts = {urlsplit(link.url).hostname or "" for row in PORTFOLIOS for link in row.links if link.url}

    assert hosts
    assert [
        host for host in hosts if not host.endswith((".example", "example.com", "example.org", "example.net"))
    ] == []
