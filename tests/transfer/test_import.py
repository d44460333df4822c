import os
import unicodedata
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from folio.media import uploads
from folio.media.models import Media
from folio.portfolios.models import Employer, Link, Portfolio, Tag
from folio.transfer import stock
from folio.transfer.reading import PROJECT_FIELDS
from tests.factories import draw, make_employer, make_image, make_portfolio, make_tag, make_user

from .folders import MODELS, contents_below, files_below, imported, project, put, row_counts, run

pytestmark = pytest.mark.django_db
RED, BLUE, GREEN = (draw(color=color) for color in ((200, 0, 0), (0, 0, 200), (0, 150, 0)))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """An empty folder, beside what else a test writes."""
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def photograph() -> bytes:
    """Return a JPEG that tells where it was taken."""
    file, exif = BytesIO(), Image.Exif()
    exif[0x010E] = "At home"
    exif.get_ifd(0x8825)[2] = (52.0, 30.0, 0.0)
    Image.new("RGB", (60, 40), (90, 120, 40)).save(file, "JPEG", exif=exif)
    return file.getvalue()


def gallery(portfolio: Portfolio) -> list[str]:
    return [placed.media.name for placed in portfolio.gallery.all()]


# What a folder becomes


def test_makes_a_project_of_a_folder_with_a_text_and_pictures(work: Path) -> None:
    put(
        work,
        {
            "harbour/index.md": """
---
title: A site for the Harbour Museum
slug: harbour-museum
excerpt: "Forty old boats: told by those who sail them."
order: 3
is_active: no
completed_at: 2024-05-14
employer: Harbour Museum
tags: [Web design, Print]
cover: quay.png
images: [two.png, one.png]
links:
  - name: Site
    url: https://harbour.example/
    description: Open at every tide.
    image: one.png
  - name: Poster
meta:
  Role: Concept
  Year: 2024
  Statement:
    text: Tested
    file: statement.txt
alt:
  quay.png: The quay
  two.png: A boat
names:
  statement.txt: Accessibility statement
---

First paragraph.

Second paragraph.
""",
            "harbour/quay.png": RED,
            "harbour/one.png": BLUE,
            "harbour/two.png": GREEN,
            "harbour/statement.txt": b"We tested it.",
        },
    )

    output = imported(work)

    row = Portfolio.objects.get()
    assert (row.title, row.slug, row.order, row.is_active) == (
        "A site for the Harbour Museum",
        "harbour-museum",
        3,
        False,
    )
    assert row.excerpt == "Forty old boats: told by those who sail them."
    assert row.description == "First paragraph.\n\nSecond paragraph."
    assert row.completed_at == datetime(2024, 5, 14, tzinfo=UTC)
    assert row.employer == Employer.objects.get(name="Harbour Museum")
    assert [placed.tag.name for placed in row.placed_tags.all()] == ["Web design", "Print"]
    assert (row.image.name, row.image.alt) == ("quay.png", "The quay")
    assert gallery(row) == ["two.png", "one.png"]
    links = row.links.values_list("name", "url", "description", "image__name")
    assert list(links) == [
        ("Site", "https://harbour.example/", "Open at every tide.", "one.png"),
        ("Poster", None, None, None),
    ]
    assert list(row.meta.values_list("key", "value_text", "value_file__name")) == [
        ("Role", "Concept", None),
        ("Year", "2024", None),
        ("Statement", "Tested", "Accessibility statement"),
    ]
    assert output.splitlines() == [
        "made harbour: harbour-museum",
        "Made 1 project, 1 employer, 2 tags, 4 media. As they were: 0.",
    ]
    assert LogEntry.objects.count() == 0


def test_takes_pictures_by_the_order_of_their_names_where_none_are_named(work: Path) -> None:
    names = ["10.png", "9.png", "b.PNG", "notes.txt", ".hidden.png"]
    colours = dict(zip(names, (RED, BLUE, GREEN, b"Notes.", draw(color=(1, 2, 3))), strict=True))
    put(work, {"harbour/index.md": project(), **{f"harbour/{name}": colours[name] for name in names}})
    put(work, {"harbour/raw/11.png": draw(color=(9, 9, 9))})

    imported(work)

    row = Portfolio.objects.get()
    assert row.image.name == "9.png"
    assert gallery(row) == ["10.png", "b.PNG"]
    assert sorted(Media.objects.values_list("name", flat=True)) == ["10.png", "9.png", "b.PNG"]


def test_takes_a_picture_called_cover_as_the_cover(work: Path) -> None:
    put(work, {"harbour/index.md": project(), "harbour/a.png": RED, "harbour/Cover.png": BLUE})

    imported(work)

    assert Portfolio.objects.get().image.name == "Cover.png"
    assert gallery(Portfolio.objects.get()) == ["a.png"]


