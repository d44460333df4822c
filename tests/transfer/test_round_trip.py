"""What is exported and imported into an empty installation is what it was: every field of every model."""

import wave
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.db import models
from PIL import Image

from folio.media.models import FormerName, Media, PendingFile, RemovedFile, Thumbnail
from folio.media.uploads import store_upload
from folio.portfolios.models import (
    Employer,
    FormerSlug,
    Link,
    MetaEntry,
    Portfolio,
    PortfolioImage,
    PortfolioTag,
    Tag,
)
from tests.factories import draw, make_employer, make_link, make_meta, make_portfolio, make_tag
from tests.media.svg.drawings import LOGOS

from .folders import contents_below, exported, files_below, imported

pytestmark = pytest.mark.django_db

IDS = "given anew"
WHEN = "tells when the row was written here; that portfolios keep their order by it is compared"
OF_BYTES = "follows from the file's bytes, which are compared"
# Fields that need not come back, each with the reason.
NOT_COMPARED: dict[tuple[type[models.Model], str], str] = {
    **{
        (model, "id"): IDS
        for model in (Portfolio, Employer, Tag, Media, PortfolioImage, PortfolioTag, Link, MetaEntry, FormerSlug)
    },
    **{(model, name): WHEN for model in (Portfolio, Media) for name in ("created_at", "updated_at")},
    **{(model, "updated_at"): WHEN for model in (Employer, Tag)},
    (Portfolio, "related_updated_at"): WHEN,
    (Portfolio, "shown_at"): "the database makes it of when it and what it shows were written",
    (FormerSlug, "created_at"): "tells when it was written here; their order is compared",
    (Portfolio, "preview_generation"): "preview links are of this installation alone: no other one can read them",
    (Portfolio, "year"): "the database makes it of completed_at",
    (Portfolio, "images"): "its rows are compared, as PortfolioImage",
    (Portfolio, "tags"): "its rows are compared, as PortfolioTag",
    (Media, "file"): "its name has the day on which it came; its bytes are compared",
    **{
        (Media, name): OF_BYTES
        for name in (
            "type",
            "mime_type",
            "size",
            "width",
            "height",
            "mode",
            "dominant_color",
            "placeholder",
            "is_animated",
        )
    },
}
NOT_EXPORTED = {
    Thumbnail: "made of the original",
    FormerName: "names that were given once, of this installation alone",
    PendingFile: "files that are just being put, which no row has yet",
    RemovedFile: "files that nothing shows, which go by themselves",
}


def natural(value: Any) -> Any:
    """Return a value, or what a row is known by where ids are given anew."""
    if isinstance(value, Media):
        return (value.sha256, value.name, value.alt, value.focal_x, value.focal_y)
    if isinstance(value, Portfolio):
        return value.slug
    return value.name if isinstance(value, Employer | Tag) else value


def compared(model: type[models.Model]) -> list[str]:
    fields = [*model._meta.concrete_fields, *model._meta.many_to_many]
    return [field.name for field in fields if (model, field.name) not in NOT_COMPARED]


def content() -> dict[type[models.Model], list[dict[str, Any]]]:
    """Return all that is compared: portfolios in the order of the list, what belongs to them in its own."""
    found: dict[type[models.Model], list[dict[str, Any]]] = {}
    for model in exported_models():
        rows = [{name: natural(getattr(row, name)) for name in compared(model)} for row in model._default_manager.all()]
        if model is Portfolio:
            found[model] = rows
        else:
            slugs = list(Portfolio.objects.values_list("slug", flat=True))
            by_portfolio = {slug: place for place, slug in enumerate(slugs)}
            found[model] = sorted(
                rows, key=lambda row: (by_portfolio.get(str(row.get("portfolio")), 0), row.get("place", 0), str(row))
            )
    return found


def exported_models() -> list[type[models.Model]]:
    every = [*apps.get_app_config("portfolios").get_models(), *apps.get_app_config("media").get_models()]
    return [model for model in every if model not in NOT_EXPORTED]


def stored_bytes() -> list[tuple[str, bytes]]:
    found = []
    for media in Media.objects.all():
        with media.file.open() as file:
            found.append((media.name, file.read()))
    return sorted(found)


def empty() -> None:
    Portfolio.objects.all().delete()
    for model in (Employer, Tag, Thumbnail, Media):
        model._default_manager.all().delete()


def store(file_name: str, content: bytes | None = None, **fields: Any) -> Media:
    if content is None:
        content = draw(color=(Media.objects.count() * 7, 90, 40))
    points = {name: fields.pop(name) for name in ("focal_x", "focal_y") if name in fields}
    media = store_upload(ContentFile(content, name=file_name), **fields)
    Media.objects.filter(pk=media.pk).update(**points)
    return Media.objects.get(pk=media.pk)


