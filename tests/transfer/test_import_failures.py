"""What goes wrong in an import is told with its place, and leaves nothing half done."""

import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from folio.media import storing
from folio.media.models import Media
from folio.portfolios.models import Employer, Portfolio, Tag
from folio.transfer import stock
from folio.transfer.reading import PROJECT_FIELDS

from .folders import MODELS, files_below, project, put, row_counts, run
from .pictures import BLUE, RED

pytestmark = pytest.mark.django_db


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

    store = storing.store
    monkeypatch.setattr(stock, "store", store_one)

    _, errors, failure = run("import", work)

    assert errors == "a: No space left on device.\n"
    assert "Failed: 1" in failure
    assert files_below(media_root) == []
    assert row_counts() == [0] * len(MODELS)


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
