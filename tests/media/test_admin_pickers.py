from collections.abc import Callable
from typing import Any

import pytest
from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import QueryDict
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from folio.media.admin.pickers import GalleryField, MediaField, MediaPicker, PicksMedia, prepare
from folio.media.models import Media
from folio.portfolios.models import Employer, MetaEntry
from tests.factories import draw, make_image, make_media, make_user

PICK = "/admin/media/media/pick/"
UPLOAD = "/admin/media/media/upload/"

pytestmark = pytest.mark.django_db


class GalleryForm(forms.Form):
    image = MediaField(Media.objects.images(), limit_choices_to={"type": "image"}, required=False)
    images = GalleryField(required=False)


def sent(**values: Any) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, value in values.items():
        data.setlist(name.replace("__", "-"), [str(item) for item in (value if isinstance(value, list) else [value])])
    return data


# The fields


def test_keeps_the_order_in_which_images_were_posted() -> None:
    first, second, third = make_media(), make_media(), make_media()

    form = GalleryForm(sent(images=["", third.pk, first.pk, second.pk]))

    assert form.is_valid(), form.errors
    assert form.cleaned_data["images"] == [third, first, second]


def test_takes_an_empty_gallery_as_an_empty_list() -> None:
    form = GalleryForm(sent(images=""), initial={"images": [make_media().pk]})

    assert form.is_valid()
    assert form.cleaned_data["images"] == []
    assert form.has_changed()


def test_refuses_an_image_that_is_there_twice() -> None:
    image = make_media()

    form = GalleryForm(sent(images=[image.pk, image.pk], images__names=["crane.png", "crane.png"]))

    assert form.errors == {"images": ["“crane.png” is in the list twice. Keep it once."]}


def test_names_what_was_deleted_meanwhile_and_keeps_the_others_in_order() -> None:
    first, gone, second = make_media(name="a.png"), make_media(), make_media(name="b.png")
    data = sent(images=[second.pk, gone.pk, first.pk], images__names=["b.png", "crane.png", "a.png"])
    gone.delete()

    form = GalleryForm(data)

    assert "“crane.png” was deleted meanwhile" in form.errors["images"][0]
    shown = form.as_p()
    assert f'value="{gone.pk}"' not in shown
    assert shown.index(f'name="images" value="{second.pk}"') < shown.index(f'name="images" value="{first.pk}"')


@pytest.mark.parametrize("wrong", ["x", "-1", "9" * 5000, str(2**64), "1.5", "\0"])
def test_refuses_what_is_no_id(wrong: str) -> None:
    form = GalleryForm(sent(images=[wrong], image=wrong))

    assert set(form.errors) == {"images", "image"}
    assert form.as_p()


def test_refuses_a_file_that_is_no_image() -> None:
    notes = make_media(type="document", name="notes.pdf")

    form = GalleryForm(sent(images=[notes.pk], images__names=["notes.pdf"], image=notes.pk))

    assert "“notes.pdf” was deleted meanwhile, or is no image any more" in form.errors["images"][0]
    assert "has another type now" in form.errors["image"][0]


def test_tells_a_changed_order_from_the_same() -> None:
    first, second = make_media(), make_media()

    assert not GalleryForm(sent(images=[first.pk, second.pk]), initial={"images": [first, second]}).has_changed()
    assert GalleryForm(sent(images=[second.pk, first.pk]), initial={"images": [first, second]}).has_changed()


def test_shows_thumbnails_and_names_as_text_never_originals() -> None:
    image = make_image("crane.png", alt='"><script>alert(2)</script>')
    Media.objects.update(name='"><script>alert(1)</script>')

    shown = GalleryForm(initial={"images": [image.pk], "image": image.pk}).as_p()

    assert "crane_thumbnail_512x512.png" in shown
    assert "crane_thumbnail_128x128.png" in shown
    assert image.file.url + '"' not in shown
    assert "<script>alert(" not in shown


