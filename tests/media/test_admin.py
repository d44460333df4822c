import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from folio.media import uploads
from folio.media.models import Media, Thumbnail
from folio.media.uploads import store_upload
from folio.portfolios.models import Portfolio
from tests.factories import draw, make_employer, make_image, make_link, make_media, make_meta, make_portfolio, make_user
from tests.forms import errors, shown_values

LIST = "/admin/media/media/"
ADD = f"{LIST}add/"


def upload(content: bytes, name: str = "crane.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def delete_selected(*media: Media) -> dict[str, Any]:
    return {"action": "delete_selected", "_selected_action": [row.pk for row in media], "post": "yes"}


# Uploads


def test_stores_an_upload_with_its_thumbnails(site: Site, media_root: Path) -> None:
    answer = site.post(ADD, {"file": upload(draw((300, 200))), "name": "", "alt": "A crane"})

    assert answer.status_code == 302, errors(answer)
    media = Media.objects.get()
    assert (media.type, media.mime_type, media.name, media.alt) == ("image", "image/png", "crane.png", "A crane")
    assert (media.width, media.height, media.mode) == (300, 200, "RGB")
    assert [thumbnail.size for thumbnail in media.thumbnails.all()] == [64, 128, 512, 1080]
    assert len(files_in(media_root)) == 5


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("content", "count"), [(draw((300, 200)), 1), (draw((300, 200))[:-200], 0)])
def test_decodes_an_image_once_and_before_the_transaction(
    site: Site, monkeypatch: pytest.MonkeyPatch, content: bytes, count: int
) -> None:
    decode, in_transaction = uploads.decode, []

    def noted(file: Any) -> Any:
        in_transaction.append(connection.in_atomic_block)
        return decode(file)

    monkeypatch.setattr(uploads, "decode", noted)
    site.post(ADD, {"file": upload(content)})

    assert in_transaction == [False]
    assert Media.objects.count() == count


def test_keeps_the_label_that_was_given(site: Site) -> None:
    site.post(ADD, {"file": upload(b"Some notes.\n", "notes.txt"), "name": "The notes"})

    media = Media.objects.get()
    assert (media.name, media.type, media.alt) == ("The notes", "document", "")


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"<html><script>alert(1)</script></html>", "page.txt", "The file's content is of the type text/html"),
        (b"", "crane.png", "The file is empty."),
        (draw((300, 200))[:-200], "crane.png", "The image is damaged"),
        (b"x" * 5001, "notes.txt", "The file has 5,001 bytes, more than the 5,000 that are accepted."),
    ],
    ids=["markup", "empty", "damaged", "too large"],
)
def test_tells_at_the_file_why_it_is_refused(
    site: Site, settings: Any, media_root: Path, content: bytes, name: str, message: str
) -> None:
    settings.MAX_UPLOAD_SIZE = 5000

    page = site.post(ADD, {"file": upload(content, name), "alt": "kept"})

    assert page.status_code == 200
    found = errors(page)
    assert set(found) == {"file"}
    assert message in found["file"][0]
    assert message.split("'")[0] in page.content.decode()
    assert 'value="kept"' in page.content.decode()
    assert not Media.objects.exists()
    assert files_in(media_root) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "پرونده خالی است. پرونده‌ای انتخاب کنید که چیزی در آن باشد."),
        (draw((300, 200))[:200], "تصویر خراب یا ناقص است."),
        (draw((300, 200), "GIF")[:20] + b"\0" * 20, "تصویر خراب یا ناقص است."),
        (b"MZ" + bytes(100), "پذیرفته نمی‌شود."),
    ],
    ids=["empty", "cut short", "damaged", "program"],
)
def test_tells_in_persian_why_a_file_is_refused(site: Site, content: bytes, sentence: str) -> None:
    answer = site.post(ADD, {"file": upload(content)}, headers={"Accept-Language": "fa"})

    assert answer.status_code == 200
    assert sentence in " ".join(errors(answer)["file"])


def test_tells_in_persian_how_many_pixels_are_too_many(site: Site, settings: Any) -> None:
    settings.MAX_IMAGE_PIXELS = 50_000
    answer = site.post(ADD, {"file": upload(draw((300, 200)))}, headers={"Accept-Language": "fa"})

    assert "تصویر \u2066300 × 200\u2069 پیکسل دارد" in " ".join(errors(answer)["file"])