def test_takes_the_folders_name_as_the_slug_where_none_is_given(work: Path) -> None:
    put(work, {"Harbour Museum, 2024/index.md": project()})

    imported(work)

    assert Portfolio.objects.get().slug == "harbour-museum-2024"


def test_makes_projects_in_the_order_of_their_folders(work: Path) -> None:
    put(work, {f"{number}/index.md": project(title=f"Work {number}") for number in (10, 9, 1)})

    imported(work)

    assert list(Portfolio.objects.order_by("pk").values_list("slug", flat=True)) == ["1", "9", "10"]


def test_reads_employers_and_tags_that_have_more_than_a_name(work: Path) -> None:
    put(
        work,
        {
            "employers/harbour.md": "---\nname: Harbour Museum\nalt: A red sun\n---\nForty boats.\n",
            "employers/harbour.png": RED,
            "tags/Print.md": "---\nimage: icon.png\nalt:\n  icon.png: A press\n---\n",
            "tags/icon.png": BLUE,
            "work/index.md": project("employer: Harbour Museum\ntags: [Print]"),
        },
    )

    output = imported(work)

    employer, tag = Employer.objects.get(), Tag.objects.get()
    assert (employer.name, employer.description, employer.image.alt) == ("Harbour Museum", "Forty boats.", "A red sun")
    assert (tag.name, tag.image.alt) == ("Print", "A press")
    assert Portfolio.objects.get().employer == employer
    assert "Made 1 project, 1 employer, 1 tag, 2 media." in output


def test_stores_what_nothing_shows_in_a_folder_of_its_own(work: Path) -> None:
    put(work, {"media/index.md": "---\nalt:\n  a.png: A boat\n---\n", "media/a.png": RED, "media/b.txt": b"Text"})

    imported(work)

    assert list(Media.objects.order_by("name").values_list("name", "alt")) == [("a.png", "A boat"), ("b.txt", "")]


def test_reads_texts_as_they_stand_whatever_yaml_would_make_of_them(work: Path) -> None:
    put(
        work,
        {"a/index.md": project("tags: [yes, 1.0, 2024-05-01, 'null']\nemployer: NO", title="0x10", excerpt="on")},
    )

    imported(work)

    row = Portfolio.objects.get()
    assert (row.title, row.excerpt, row.employer and row.employer.name) == ("0x10", "on", "NO")
    assert [placed.tag.name for placed in row.placed_tags.all()] == ["yes", "1.0", "2024-05-01", "null"]


def test_reads_files_that_other_systems_write(work: Path) -> None:
    """A byte order mark and Windows' line ends, and names that macOS keeps decomposed."""
    text = project("cover: café.png", "One.\n\nTwo.\n").replace("\n", "\r\n")
    put(work, {"a/index.md": b"\xef\xbb\xbf" + text.encode()})
    put(work, {f"a/{unicodedata.normalize('NFD', 'café.png')}": RED})

    imported(work)

    row = Portfolio.objects.get()
    assert (row.title, row.description, row.image.name) == ("Harbour", "One.\r\n\r\nTwo.", "café.png")


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


# What goes wrong


@pytest.mark.django_db(transaction=True)
def test_a_bad_project_is_told_and_the_others_go_on(work: Path, media_root: Path) -> None:
    put(
        work,
        {
            "a/index.md": project("completed_at: soon\nlinks:\n  - name: Site\n    url: ftp://a.example/"),
            "a/one.png": RED,
            "b/index.md": project(title="B"),
            "c/readme.md": "No project.",
            "d/index.md": project("titel: D", title="D"),
            "e/index.md": "---\nexcerpt: E\n---\n",
        },
    )

    output, errors, failure = run("import", work)

    assert errors.splitlines() == [
        "a/index.md:4: completed_at: Enter a date or datetime such as 2024-12-12 or 2024-12-12T08:30:00Z.",
        "a/index.md:7: links.1.url: Enter a URL that begins with http:// or https://.",
        "c: There is no index.md in this folder.",
        f"d/index.md:4: titel: Unknown field. Did you mean title? Allowed: {', '.join(PROJECT_FIELDS)}.",
        "e/index.md: title: This field is required.",
    ]
    assert output == "made b: b\n"
    assert failure == "Made 1 project. As they were: 0. Failed: 4; the lines above say why."
    assert list(Portfolio.objects.values_list("slug", flat=True)) == ["b"]
    assert Media.objects.count() == 0
    assert files_below(media_root) == []


