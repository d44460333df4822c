"""Builds after the first one: they fetch, make and touch what has changed, and nothing else."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import Server, Session

from .building import Build
from .fake import Fake, entry, folio

WORKS = 60


@pytest.fixture(scope="module")
def shared() -> Iterator[Fake]:
    """A stand-in for Folio; its address stands in every page, so that all tests have the same one."""
    with folio() as fake:
        yield fake


@pytest.fixture
def fake(shared: Fake) -> Fake:
    shared.entries.clear()
    shared.publish(WORKS)
    shared.asked.clear()
    return shared


@pytest.fixture(scope="module")
def first(shared: Fake, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The first build of the works that each test begins with."""
    shared.entries.clear()
    shared.publish(WORKS)
    build = Build(tmp_path_factory.mktemp("first"), shared.url)
    build.run()
    return build


@pytest.fixture
def build(first: Build, fake: Fake, tmp_path: Path) -> Build:
    shutil.copytree(first.folder, tmp_path / "build")
    return Build(tmp_path / "build", fake.url)


def touched(build: Build, before: dict[str, int]) -> set[str]:
    after = build.moments()
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def test_a_build_without_changes_asks_once_and_touches_nothing(build: Build, fake: Fake) -> None:
    before = build.moments()

    built, _, removed = build.run()

    assert (built, removed) == (0, 0)
    assert touched(build, before) == set()
    assert len(fake.asked) == 1


def test_a_change_is_fetched_alone_and_touches_the_pages_that_show_it(build: Build, fake: Fake) -> None:
    before = build.moments()
    fake.entries[30]["description_html"] = "<p>Another text.</p>"

    build.run()

    assert touched(build, before) == {"work/work-31/index.html"}
    assert [path for path in fake.asked if "slugs=" in path] == [
        "/api/public/portfolios/?slugs=work-31&limit=100&include=description,gallery,links,meta,share_image"
    ]
    assert "Another text" in build.text("work/work-31/index.html")


def test_a_new_title_is_on_every_page_that_shows_it(build: Build, fake: Fake) -> None:
    before = build.moments()
    fake.entries[30] |= {"title": "Renamed", "updated_at": "2026-11-30T12:00:00Z"}

    build.run()

    changed = touched(build, before)
    assert {"work/work-31/index.html", "work/work-30/index.html", "work/work-32/index.html"} <= changed
    assert {"page/2/index.html", "year/2017/index.html", "tag/tag-31/index.html", "feed.xml", "sitemap.xml"} <= changed
    assert "index.html" not in changed
    assert not any("Work 31<" in build.text(path) for path in changed)


def test_what_is_no_longer_published_is_removed(build: Build, fake: Fake) -> None:
    gone = fake.entries.pop(30)

    _, _, removed = build.run()

    assert removed >= 1
    assert not (build.output / "work" / gone["slug"]).exists()
    assert not any("work-31/" in text.decode() for path, text in build.files().items() if path.endswith(".html"))


def test_a_new_slug_moves_the_page(build: Build, fake: Fake) -> None:
    fake.entries[30]["slug"] = "elsewhere"

    build.run()

    assert (build.output / "work/elsewhere/index.html").exists()
    assert not (build.output / "work/work-31").exists()


def test_another_order_moves_neighbours_and_the_grid(build: Build, fake: Fake) -> None:
    fake.entries.insert(0, fake.entries.pop())

    build.run()

    assert not [path for path in fake.asked if "slugs=" in path]
    assert build.text("index.html").index("Work 60") < build.text("index.html").index("Work 1<")


def test_other_texts_are_on_every_page(build: Build, fake: Fake, tmp_path: Path) -> None:
    (tmp_path / "texts.json").write_text('{"title": "Weir"}')
    build.variables["SITE_TEXTS"] = str(tmp_path / "texts.json")

    built, pages, _ = build.run()

    assert built == pages
    assert not [path for path in fake.asked if "slugs=" in path]


def test_a_page_that_was_lost_is_built_again(build: Build, first: Build) -> None:
    shutil.rmtree(build.output / "work/work-7")
    shutil.rmtree(build.output / "assets")

    build.run()

    assert build.files() == first.files()


def test_a_cache_that_broke_off_is_no_trouble(build: Build, first: Build) -> None:
    index = build.folder / "cache" / "index.json"
    index.write_text(index.read_text()[:1000])
    (build.folder / "cache" / "entries" / "7.json").unlink()

    built, pages, _ = build.run()

    assert built == pages
    assert build.files() == first.files()