@pytest.mark.parametrize("wrong", [{"alt": "x" * 501}, {"name": "x" * 256}, {"file": ""}])
def test_stores_nothing_while_something_else_is_wrong(site: Site, media_root: Path, wrong: dict[str, str]) -> None:
    page = site.post(ADD, {"file": upload(draw()), **wrong})

    assert set(errors(page)) == set(wrong)
    assert not Media.objects.exists()
    assert files_in(media_root) == []


# Changes


def test_changes_only_the_texts(site: Site, media_root: Path) -> None:
    media = make_image("crane.png")
    before: dict[str, Any] = {**Media.objects.values().get()}
    files = files_in(media_root)

    url = f"{LIST}{media.pk}/change/"
    sent = {"name": "Crane", "alt": "A crane", "file": upload(draw(), "other.png"), "type": "document", "size": "1"}

    answer = site.post(url, {**shown_values(site.get(url)), **sent})

    assert answer.status_code == 302, errors(answer)
    after: dict[str, Any] = {**Media.objects.values().get()}
    assert after.pop("updated_at") > before.pop("updated_at")
    assert after == {**before, "name": "Crane", "alt": "A crane"}
    assert files_in(media_root) == files


def test_shows_the_picture_with_its_facts(site: Site) -> None:
    media = make_image("crane.png", alt="A crane")

    page = site.get(f"{LIST}{media.pk}/change/").content.decode()

    assert f'src="{media.thumbnails.get(size=512).file.url}" alt="A crane"' in page
    for shown in ("40 × 30", "image/png", "RGB", media.sha256[:16], f"http://testserver{media.file.url}"):
        assert shown in page
    assert f'<img src="{media.file.url}"' not in page


def test_shows_a_file_that_is_no_image_as_a_link(site: Site) -> None:
    media = make_media(type="document", file="core_media/notes.pdf", size=1536)

    page = site.get(f"{LIST}{media.pk}/change/").content.decode()

    assert 'href="/media/core_media/notes.pdf"' in page
    assert "1.5 KB" in page


def test_shows_names_as_text(site: Site) -> None:
    media = make_image("crane.png", alt='"><script>alert(1)</script>')

    for path in (LIST, f"{LIST}{media.pk}/change/"):
        assert "<script>alert(1)" not in site.get(path).content.decode()


# Deletion


def use(media: Media, how: str) -> None:
    portfolio = make_portfolio(title="The portfolio", image=media if how == "cover" else None)
    if how == "gallery":
        make_portfolio(title="The user of it", images=[media])
    elif how == "employer":
        make_employer(name="The user of it", image=media)
    elif how == "link":
        make_link(portfolio, name="The user of it", image=media)
    elif how == "meta":
        make_meta(portfolio, key="The user of it", value_file=media)


@pytest.mark.parametrize(
    ("how", "named"),
    [
        ("cover", "Portfolio “The portfolio” (Image)"),
        ("gallery", "Portfolio “The user of it” (Images)"),
        ("employer", "Employer “The user of it” (Image)"),
        ("link", "Link “The portfolio: The user of it” (Image)"),
        ("meta", "Meta “The portfolio: The user of it” (Value file)"),
    ],
)
def test_keeps_those_of_several_that_are_used_and_names_where(site: Site, how: str, named: str) -> None:
    media, unused = make_media(name="crane.png"), make_media()
    use(media, how)

    asked = site.post(LIST, {**delete_selected(media, unused), "post": ""})
    page = site.post(LIST, delete_selected(media, unused), follow=True)

    assert "The portfolio" in asked.content.decode() or "The user of it" in asked.content.decode()
    assert list(Media.objects.all()) == [media]
    assert f"“crane.png” was kept: it is used by {named}." in [str(message) for message in page.context["messages"]]


