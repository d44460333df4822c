"""What a folder says of how its project is shown: captions, points that matter most, and slugs."""

from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.utils.text import get_text_list

from folio.history import told
from folio.media.models import Media
from folio.portfolios.former import former_slugs
from folio.portfolios.models import Employer, FormerSlug, Portfolio, Tag
from tests.factories import make_employer, make_portfolio, make_user

from .folders import exported, imported, project, put, run
from .pictures import BLUE, GREEN, RED

pytestmark = pytest.mark.django_db

NO_LIST = "Write a list, such as [one, two], or a line for each that begins with '- '."
NO_SLUG = "Enter a slug of letters (of any script), digits, hyphens and underscores, such as 'web-design'."
TOO_LONG = "Ensure this value has at most 200 characters (it has 201)."
TWO = {"a/1.png": RED, "a/2.png": GREEN, "a/3.png": BLUE}  # a cover and two images of the gallery


def captions() -> dict[str, str | None]:
    gallery = Portfolio.objects.get(slug="a").gallery
    return dict(gallery.values_list("media__name", "caption"))


def points() -> dict[str, tuple[float | None, float | None]]:
    return {name: (x, y) for name, x, y in Media.objects.order_by("pk").values_list("name", "focal_x", "focal_y")}


def refused(work: Path, fields: str, at: str = "a/index.md") -> str:
    """Import a project that is refused; return what is said of it, after the file's name."""
    put(work, {**TWO, at: project(fields)} if at == "a/index.md" else {at: fields})
    _output, errors, failure = run("import", work)
    assert failure
    return errors.removeprefix(f"{at}:").rstrip("\n")


# Captions


def test_captions_are_those_of_the_gallery(work: Path) -> None:
    put(work, {**TWO, "a/index.md": project("captions:\n  2.png: The quay\n  3.png: ~")})

    imported(work)

    assert captions() == {"2.png": "The quay", "3.png": None}


def test_captions_that_are_said_are_all_that_there_are(work: Path) -> None:
    put(work, {**TWO, "a/index.md": project("captions: {2.png: The quay, 3.png: The pier}")})
    imported(work)
    put(work, {"a/index.md": project()})
    assert imported(work).startswith("Nothing differs"), "what is left out stays"
    put(work, {"a/index.md": project("captions: {3.png: The old pier}")})

    assert imported(work).startswith("changed a: a (captions)")

    assert captions() == {"2.png": None, "3.png": "The old pier"}
    put(work, {"a/index.md": project("captions: {}")})
    imported(work)
    assert captions() == {"2.png": None, "3.png": None}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ("captions: {1.png: The cover}", "4: captions.1.png: This file is not in the gallery."),
        ("captions: {4.png: x}", "4: captions.4.png: There is no file '4.png' in this folder."),
        ("captions: [x]", "4: captions: Write fields here, such as `name: Site`."),
        ("captions:\n  2.png: [x]", "5: captions.2.png: Write a text here."),
    ],
)
def test_a_caption_that_is_none_is_refused(work: Path, fields: str, reason: str) -> None:
    assert refused(work, fields) == reason


def test_a_caption_that_is_too_long_is_refused(work: Path) -> None:
    assert "no more than 1000 characters" in refused(work, f"captions: {{2.png: {'x' * 1001}}}")


# Points that matter most


def test_a_point_is_that_of_its_file(work: Path) -> None:
    put(
        work,
        {
            **TWO,
            "a/index.md": project("focal:\n  1.png: [0.25, 1]\n  2.png: [~, .5]\n  3.png: ~"),
            "employers/E.md": "---\nfocal: [0, 1e-3]\n---\n",
            "employers/E.png": RED,
        },
    )

    imported(work)

    assert points() == {"E.png": (0.0, 0.001), "1.png": (0.25, 1.0), "2.png": (None, 0.5), "3.png": (None, None)}
    assert imported(work).startswith("Nothing differs")


def test_points_that_are_said_are_all_that_there_are(work: Path) -> None:
    put(work, {**TWO, "a/index.md": project("focal: {1.png: [0.25, 1], 2.png: [0.5, 0.5]}")})
    imported(work)
    put(work, {"a/index.md": project()})
    assert imported(work).startswith("Nothing differs"), "what is left out stays"
    put(work, {"a/index.md": project("focal: {2.png: [0.5, 0.5]}")})

    assert imported(work).startswith("changed a: a (focal)")

    assert points() == {"1.png": (None, None), "2.png": (0.5, 0.5), "3.png": (None, None)}


