"""What an import makes of folders of projects, and whom the history names for it."""

import os
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry

from folio.media.models import Media
from folio.portfolios.models import Employer, Portfolio, Tag
from tests.factories import draw, make_tag, make_user

from .folders import imported, project, put
from .pictures import BLUE, GREEN, RED, gallery

pytestmark = pytest.mark.django_db

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