@pytest.mark.parametrize("how", ["cover", "gallery", "employer", "link", "meta"])
def test_keeps_one_that_is_used_and_shows_where(site: Site, how: str) -> None:
    media = make_media()
    use(media, how)

    pages = [site.get(f"{LIST}{media.pk}/delete/"), site.post(f"{LIST}{media.pk}/delete/", {"post": "yes"})]

    assert Media.objects.exists()
    for page in pages:
        assert page.status_code == 200
        assert "so it can’t be deleted as it is" in page.content.decode()
        assert "The portfolio" in page.content.decode() or "The user of it" in page.content.decode()
        assert 'name="detach"' in page.content.decode()


@pytest.mark.parametrize("how", ["cover", "gallery", "employer", "link", "meta"])
def test_takes_one_off_everything_if_asked_to(site: Site, how: str) -> None:
    media = make_media()
    use(media, how)

    answer = site.post(f"{LIST}{media.pk}/delete/", {"post": "yes", "detach": "yes"})

    assert answer.status_code == 302
    assert not Media.objects.exists()
    assert Portfolio.objects.filter(image=None).count() == Portfolio.objects.count()
    assert not Portfolio.objects.filter(images__isnull=False).exists()


def test_locks_what_uses_a_media_before_it_takes_it_off(site: Site) -> None:
    media = make_media()
    use(media, "cover")

    with CaptureQueriesContext(connection) as captured:
        site.post(f"{LIST}{media.pk}/delete/", {"post": "yes", "detach": "yes"})

    statements = [query["sql"] for query in captured]
    locked = [table for sql in statements for table in ("portfolios_portfolio", "media_media") if is_lock(sql, table)]
    assert locked[0] == "portfolios_portfolio"
    assert "media_media" in locked


def is_lock(sql: str, table: str) -> bool:
    """Tell whether a statement locks rows of a table; on SQLite, whether it would on PostgreSQL."""
    return sql.startswith(f'SELECT "{table}"."id" AS "pk" FROM') and (connection.vendor == "sqlite" or "UPDATE" in sql)


def test_takes_nothing_off_what_the_user_may_not_change(site_for: Callable[[User], Site]) -> None:
    media = make_media()
    use(media, "cover")
    use_of_another = make_employer(name="Quay", image=media)
    site = site_for(make_user(is_staff=True, codes=[4102, 4105, 4204]))

    page = site.get(f"{LIST}{media.pk}/delete/").content.decode()
    answer = site.post(f"{LIST}{media.pk}/delete/", {"post": "yes", "detach": "yes"})

    assert 'name="detach"' not in page
    assert answer.status_code == 403
    use_of_another.refresh_from_db()
    assert use_of_another.image == media
    assert Portfolio.objects.get().image == media


def test_gives_a_very_long_picture_a_height(site: Site) -> None:
    media = store_upload(ContentFile(draw((4000, 2)), name="panorama.png"))

    for path in (LIST, f"{LIST}{media.pk}/change/"):
        assert 'width="512" height="1"' in site.get(path).content.decode()


def test_lists_where_a_media_is_used_with_titles_and_links_for_those_who_may_follow_them(
    site: Site, site_for: Callable[[User], Site]
) -> None:
    media = make_media()
    portfolio = make_portfolio(title="Harbour", image=media)
    link = f'href="/admin/portfolios/portfolio/{portfolio.pk}/change/"'

    reader = site_for(make_user(is_staff=True, codes=[4102]))
    pages = [each.get(f"{LIST}{media.pk}/change/").content.decode() for each in (site, reader)]

    assert ["Harbour" in page for page in pages] == [True, False]
    assert [f"#{portfolio.pk}</span>" in page for page in pages] == [False, True]
    assert [link in page for page in pages] == [True, False]


# Another file


def replacement(media: Media) -> str:
    return f"{LIST}{media.pk}/replace/"


def test_replaces_the_file_and_keeps_the_texts(site: Site) -> None:
    media = make_image("crane.png", alt="A crane")

    answer = site.post(replacement(media), {"file": upload(draw((300, 200)))}, headers={"Accept": "application/json"})

    assert answer.status_code == 200
    media.refresh_from_db()
    assert (media.name, media.alt, media.width) == ("crane.png", "A crane", 300)
    assert answer.json()["media"]["dimensions"] == "300 × 200"


