from collections import Counter
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from folio.media import storing
from folio.media.models import Media, Thumbnail
from folio.portfolios.models import Employer, Link, Portfolio, PortfolioImage
from folio.sample import formats, loading
from folio.sample.loading import CONTENT
from folio.transfer import stock
from folio.transfer.stock import stored_digest
from tests.conftest import Client
from tests.factories import make_employer, make_media, make_portfolio, make_tag
from tests.transfer.folders import MODELS, contents_below, exported, files_below, imported, row_counts

LARGEST = 1_500_000  # bytes of what is committed


def opened(media: Media) -> Image.Image:
    with Image.open(media.file.path) as image:
        return image.copy()


@pytest.mark.django_db
def test_fills_an_empty_installation(media_root: Path, client: Client, tmp_path: Path) -> None:
    """One test of all that is in it, for to store it takes seconds."""
    output = StringIO()

    call_command("loadsample", stdout=output)

    last = output.getvalue().splitlines()[-1]
    assert "Loaded 26 portfolios, 10 employers, 11 tags, 26 links, 52 meta, 51 media." in last
    for model in MODELS:
        for row in model._default_manager.all():
            row.full_clean()
    assert sorted(files_below(media_root)) == sorted(
        [*Media.objects.values_list("file", flat=True), *Thumbnail.objects.values_list("file", flat=True)]
    )
    # The examples of the documentation find something, under the ids that they show.
    found = client.get("/api/portfolios/", {"search": "site", "has_image": "True"}).json()
    assert "A site for the Harbour Museum" in [row["title"] for row in found["results"]]
    first = Portfolio.objects.order_by("pk")[0].pk
    assert Portfolio.objects.get(slug="paper-weather").pk == first + 16
    assert_texts()
    assert_pictures()
    assert_goes_out_and_in_again(tmp_path)


def assert_texts() -> None:
    """What may be absent or tied is so somewhere, and links lead to reserved domains only."""
    rows = Portfolio.objects.all()
    assert rows.filter(is_active=False).count() == 3
    assert max(Counter(rows.values_list("order", flat=True)).values()) > 1
    for name in ("image", "employer", "description", "completed_at"):
        assert rows.filter(**{name: None}).exists(), name
    assert any(not slug.isascii() for slug in rows.values_list("slug", flat=True))
    years = [year for year in rows.values_list("year", flat=True) if year]
    assert max(years) - min(years) >= 5
    assert PortfolioImage.objects.exclude(caption=None).count() > 10
    for mark in ("\n- ", "\n> ", "\n1. ", "|---|", "**", "](https://"):
        assert rows.filter(description__contains=mark).exists(), mark
    hosts = {str(urlsplit(url).hostname) for url in Link.objects.exclude(url=None).values_list("url", flat=True)}
    assert [
        name for name in hosts if not name.endswith((".example", "example.com", "example.org", "example.net"))
    ] == []


def assert_pictures() -> None:
    """They come in many formats, modes and sizes; none is blank, and each says what it shows."""
    images = {media.name: opened(media) for media in Media.objects.images()}
    assert len(images) == 49
    assert not Media.objects.images().filter(alt="").exists()
    assert Media.objects.images().exclude(focal_x=None).count() > 5
    kinds = set(Media.objects.images().values_list("mime_type", flat=True))
    assert kinds == {f"image/{kind}" for kind in ("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif")}
    assert {image.mode for image in images.values()} == {"RGB", "RGBA", "L", "P", "CMYK"}
    assert {(1600, 1200), (1200, 1600), (2000, 1000), (800, 800), (216, 263)} <= {
        image.size for image in images.values()
    }
    for name, image in images.items():
        colours = image.convert("RGB").resize((64, 64)).getcolors(64 * 64)
        assert colours, name
        assert len(colours) > 8, name
    for employer in Employer.objects.exclude(image=None).select_related("image"):
        logo = images[employer.image.name]
        assert logo.getpixel((0, 0))[3] < 255, employer.name  # type: ignore[index]


def assert_goes_out_and_in_again(folder: Path) -> None:
    """Every file would come through the door that takes private data out just as it went, whatever its format."""
    for media in Media.objects.all():
        with media.file.open() as file:
            assert stored_digest(file) == media.sha256, media.name

    exported(folder / "out")

    assert imported(folder / "out") == "Nothing differs; as they were: 47.\n"


@pytest.mark.django_db
@pytest.mark.parametrize("make_content", [make_portfolio, make_employer, make_tag, make_media])
def test_refuses_an_installation_that_holds_content(
    make_content: Callable[[], Any], media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = make_content()
    before = row_counts()
    monkeypatch.setattr(loading, "in_formats", lambda *folders: pytest.fail("It began before it looked."))

    with pytest.raises(CommandError, match=f"holds {held._meta.verbose_name_plural} already"):
        call_command("loadsample", stdout=StringIO())

    assert row_counts() == before
    assert files_below(media_root) == []


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two of the sample's projects, for tests that don't ask which."""
    folder = tmp_path / "content"
    for name in ("15-fathom", "23-postcards"):
        (folder / name).mkdir(parents=True)
        for path in (CONTENT / name).iterdir():
            (folder / name / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(loading, "CONTENT", folder)


@pytest.mark.django_db
@pytest.mark.usefixtures("small")
def test_refuses_content_that_came_meanwhile(monkeypatch: pytest.MonkeyPatch, media_root: Path) -> None:
    def in_formats(*folders: Path) -> None:
        make_tag(name="mine")
        convert(*folders)

    convert = formats.in_formats
    monkeypatch.setattr(loading, "in_formats", in_formats)

    with pytest.raises(loading.InstallationNotEmpty, match="holds tags already"):
        loading.load_sample()

    assert row_counts() == [0, 0, 1, *[0] * (len(MODELS) - 3)]
    assert files_below(media_root) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("failure", [OSError("No space left on device"), KeyboardInterrupt()])
def test_leaves_nothing_when_it_fails_halfway(
    failure: BaseException, monkeypatch: pytest.MonkeyPatch, media_root: Path
) -> None:
    made: list[Media] = []

    def store_three(*arguments: Any) -> Media:
        if len(made) == 3:
            assert files_below(media_root)
            raise failure
        made.append(store(*arguments))
        return made[-1]

    store = storing.store
    monkeypatch.setattr(stock, "store", store_three)

    with pytest.raises(type(failure)):
        call_command("loadsample", stdout=StringIO())

    assert row_counts() == [0] * len(MODELS)
    assert files_below(media_root) == []


def test_is_small() -> None:
    assert sum(len(data) for data in contents_below(CONTENT).values()) <= LARGEST


def test_every_picture_that_is_made_anew_is_there() -> None:
    names = {Path(path).name for path in files_below(CONTENT)}

    assert set(formats.BECOMES) | formats.STAY <= names
