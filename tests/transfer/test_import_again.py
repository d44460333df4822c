"""An import that runs again changes what differs only, and a dry run changes nothing."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from folio.media.models import Media
from folio.portfolios.models import Link, Portfolio
from tests.factories import make_employer, make_image, make_portfolio, make_user
from tests.media.heic import exif, heic

from .folders import MODELS, contents_below, files_below, imported, project, put, row_counts, run
from .pictures import BLUE, GREEN, RED, gallery

pytestmark = pytest.mark.django_db


def photograph() -> bytes:
    """Return a JPEG that tells where it was taken."""
    file, exif = BytesIO(), Image.Exif()
    exif[0x010E] = "At home"
    exif.get_ifd(0x8825)[2] = (52.0, 30.0, 0.0)
    Image.new("RGB", (60, 40), (90, 120, 40)).save(file, "JPEG", exif=exif)
    return file.getvalue()


# A second time


def test_a_second_run_changes_nothing_and_says_so(work: Path, media_root: Path) -> None:
    put(
        work,
        {
            "employers/E.md": "---\n---\nText\n",
            "employers/E.png": GREEN,
            "a/index.md": project("employer: E\ntags: [T]\nlinks:\n  - name: L\n  - name: L\nmeta: {K: V}"),
            "a/photo.jpg": photograph(),
            "a/two.png": BLUE,
            "media/free.png": RED,
        },
    )
    imported(work, by=make_user("ada").username)
    before = ([list(model._default_manager.values()) for model in MODELS], contents_below(media_root))
    entries = LogEntry.objects.count()

    output = imported(work, by="ada")

    assert output == "Nothing differs; as they were: 3.\n"
    assert ([list(model._default_manager.values()) for model in MODELS], contents_below(media_root)) == before
    assert LogEntry.objects.count() == entries


def test_knows_a_photograph_of_a_phone_again(work: Path, media_root: Path) -> None:
    put(work, {"a/index.md": project(), "a/IMG_1.HEIC": heic(exif=exif(6, position=True))})
    imported(work)
    before = (list(Media.objects.values()), files_below(media_root))

    output = imported(work)

    assert output == "Nothing differs; as they were: 1.\n"
    assert (list(Media.objects.values()), files_below(media_root)) == before
    assert Media.objects.get().mime_type == "image/jpeg"


def test_knows_a_picture_again_of_which_private_data_was_left_out(work: Path, settings: Any) -> None:
    put(work, {"a/index.md": project(), "a/photo.jpg": photograph()})
    imported(work)
    stored = Media.objects.get()

    imported(work)

    assert Media.objects.get() == stored
    assert stored.size < len(photograph())


def test_changes_only_what_differs(work: Path) -> None:
    fields = "links:\n  - name: Site\n    url: https://a.example/\n  - name: Shop\nmeta: {Role: Design, Award: Silver}"
    put(work, {"a/index.md": project(fields), "a/one.png": RED, "b/index.md": project(title="Other")})
    imported(work)
    before = Portfolio.objects.get(slug="a")
    other = Portfolio.objects.get(slug="b")
    links = {link.name: link.pk for link in Link.objects.all()}
    fields = fields.replace("Silver", "Gold").replace("https://a.example/", "https://b.example/")
    put(work, {"a/index.md": project(fields, title="Quay"), "a/two.png": BLUE})

    output = imported(work)

    after = Portfolio.objects.get(slug="a")
    assert (after.pk, after.title, gallery(after)) == (before.pk, "Quay", ["two.png"])
    assert after.updated_at > before.updated_at
    assert after.image == before.image
    assert Portfolio.objects.get(slug="b").updated_at == other.updated_at
    assert {link.name: link.pk for link in Link.objects.all()} == links
    assert list(after.meta.values_list("key", "value_text")) == [("Role", "Design"), ("Award", "Gold")]
    assert output.splitlines() == [
        "changed a: a (title, images, links, meta)",
        "Made 1 media. Changed 1 project. As they were: 1.",
    ]


def test_leaves_what_a_folder_says_nothing_of(work: Path) -> None:
    put(work, {"a/index.md": project("order: 2\ntags: [Print]\nmeta: {Role: Design}", "A text.")})
    imported(work)
    Portfolio.objects.update(order=7, image=make_image("theirs.png"))
    put(work, {"a/index.md": project(excerpt="Ships.")})

    imported(work)

    row = Portfolio.objects.get()
    assert (row.excerpt, row.order, row.description, row.image.name) == ("Ships.", 7, "A text.", "theirs.png")
    assert (row.tags.count(), row.meta.count()) == (1, 1)


def test_empties_what_a_folder_says_is_empty(work: Path) -> None:
    full = "employer: E\ntags: [T]\nlinks:\n  - name: L\nmeta: {K: V}\ncompleted_at: 2024-01-01"
    put(work, {"a/index.md": project(full, "Text."), "a/one.png": RED, "a/two.png": BLUE})
    imported(work)
    empty = "employer:\ntags: []\nlinks: []\nmeta: {}\ncompleted_at:\ncover: null\nimages: []\ndescription:"
    put(work, {"a/index.md": project(empty)})

    imported(work)

    row = Portfolio.objects.get()
    assert (row.employer, row.completed_at, row.image, row.description) == (None, None, None, None)
    assert [rows.count() for rows in (row.tags, row.links, row.meta, row.images)] == [0, 0, 0, 0]
    assert Media.objects.count() == 2  # nothing is ever deleted


def test_other_bytes_under_the_same_name_are_another_media(work: Path) -> None:
    put(work, {"a/index.md": project(), "a/one.png": RED})
    imported(work)
    first = Media.objects.get()
    put(work, {"a/one.png": BLUE})

    imported(work)

    assert Portfolio.objects.get().image != first
    assert Media.objects.filter(pk=first.pk).exists()


def test_gives_a_media_the_texts_that_changed(work: Path) -> None:
    put(work, {"a/index.md": project("alt: {one.png: A boat}"), "a/one.png": RED})
    imported(work)
    touched = Portfolio.objects.get().updated_at
    put(work, {"a/index.md": project("alt: {one.png: A ship}\nnames: {one.png: Ship}")})

    output = imported(work)

    media = Media.objects.get()
    assert (media.alt, media.name) == ("A ship", "Ship")
    assert Portfolio.objects.get().updated_at == touched
    assert output.splitlines() == ["changed a: a (names, alt)", "Changed 1 media. As they were: 0."]


def test_leaves_the_texts_of_a_media_that_others_show(work: Path) -> None:
    shown = make_image("theirs.png", alt="Theirs")
    theirs = make_employer(image=shown)
    with shown.file.open() as file:
        put(work, {"a/index.md": project("alt: {one.png: Ours}"), "a/one.png": file.read()})

    for _ in range(2):
        imported(work)

    theirs.refresh_from_db()
    assert (theirs.image.alt, Portfolio.objects.get().image.alt) == ("Theirs", "Ours")
    assert Media.objects.count() == 2


def test_projects_with_the_same_picture_share_its_media(work: Path) -> None:
    put(work, {"a/index.md": project(), "a/one.png": RED, "b/index.md": project(title="B"), "b/two.png": RED})

    imported(work)

    assert Media.objects.count() == 1


def test_two_files_of_the_same_bytes_in_one_folder_are_two(work: Path) -> None:
    put(work, {"a/index.md": project("cover:"), "a/one.png": RED, "a/two.png": RED})

    for _ in range(2):
        imported(work)

    assert gallery(Portfolio.objects.get()) == ["one.png", "two.png"]
    assert Media.objects.count() == 2


# A dry run


def test_a_dry_run_says_the_same_and_writes_nothing(work: Path, media_root: Path, settings: Any) -> None:
    kept = make_portfolio(slug="b", title="B", excerpt="E")
    temporary = Path(settings.FILE_UPLOAD_TEMP_DIR)
    put(
        work,
        {
            "employers/E.md": "---\n---\nText",
            "a/index.md": project("employer: E\ntags: [T, U]"),
            "a/one.png": RED,
            "b/index.md": project("employer: E\ntags: [T]", title="C"),
            "b/one.png": RED,
        },
    )
    before = (row_counts(), files_below(work.parent), files_below(temporary), list(Portfolio.objects.values()))

    with CaptureQueriesContext(connection) as queries:
        output = imported(work, "--dry-run", by=make_user("ada").username)

    assert output.splitlines() == [
        "would make employers/E.md: E",
        "would make a: a",
        "would change b: b (title, excerpt, cover, employer, tags)",
        "Would make 1 project, 1 employer, 2 tags, 1 media. Would change 1 project. As they were: 0.",
    ]
    after = (row_counts(), files_below(work.parent), files_below(temporary), list(Portfolio.objects.values()))
    assert [part for part in after[1] if not part.startswith("journal/")] == before[1]
    assert (after[0], after[2], after[3]) == (before[0], before[2], before[3])
    assert LogEntry.objects.count() == 0
    assert not any("RELEASE" in query["sql"] and "INSERT" in query["sql"] for query in queries)
    kept.refresh_from_db()
    assert kept.title == "B"
    assert not media_root.exists()


def test_a_dry_run_finds_what_would_fail(work: Path) -> None:
    put(
        work,
        {"a/index.md": project(order="first"), "b/index.md": project(title="B"), "b/x.png": RED[:60]},
    )

    _, errors, failure = run("import", work, "--dry-run")

    assert errors.splitlines()[0] == "a/index.md:4: order: A valid integer is required."
    assert errors.splitlines()[1].startswith("b/x.png: ")
    assert "Failed: 2" in failure