def test_replaces_without_a_script_too(site: Site) -> None:
    media = make_image("crane.png")

    page = site.post(replacement(media), {"file": upload(draw((300, 200)))}, follow=True)
    refused = site.post(replacement(media), {"file": upload(b"")}, follow=True)

    assert "The file was replaced." in page.content.decode()
    assert "300 × 200" in page.content.decode()
    assert "The file is empty. Choose one with content." in refused.content.decode()


def test_names_what_shows_a_picture_that_a_text_would_replace(site: Site) -> None:
    media = make_image("crane.png")
    use(media, "gallery")

    answer = site.post(
        replacement(media), {"file": upload(b"Notes.\n", "notes.txt")}, headers={"Accept": "application/json"}
    )

    assert answer.status_code == 400
    assert "is shown as a picture by Portfolio “The user of it” (Images)" in answer.json()["detail"]
    media.refresh_from_db()
    assert media.type == "image"


def test_replaces_nothing_of_those_who_may_not_change(site_for: Callable[[User], Site]) -> None:
    media = make_image("crane.png")
    site = site_for(make_user(is_staff=True, codes=[4101, 4102]))

    answer = site.post(replacement(media), {"file": upload(draw((300, 200)))}, headers={"Accept": "application/json"})

    assert answer.status_code == 403
    media.refresh_from_db()
    assert media.width == 40
    assert "Replace the file" not in site.get(f"{LIST}{media.pk}/change/").content.decode()


# Deletion of what is unused


@pytest.mark.parametrize("at_once", [True, False], ids=["several", "one"])
def test_deletes_rows_with_their_files(
    site: Site, media_root: Path, django_capture_on_commit_callbacks: Any, at_once: bool
) -> None:
    images = [make_image(), make_image()]
    kept = make_image("kept.png")

    with django_capture_on_commit_callbacks(execute=True):
        if at_once:
            site.post(LIST, delete_selected(*images))
        else:
            for media in images:
                site.post(f"{LIST}{media.pk}/delete/", {"post": "yes"})

    assert [media.pk for media in Media.objects.all()] == [kept.pk]
    assert Thumbnail.objects.count() == 4
    assert all(name.startswith("kept") for name in files_in(media_root))
    assert len(files_in(media_root)) == 5


# The list


def test_lists_thumbnails_types_and_readable_sizes(site: Site) -> None:
    make_image("crane.png", alt="A crane")
    make_media(name="Notes", type="document", size=1536)

    page = site.get(LIST).content.decode()

    for shown in ("crane_thumbnail_512x512.png", "A crane", "40 × 30", "Notes", "1.5 KB", 'loading="lazy"'):
        assert shown in page
    assert all("/thumbnails/" in part[:60] for part in page.split('src="/media/')[1:])


def test_lists_any_number_of_rows_with_the_same_queries(site: Site) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert site.get(LIST).status_code == 200
        return len(captured)

    make_image()
    site.get(LIST)
    at_one = queries()
    for _ in range(49):
        make_image()
    Media.objects.bulk_create(
        Media(file=f"x{number}", name="x", size=1, type="other", mime_type="x/x") for number in range(5000)
    )

    assert queries() == at_one <= 7


def test_leads_to_all_only_from_a_part(site: Site) -> None:
    make_media(name="report")

    for query, leads in (("", False), ("?p=1", False), ("?q=rep", True), ("?type__exact=document", True)):
        page = site.get(f"{LIST}{query}").content.decode()
        assert bool(re.search(r"\d results? \(<a", page)) == leads, query


def test_heads_a_page_with_the_name_as_it_is(site: Site) -> None:
    media = make_image(name="tag-data.gif")

    page = site.get(f"{LIST}{media.pk}/change/").content.decode()
    heading = page.partition("<h1")[2].partition("</h1>")[0]

    assert "tag-data.gif" in heading
    assert "Tag-data.gif" not in heading
    assert re.search(r">\s*Media\s*<", heading), "of what there are many, a capital"


def test_searches_as_the_api_does_and_filters_by_type(site: Site) -> None:
    make_media(name="Straße am Hafen")
    make_media(name="Straße am Hafen", type="document")
    make_media(name="Straße")

    page = site.get(LIST, {"q": "hafen STRASSE", "type__exact": "image"})

    assert [(media.name, media.type) for media in page.context["cl"].result_list] == [("Straße am Hafen", "image")]