def test_a_foreign_key_gets_a_picker_that_is_narrowed_as_the_key_is(admin_request: Any) -> None:
    class Admin(PicksMedia, admin.ModelAdmin):  # type: ignore[type-arg]
        pass

    def picker(model: Any, name: str) -> MediaPicker:
        field: Any = Admin(model, admin.site).get_form(admin_request).base_fields[name]
        assert isinstance(field, MediaField)
        assert isinstance(field.widget, MediaPicker)
        return field.widget

    assert picker(Employer, "image").only == "image"
    assert picker(MetaEntry, "value_file").only == ""


@pytest.fixture
def admin_request(admin: User) -> Any:
    from django.test import RequestFactory

    request = RequestFactory().get("/")
    request.user = admin
    return request


def test_reads_what_any_number_of_pickers_show_with_the_same_queries(admin_request: Any) -> None:
    images = [make_image() for _ in range(12)]

    def queries(count: int) -> int:
        shown = [GalleryForm(initial={"images": images[:count], "image": image.pk}) for image in images[:count]]
        with CaptureQueriesContext(connection) as captured:
            prepare(shown, admin_request)
            assert all(form.as_p() for form in shown)
        return len(captured)

    assert queries(1) == queries(12) == 2


# What the dialog asks for


def test_offers_the_newest_first_narrowed_by_type_and_words(site: Site) -> None:
    make_media(name="Harbour at dawn")
    make_media(name="Harbour.pdf", type="document")
    make_media(name="Quay")
    make_media(name="harbour at night")

    answer = site.get(PICK, {"q": "HARBOUR", "type": "image"})

    html = answer.json()["html"]
    assert html.index("harbour at night") < html.index("Harbour at dawn")
    assert "Quay" not in html
    assert "Harbour.pdf" not in html
    assert answer.json()["next"] is None


def test_gives_more_page_by_page(site: Site) -> None:
    for number in range(50):
        make_media(name=f"row {number:02}")

    first = site.get(PICK).json()
    second = site.get(PICK, {"offset": first["next"]}).json()

    assert (first["html"].count("<li"), first["next"]) == (48, 48)
    assert (second["html"].count("<li"), second["next"]) == (2, None)
    assert "row 00" in second["html"]


@pytest.mark.parametrize("asked", [{"offset": "x"}, {"offset": "-1"}, {"offset": "9" * 30}, {"type": "x"}, {"q": "\0"}])
def test_no_question_is_an_error(site: Site, asked: dict[str, str]) -> None:
    assert site.get(PICK, asked).status_code == 200


def test_tells_who_may_not_see_the_library_so(site_for: Callable[[User], Site]) -> None:
    site = site_for(make_user(is_staff=True, codes=[4201]))

    answer = site.get(PICK)

    assert answer.status_code == 403
    assert "may not see the media library" in answer.json()["detail"]


def test_offers_uploads_to_those_only_who_may_add(site_for: Callable[[User], Site], site: Site) -> None:
    reader = site_for(make_user(is_staff=True, codes=[4102]))

    assert 'data-part="upload"' in site.get(PICK, {"dialog": ""}).json()["html"]
    assert 'data-part="upload"' not in reader.get(PICK, {"dialog": ""}).json()["html"]


# Uploads


def test_an_upload_answers_with_its_card(site: Site) -> None:
    answer = site.post(UPLOAD, {"file": SimpleUploadedFile("crane.png", draw())})

    media = Media.objects.get()
    assert answer.status_code == 200
    assert answer.json()["is_new"] is True
    assert answer.json()["media"]["id"] == media.pk
    assert f'data-id="{media.pk}"' in answer.json()["option"]


def test_the_same_bytes_are_stored_once(site: Site) -> None:
    for _ in range(2):
        answer = site.post(UPLOAD, {"file": SimpleUploadedFile("crane.png", draw())})

    assert answer.json()["is_new"] is False
    assert answer.json()["media"]["name"] == "crane.png"
    assert Media.objects.count() == 1