@pytest.mark.parametrize(
    ("fields", "line", "reason"),
    [
        ("cover: gone.png", 4, "cover: There is no file 'gone.png' in this folder."),
        ("cover: ../b/one.png", 4, "cover: '../b/one.png' is a path."),
        ("cover: /etc/passwd", 4, "cover: '/etc/passwd' is a path."),
        ("cover: ..", 4, "cover: '..' is a path."),
        ("cover: index.md", 4, "cover: There is no file 'index.md' in this folder."),
        ("cover: [one.png]", 4, "cover: Write the name of a file in this folder."),
        ("images: one.png", 4, "images: Write a list"),
        ("images: [one.png, one.png]", 4, "images: Give each id once"),
        ("images: [words.txt]", 4, "images: There is no media of type image"),
        ("links:\n  - Site", 5, "links.1: Write fields here"),
        ("links:\n  - name: A\n    urll: B", 6, "urll: Unknown field. Did you mean url?"),
        ("links:\n  - url: https://a.example/", 5, "links.1.name: This field is required."),
        ("meta:\n  Role:\n    txt: A", 6, "txt: Unknown field. Did you mean text?"),
        (f"meta:\n  {'K' * 101}: A", 5, "Ensure this field has no more than 100 characters."),
        ("meta: [Role]", 4, "meta: Write fields here"),
        ("tags: Print", 4, "tags: Write a list"),
        (f"tags:\n  - Print\n  - {'t' * 101}", 6, "tags.2: Ensure this field has no more than 100 characters."),
        ("tags: [[Print]]", 4, "tags.1: Write a name here."),
        ("employer: {name: E}", 4, "employer: Write a text here."),
        ("slug: two words", 4, "slug: Enter a slug"),
        ("slug: [a]", 4, "slug: Write a text here."),
        ("alt: {gone.png: A}", 4, "alt.gone.png: There is no file"),
        (f"alt:\n  one.png: {'a' * 501}", 5, "Ensure this value has at most 500 characters"),
        ("description: A\n---\n\nB", 4, "description: The text below the fields is the description."),
    ],
)
def test_tells_the_line_and_what_would_be_right(work: Path, fields: str, line: int, reason: str) -> None:
    put(work, {"a/index.md": project(fields), "a/one.png": RED, "a/words.txt": b"Words.", "b/one.png": RED})
    before = row_counts()

    _, errors, failure = run("import", work)

    told = [error for error in errors.splitlines() if error.startswith("a/")]
    assert len(told) == 1
    assert reason in told[0]
    assert told[0].startswith(f"a/index.md:{line}: ") or (line == 5 and "one.png: Ensure" in told[0])
    assert row_counts() == before
    assert "Failed: 2" in failure


def test_refuses_two_projects_of_one_slug(work: Path) -> None:
    put(work, {"a/index.md": project(slug="x"), "b/index.md": project(slug="x", title="B")})

    _, errors, _ = run("import", work)

    assert errors == "b/index.md:4: slug: a has the slug 'x' already. Give this project another one.\n"


def test_a_refused_file_is_told_with_the_line_that_names_it(work: Path) -> None:
    put(work, {"a/index.md": project("cover: page.png"), "a/page.png": b"Hello\n<script>alert(1)</script>"})

    _, errors, _ = run("import", work)

    assert errors.startswith("a/index.md:4: page.png: The file")


@pytest.mark.parametrize("place", ["a", "a/index.md", "a/one.png", "employers", "tags", "media"])
def test_follows_no_link(work: Path, place: str) -> None:
    outside = put(work.parent / "outside", {"index.md": project(title="Secret"), "one.png": RED, "E.md": "---\n---\n"})
    put(work, {"b/index.md": project(title="B")})
    if place.startswith("a/"):
        put(work, {"a/index.md": project(), "a/one.png": BLUE})
        (work / place).unlink()
    (work / place).symlink_to(outside / place.partition("/")[2])

    _, errors, failure = run("import", work)

    assert "links are not followed" in errors
    assert "Failed: 1" in failure
    assert list(Portfolio.objects.values_list("title", flat=True)) == ["B"]
    assert [model.objects.count() for model in (Employer, Tag, Media)] == [0, 0, 0]


def test_leaves_out_no_file_that_has_the_name_of_another(work: Path) -> None:
    put(work, {"a/index.md": project()})
    put(work, {f"a/{unicodedata.normalize('NFC', 'café.png')}": RED})
    put(work, {f"a/{unicodedata.normalize('NFD', 'café.png')}": BLUE})
    if len(list((work / "a").iterdir())) < 3:
        pytest.skip("This file system takes both names for one.")

    _, errors, failure = run("import", work)

    assert errors.startswith("a/café.png: Two files have this name")
    assert "Failed: 1" in failure
    assert not Portfolio.objects.exists()