def test_an_entry_that_the_cache_lost_is_fetched_again(build: Build, fake: Fake, first: Build) -> None:
    (build.folder / "cache" / "entries" / "31.json").unlink()
    (build.output / "work/work-31/index.html").unlink()

    build.run()

    assert [path for path in fake.asked if "slugs=work-31&" in path]
    assert build.files() == first.files()


def test_an_api_that_is_away_leaves_the_site_as_it_was(build: Build) -> None:
    before = build.files()
    build.api = "http://127.0.0.1:9"

    done = build.try_to_run()

    assert done.returncode == 1
    assert "Folio does not answer at http://127.0.0.1:9" in done.stderr
    assert "    at " not in done.stderr
    assert build.files() == before


def test_more_than_one_page_of_a_manifest_holds_are_all_there(fake: Fake, tmp_path: Path) -> None:
    fake.most = 25
    build = Build(tmp_path, fake.url)
    try:
        build.run()
        assert len(list((build.output / "work").iterdir())) == WORKS
        fake.asked.clear()
        fake.entries[55]["title"] = "Renamed"
        build.run()
    finally:
        fake.most = 1_000

    assert len([path for path in fake.asked if "manifest" in path]) == 3
    assert "Renamed" in build.text("work/work-56/index.html")


def test_after_many_changes_all_is_as_if_it_were_built_anew(build: Build, fake: Fake, tmp_path: Path) -> None:
    fake.entries[30] |= {"title": "Renamed", "updated_at": "2026-11-30T12:00:00Z"}
    fake.entries[40]["description_html"] = "<p>Another text.</p>"
    build.run()
    del fake.entries[20]
    fake.entries[10] |= {"slug": "elsewhere", "tags": [], "year": None}
    build.run()
    fake.entries.insert(0, fake.entries.pop())
    fake.entries.insert(3, entry(61, fake.url))
    build.run()
    anew = Build(tmp_path / "anew", fake.url)
    anew.folder.mkdir()
    anew.run()

    found, expected = build.files(), anew.files()
    assert found.keys() == expected.keys()
    assert [path for path in found if found[path] != expected[path]] == []


def test_what_is_typed_is_shown_as_text(fake: Fake, tmp_path: Path) -> None:
    bad = '"><script>alert(1)</script>'
    fake.entries = [
        entry(
            1,
            fake.url,
            title=bad,
            excerpt=bad,
            meta=[{"id": 1, "key": bad, "value_text": bad, "value_file": None}],
            description_html='<p><img src="https://a.example;script-src * /x.png" alt=""></p>',
        ),
        entry(2, fake.url, slug="ک" * 200, title="Long slug"),
    ]
    build = Build(tmp_path, fake.url)

    build.run()

    for path, content in build.files().items():
        if path.endswith((".html", ".xml")):
            assert b"<script>alert" not in content, path
            assert b"script-src *" not in content.split(b"<body>")[0], path
    [folder] = [path for path in (build.output / "work").iterdir() if path.name != "work-1"]
    assert len(folder.name.encode()) < 255
    assert "Long slug" in (folder / "index.html").read_text()


def test_an_empty_installation_has_a_page_that_says_so(tmp_path: Path) -> None:
    with folio() as fake:
        build = Build(tmp_path, fake.url)
        build.run()

    assert "Nothing is published yet" in build.text("index.html")
    assert (build.output / "404.html").exists()


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"API_URL": "example.com"}, "API_URL is"),
        ({"SITE_URL": "ftp://example.com"}, "SITE_URL is"),
        ({"SITE_PER_PAGE": "many"}, "SITE_PER_PAGE is"),
        ({"SITE_TEXTS": "nowhere.json"}, "nowhere.json"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, variables: dict[str, str], said: str) -> None:
    done = Build(tmp_path, "http://127.0.0.1:9", variables).try_to_run()

    assert done.returncode == 1
    assert said in done.stderr
    assert "    at " not in done.stderr


def test_a_change_in_folio_is_the_change_of_its_pages(server: Server, tmp_path: Path) -> None:
    build = Build(tmp_path, server.url)
    build.run()
    before = build.moments()
    with server.session(server.key) as api:
        work = api.get("/api/portfolios/slug/fathom/").json()
        change(api, work["id"], description="A description of another kind.")
        try:
            build.run()
            assert touched(build, before) - {"feed.xml", "sitemap.xml"} == {"work/fathom/index.html"}
        finally:
            change(api, work["id"], description=work["description"])


def change(api: Session, portfolio: int, **fields: object) -> None:
    answer = api.patch(f"/api/portfolios/{portfolio}/", json=fields)
    assert answer.status_code == 200, answer.text