def test_an_upload_is_refused_with_the_doors_own_word(site: Site) -> None:
    answer = site.post(UPLOAD, {"file": SimpleUploadedFile("crane.png", b"")})

    assert answer.status_code == 400
    assert answer.json()["detail"] == "The file is empty. Choose one with content."
    assert not Media.objects.exists()


def test_a_busy_door_says_when_to_come_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from folio.media.admin import views
    from folio.media.errors import UploadBusy

    def busy(file: Any, **options: Any) -> Any:
        raise UploadBusy("Try again.")

    monkeypatch.setattr(views, "store_once", busy)

    answer = site.post(UPLOAD, {"file": SimpleUploadedFile("crane.png", draw())})

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.json()["detail"] == "Try again."


def test_an_upload_without_a_file_is_told_so(site: Site) -> None:
    answer = site.post(UPLOAD, {"name": "x"})

    assert (answer.status_code, answer.json()["detail"]) == (400, "No file arrived. Choose it again.")


def test_who_may_not_add_uploads_nothing(site_for: Callable[[User], Site]) -> None:
    site = site_for(make_user(is_staff=True, codes=[4102, 4104]))

    answer = site.post(UPLOAD, {"file": SimpleUploadedFile("crane.png", draw())})

    assert answer.status_code == 403
    assert "may not add media" in answer.json()["detail"]
    assert not Media.objects.exists()


# Texts


def test_saves_a_text_by_itself_and_notes_who_did(site: Site, editor: User) -> None:
    media = make_media(name="crane.png", alt="")

    answer = site.post(texts(media), {"alt": " A crane "}, content_type="application/json")

    assert answer.json() == {"name": "crane.png", "alt": "A crane", "focal_x": None, "focal_y": None}
    media.refresh_from_db()
    assert (media.name, media.alt) == ("crane.png", "A crane")
    assert admin.models.LogEntry.objects.get().user == editor


@pytest.mark.parametrize(
    ("given", "field"), [({"name": ""}, "name"), ({"name": "x" * 256}, "name"), ({"alt": "x" * 501}, "alt")]
)
def test_refuses_a_text_as_the_api_does(site: Site, given: dict[str, str], field: str) -> None:
    media = make_media(name="crane.png", alt="A crane")

    answer = site.post(texts(media), given, content_type="application/json")

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    media.refresh_from_db()
    assert (media.name, media.alt) == ("crane.png", "A crane")


def test_changes_nothing_but_texts(site: Site) -> None:
    media = make_media(size=5)

    site.post(texts(media), {"size": 6, "type": "other", "alt": "A"}, content_type="application/json")

    media.refresh_from_db()
    assert (media.size, media.type, media.alt) == (5, "image", "A")


@pytest.mark.parametrize("body", ["[]", "{", "", '"x"'])
def test_a_broken_request_is_told_so(site: Site, body: str) -> None:
    answer = site.post(texts(make_media()), body, content_type="application/json")

    assert answer.status_code == 400
    assert "could not be read" in answer.json()["detail"]


def test_texts_of_a_deleted_media_are_told_so(site: Site) -> None:
    answer = site.post("/admin/media/media/77/texts/", {"alt": "A"}, content_type="application/json")

    assert "deleted meanwhile" in answer.json()["detail"]


def test_who_may_not_change_changes_no_text(site_for: Callable[[User], Site]) -> None:
    media = make_media(alt="kept")
    site = site_for(make_user(is_staff=True, codes=[4101, 4102]))

    answer = site.post(texts(media), {"alt": "A"}, content_type="application/json")

    assert answer.status_code == 403
    media.refresh_from_db()
    assert media.alt == "kept"


def texts(media: Media) -> str:
    return f"/admin/media/media/{media.pk}/texts/"