def test_waits_for_no_pipe(work: Path) -> None:
    put(work, {"a/index.md": project()})
    os.mkfifo(work / "a" / "one.png")

    _, errors, _ = run("import", work)

    assert errors == "a/one.png: This is no ordinary file.\n"


def test_refuses_a_folder_that_is_not_there(work: Path) -> None:
    assert run("import", work / "gone")[2] == f"{work}/gone: There is no such folder."
    put(work, {"file": "x"})
    assert run("import", work / "file")[2] == f"{work}/file: There is no such folder."


@pytest.mark.django_db(transaction=True)
def test_leaves_neither_rows_nor_files_where_a_project_fails_halfway(
    work: Path, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(work, {"a/index.md": project("tags: [T]"), "a/1.png": RED, "a/2.png": BLUE})
    stored: list[Any] = []

    def store_one(*arguments: Any) -> Media:
        if stored:
            assert files_below(media_root)
            raise OSError(28, "No space left on device")
        stored.append(store(*arguments))
        return stored[0]

    store = uploads.store
    monkeypatch.setattr(stock, "store", store_one)

    _, errors, failure = run("import", work)

    assert errors == "a: No space left on device.\n"
    assert "Failed: 1" in failure
    assert files_below(media_root) == []
    assert row_counts() == [0] * len(MODELS)


# The history


def test_the_history_names_who_is_said_to_answer_for_it(work: Path) -> None:
    ada = make_user("ada")
    tag = make_tag(name="T")
    put(work, {"a/index.md": project("tags: [T]\nemployer: E"), "a/one.png": RED})

    imported(work, by="ada")
    put(work, {"a/index.md": project(title="Quay")})
    imported(work, by="ada")

    entries = LogEntry.objects.order_by("pk").values_list("user__username", "content_type__model", "action_flag")
    assert sorted(entries) == sorted(
        [
            ("ada", "media", ADDITION),
            ("ada", "employer", ADDITION),
            ("ada", "portfolio", ADDITION),
            ("ada", "portfolio", CHANGE),
        ]
    )
    assert '"title":["Harbour","Quay"]' in LogEntry.objects.latest("pk").change_message
    assert ada.pk
    assert tag.pk


def test_refuses_a_user_who_does_not_exist(work: Path) -> None:
    put(work, {"a/index.md": project()})

    assert "There is no user 'nobody'" in run("import", work, by="nobody")[2]
    assert Portfolio.objects.count() == 0


def test_what_is_done_stays_where_it_is_interrupted(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(work, {"a/index.md": project(), "b/index.md": project(title="B"), "b/one.png": RED})

    def interrupt(*arguments: Any) -> Media:
        raise KeyboardInterrupt

    monkeypatch.setattr(stock, "store", interrupt)

    _, _, failure = run("import", work)

    assert failure == "Interrupted. What is done stays; go on with the same command."
    assert list(Portfolio.objects.values_list("slug", flat=True)) == ["a"]


def test_names_of_any_bytes_are_told_without_harm(work: Path) -> None:
    """A name that is no UTF-8, or that holds a terminal's commands, is shown escaped, a half-space as it is."""
    (work / os.fsdecode(b"\xff\x1b[2J")).mkdir()
    put(work, {"می\u200cروم/index.md": project("order: x")})

    _, errors, failure = run("import", work)

    assert errors.splitlines() == [
        "می\u200cروم/index.md:4: order: A valid integer is required.",
        "\\udcff\\x1b[2J: There is no index.md in this folder.",
    ]
    assert "Failed: 2" in failure


def test_takes_files_whose_names_are_no_text(work: Path) -> None:
    put(work, {"a/index.md": project()})
    (work / "a" / os.fsdecode(b"\xff.png")).write_bytes(RED)

    imported(work)

    assert Portfolio.objects.get().image.name == ".png"


def test_a_text_is_the_same_however_its_letters_are_put_together(work: Path) -> None:
    fields = "tags: [Café]\nemployer: Café\nalt: {one.png: Café}\nnames: {one.png: ' Café '}"
    fields += "\nmeta: {Café: é}\nlinks: [{name: é}]"
    put(work, {"a/index.md": project(unicodedata.normalize("NFD", fields)), "a/one.png": RED})
    imported(work)

    assert imported(work) == "Nothing differs; as they were: 1.\n"
    put(work, {"a/index.md": project(fields)})
    assert imported(work) == "Nothing differs; as they were: 1.\n"
    assert (Media.objects.get().alt, Media.objects.get().name, Tag.objects.get().name) == ("Café", "Café", "Café")