@pytest.mark.parametrize("how", ["image", "images", "link", "meta"])
def test_finds_by_alt_text_and_by_the_titles_of_entries(site: Site, how: str) -> None:
    media = make_media(name="dsc_0042.jpg", alt="A crane over the quay")
    make_media(name="dsc_0043.jpg", alt="A crane")
    covers: dict[str, dict[str, Any]] = {"image": {"image": media}, "images": {"images": [media]}}
    portfolio = make_portfolio(title="Harbour Bakery", **covers.get(how, {}))
    if how == "link":
        make_link(portfolio, image=media)
    elif how == "meta":
        make_meta(portfolio, value_file=media)

    def found(words: str) -> list[int]:
        library = [row.pk for row in site.get(LIST, {"q": words}).context["cl"].result_list]
        picked = site.get(f"{LIST}pick/", {"q": words}).json()["html"]
        assert [int(pk) for pk in re.findall(r'data-id="(\d+)"', picked)] == library
        return library

    assert found("crane QUAY") == [media.pk]
    assert found("bakery") == [media.pk]
    assert found("bakery crane 0042") == [media.pk]
    assert found("bakery 0043") == []


def test_finds_nothing_by_titles_that_the_user_may_not_view(site_for: Callable[[User], Site]) -> None:
    media = make_media(name="dsc_0042.jpg")
    make_portfolio(title="Harbour Bakery", images=[media])
    site = site_for(make_user(is_staff=True, codes=[4102]))

    assert not site.get(LIST, {"q": "bakery"}).context["cl"].result_list
    assert list(site.get(LIST, {"q": "0042"}).context["cl"].result_list) == [media]


@pytest.mark.parametrize("format", ["BMP", "TIFF"])
def test_shows_heavy_thumbnails_as_webp(site: Site, format: str) -> None:
    media = store_upload(SimpleUploadedFile(f"نقشه's+1.{format.lower()}", draw((700, 500), format=format)))
    portfolio = make_portfolio(title="Scan", image=media, images=[media])
    form = f"/admin/portfolios/portfolio/{portfolio.pk}/"
    pages = (LIST, f"{LIST}pick/?dialog", f"{LIST}{media.pk}/change/", "/admin/portfolios/portfolio/", f"{form}change/")

    html = "".join(site.get(page).content.decode() for page in (*pages, f"{form}preview"))
    shown = set(re.findall(r"""(?:src|srcset)=\\?"([^\s"]+_thumbnail_[^\s"\\]+)""", html))

    assert len(shown) >= 3, "of the four boxes, those that the pages show"
    for url in shown:
        answer = site.get(url)
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
        assert "immutable" in answer["Cache-Control"]
        assert len(answer.content) < 20_000
    assert site.get(f"{LIST}picture/99999/").status_code == 404
    for guess in ("", "?", "?thumbnail"):
        assert site.get(url.partition("?")[0] + guess).status_code == 404, "ids alone show nothing"


def test_tells_how_many_media_there_are_after_an_upload(site: Site) -> None:
    make_media()
    url = f"{LIST}upload/"

    assert site.post(url, {"file": upload(draw((9, 9)))}).json()["count"] == "2 media"
    again = site.post(url, {"file": upload(draw((9, 9)), "other.png")}).json()

    assert (again["is_new"], again["count"]) == (False, "2 media")


# Who may


@pytest.mark.parametrize(("codes", "statuses"), [((), (403, 403)), ((4102,), (200, 403)), ((4101,), (403, 200))])
def test_asks_for_the_permission(
    site_for: Callable[[User], Site], codes: tuple[int, ...], statuses: tuple[int, int]
) -> None:
    site = site_for(make_user(is_staff=True, codes=codes))

    assert (site.get(LIST).status_code, site.get(ADD).status_code) == statuses


def test_stores_nothing_of_staff_who_may_not_add(site_for: Callable[[User], Site], media_root: Path) -> None:
    site = site_for(make_user(is_staff=True, codes=[4102, 4104]))

    assert site.post(ADD, {"file": upload(draw())}).status_code == 403
    assert not Media.objects.exists()
    assert files_in(media_root) == []