@pytest.mark.parametrize(
    "point", ["0.5", "[0.5]", "[0.5, 0.5, 0.5]", "[1.01, 0]", "[-0.1, 0]", "[nan, 0]", "[a, b]", "{x: 1}", "[1e999, 0]"]
)
def test_a_point_that_is_none_is_refused(work: Path, point: str) -> None:
    reason = "Write two numbers from 0 to 1, from the left and from the top, such as [0.5, 0.3]; nothing is the centre."

    assert refused(work, f"focal:\n  1.png: {point}") == f"5: focal.1.png: {reason}"


def test_only_an_image_has_a_point(work: Path) -> None:
    put(
        work,
        {"a/notes.txt": "Words.\n", "a/index.md": project("meta: {N: {file: notes.txt}}\nfocal: {notes.txt: [0, 0]}")},
    )

    _output, errors, _failure = run("import", work)

    assert "Only an image has a point that matters most." in errors
    assert not Portfolio.objects.exists()


# Slugs


def test_slugs_of_employers_and_tags_are_those_that_are_written(work: Path) -> None:
    put(
        work,
        {
            "employers/E.md": "---\nname: Museum\nslug: the-museum\n---\n",
            "tags/T.md": "---\nname: Web design\n---\n",
            "a/index.md": project("employer: Museum\ntags: [Web design, Print]"),
        },
    )

    imported(work)

    assert list(Employer.objects.values_list("name", "slug")) == [("Museum", "the-museum")]
    assert list(Tag.objects.values_list("name", "slug")) == [("Print", "print"), ("Web design", "web-design")]
    put(work, {"employers/E.md": "---\nname: Museum\nslug: museum\n---\n"})
    assert imported(work).startswith("changed employers/E.md: Museum (slug)")
    assert imported(work).startswith("Nothing differs")


def test_a_slug_that_is_taken_is_refused_with_its_line(work: Path) -> None:
    make_employer(name="Other", slug="museum")

    reason = refused(work, "---\nname: Museum\nslug: museum\n---\n", "employers/E.md")

    assert reason == "3: slug: employer with this slug already exists."


# Former slugs


def test_former_slugs_lead_to_their_project(work: Path) -> None:
    put(work, {"a/index.md": project("former_slugs: [old, خانه]")})

    imported(work)

    assert former_slugs(Portfolio.objects.get()) == ["old", "خانه"]
    assert imported(work).startswith("Nothing differs")
    put(work, {"a/index.md": project()})
    assert imported(work).startswith("Nothing differs"), "what is left out stays"
    put(work, {"a/index.md": project("former_slugs: [new, old]")})
    assert imported(work, by=make_user("ada").username).startswith("changed a: a (former_slugs)")
    assert former_slugs(Portfolio.objects.get()) == ["new", "old"]
    [entry] = told(LogEntry.objects.all(), Portfolio.objects.get())
    [difference] = entry.differences
    assert "خانه" in difference.shown
    assert "new" in difference.shown


def test_what_another_project_is_called_now_is_not_written_as_a_former_slug(tmp_path: Path) -> None:
    first = make_portfolio(title="First", slug="a")
    first.slug = "b"
    first.save()
    make_portfolio(title="Second", slug="a")

    exported(tmp_path / "out")

    assert "former_slugs: []" in (tmp_path / "out/01-b/index.md").read_text()
    assert imported(tmp_path / "out").startswith("Nothing differs")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ("former_slugs: [a]", "4: former_slugs.1: This is the slug that the project has."),
        ("former_slugs: [b, b]", "4: former_slugs.2: 'b' stands here twice."),
        (
            "former_slugs: b",
            "4: former_slugs: Write a list, such as [one, two], or a line for each that begins with '- '.",
        ),
        ("former_slugs: [[b]]", "4: former_slugs.1: Write a name here."),
        ("former_slugs: [two words]", f"4: former_slugs.1: {NO_SLUG}"),
        (
            f"former_slugs: [{'x' * 201}]",
            "4: former_slugs.1: Ensure this value has at most 200 characters (it has 201).",
        ),
        (
            f"former_slugs: [{', '.join(f'x{number}' for number in range(101))}]",
            "4: former_slugs: Name at most 100 former slugs.",
        ),
    ],
    ids=["its own", "twice", "no list", "no name", "no slug", "long", "many"],
)
def test_a_former_slug_that_is_none_is_refused(work: Path, fields: str, reason: str) -> None:
    assert refused(work, fields) == reason
    assert not FormerSlug.objects.exists()


def test_a_former_slug_leads_to_one_project_only(work: Path) -> None:
    put(
        work,
        {name: project("former_slugs: [old]", title=name[0].upper()) for name in ("a/index.md", "b/index.md")},
    )

    _output, errors, failure = run("import", work)

    assert errors == "b/index.md:4: former_slugs.1: a has this former slug already; it can lead to one project only.\n"
    assert get_text_list(list(Portfolio.objects.values_list("slug", flat=True))) == "a"
    assert failure