def fill() -> None:
    """Make rows in which each field has a value of its own somewhere, and what is awkward in file systems and YAML."""
    photograph = BytesIO()
    Image.new("RGB", (60, 40), (90, 120, 40)).save(photograph, "JPEG", comment=b"At home")
    cover = store("photo.jpg", photograph.getvalue(), alt="A boat: 'Asta'", focal_x=1 / 3, focal_y=0.0)
    twin = store("twin.png", draw(), name="a/b", alt="The same")
    store("twin.png", draw(), name="a/b", alt="Another", focal_x=0.5)  # nothing shows it
    logo = store("logo.svg", LOGOS["figma"], name="index.md", alt="", focal_y=1e-7)
    notes = store("notes.md", b"# Notes\n", name="Notes / 2024: all")
    sound = BytesIO()
    with wave.open(sound, "wb") as written:
        written.setparams((1, 1, 8000, 0, "NONE", "NONE"))
        written.writeframes(bytes(8000))
    played = store("played.wav", sound.getvalue())
    spare = store("spare.txt", b"Spare", alt="Words")
    same = [store("same.png", draw(color=(5, 5, 5))) for _ in range(2)]
    for format, mode in (("GIF", "P"), ("BMP", "RGB"), ("TIFF", "CMYK"), ("WEBP", "RGBA"), ("AVIF", "RGB")):
        store(f"{format}.{format}", draw(format=format, mode=mode, color=0 if mode == "P" else None), name=mode)
    one = make_employer(name="Café / Bar: «Ü»", description="One.\r\n\r\nTwo.", image=logo)
    make_employer(name="café - bar- -ü", description="")
    make_employer(name="con", slug="1-0")
    web, printed = make_tag(name="yes", image=logo, slug="no"), make_tag(name="null", slug="yes")
    make_tag(name="Unused")
    first = make_portfolio(
        title="~", slug="خانه-زعفران", excerpt="Two: lines # and more", description="---\n\nText\n---\nmore",
        image=cover, images=[twin, same[1], logo, same[0]], tags=[printed, web], order=3, employer=one, is_active=False,
        completed_at=datetime(2024, 5, 14, 9, 30, 0, 123456, tzinfo=UTC),
        publish_at=datetime(2031, 1, 2, tzinfo=UTC), unpublish_at=datetime(2031, 1, 2, 0, 0, 0, 1, tzinfo=UTC),
    )  # fmt: skip
    first.gallery.filter(media=twin).update(caption="Two: lines\n# and more")
    first.gallery.filter(media=same[0]).update(caption="~")
    FormerSlug.objects.bulk_create(FormerSlug(slug=slug, portfolio=first) for slug in ("null", "1", "خانه"))
    make_link(first, name="B", url="https://b.example/", description="Ünï", image=twin, place=0)
    make_link(first, name="A", url=None, description="", place=1)
    make_link(first, name="A", url=None, description=None, place=2)
    make_meta(first, key="Z: z", value_text="No", value_file=notes, place=0)
    make_meta(first, key="null", value_text=None, value_file=cover, place=1)
    make_meta(first, key="A", value_text="", place=2)
    make_meta(first, key="B", value_text=None, value_file=played, place=3)
    for slug, order, description in (("b", 3, ""), ("a", 3, None), ("c", -(2**31), "T\u2028 \x85ext")):
        make_portfolio(title=slug, slug=slug, order=order, description=description, image=same[0], images=[same[1]])
    assert spare.pk


def test_every_field_comes_back(tmp_path: Path) -> None:
    fill()
    before, files = content(), stored_bytes()
    exported(tmp_path / "out")
    empty()

    imported(tmp_path / "out")

    after = content()
    for model in exported_models():
        assert after[model] == before[model], model
    assert stored_bytes() == files
    first = contents_below(tmp_path / "out")
    exported(tmp_path / "again")
    assert contents_below(tmp_path / "again") == first
    assert imported(tmp_path / "again").startswith("Nothing differs")


def test_no_field_is_forgotten() -> None:
    """A new field is compared unless it is listed; and what is compared has a value that is not its default."""
    fill()
    rows = content()

    for model in exported_models():
        for name in compared(model):
            field: Any = model._meta.get_field(name)
            default = field.get_default()
            assert any(row[name] not in (default, None) for row in rows[model]), f"{model.__name__}.{name}"
    known = {(model, field.name) for model in exported_models() for field in model._meta.get_fields()}
    assert set(NOT_COMPARED) <= known
    assert all(NOT_COMPARED.values())


def test_an_export_is_imported_over_what_it_came_from_without_a_change(tmp_path: Path, media_root: Path) -> None:
    fill()
    exported(tmp_path / "out")
    before = (content(), files_below(media_root))

    assert imported(tmp_path / "out").startswith("Nothing differs")

    assert (content(), files_below(media_root)) == before
