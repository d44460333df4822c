"""An entry that is not published, as whoever has a link sees it, and nobody else."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.core import signing
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from folio import snapshots
from folio.access.codes import CODES
from folio.delivery.parts import PARTS
from folio.media import variants
from folio.media.uploads import store_upload
from folio.portfolios.models import FormerSlug, Portfolio
from folio.portfolios.previews import SALT, share, signer
from tests.clock import Clock
from tests.delivery.entries import OPTIONAL, ROW, make_full, make_picture
from tests.delivery.fronts import CORS, Front
from tests.factories import draw, make_employer, make_key, make_portfolio, make_tag, make_user
from tests.snapshots.stage import StubLooks

pytestmark = pytest.mark.django_db
PATH = "portfolios/draft/"
SITE = "https://studio.example/work/{slug}/"


@pytest.fixture(autouse=True)
def open_to_all(db: None, settings: Any) -> None:
    settings.PUBLIC_READ, settings.SITE_URL = True, SITE


@pytest.fixture
def maker() -> Any:
    return make_user("mia", is_staff=True, codes=CODES)


@pytest.fixture
def front() -> Front:
    return Front()


@pytest.fixture
def draft() -> Portfolio:
    return make_full(2, slug="draft", title="A draft", is_active=False)


def token_of(maker: Any, portfolio: Portfolio, **delta: float) -> str:
    return share(maker, portfolio.pk, timedelta(**(delta or {"days": 7}))).token


def told(answer: Any) -> Any:
    """Return what an answer told, once it is sure that nothing keeps or finds it, and that every page may read it."""
    assert CORS.items() <= answer.headers.items()
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert not {"Set-Cookie", "ETag", "Vary", "X-Folio-Keep"} & answer.headers.keys()
    return answer.json() if answer.content else None


def shown(front: Front, token: str, query: str = "", path: str = PATH) -> Any:
    answer = front.ask(f"{path}?preview={token}{query}")
    assert answer.status_code == 200, answer.content
    return told(answer)


class TestWhatIsShown:
    def test_is_the_whole_entry_as_it_will_be(self, front: Front, maker: Any, draft: Portfolio) -> None:
        seen = shown(front, token_of(maker, draft))

        Portfolio.objects.filter(pk=draft.pk).update(is_active=True)
        published = front.ask(PATH).json()
        assert seen.keys() == published.keys()
        same = seen.keys() - {"cover", "gallery", "employer", "tags", "links", "share_image"}
        assert {key: seen[key] for key in same} == {key: published[key] for key in same}
        assert re.sub(r'"sources": \[.*?\}\]', "", json.dumps(published["gallery"])) == re.sub(
            r'"sources": \[\]', "", json.dumps(seen["gallery"])
        )

    @pytest.mark.parametrize("name", OPTIONAL)
    def test_include_narrows_it(self, front: Front, maker: Any, draft: Portfolio, name: str) -> None:
        seen = shown(front, token_of(maker, draft), f"&include={name}")

        assert list(seen) == [*ROW, *PARTS[name].keys]

    @pytest.mark.parametrize(
        "names", ["slug", "title,neighbours", "gallery", "related,cover", "share_image", "description"]
    )
    def test_fields_choose_of_it(self, front: Front, maker: Any, draft: Portfolio, names: str) -> None:
        assert set(shown(front, token_of(maker, draft), f"&fields={names}")) == set(names.split(","))

    def test_its_neighbours_are_the_published_ones_where_it_would_stand(self, front: Front, maker: Any) -> None:
        for place in range(6):
            make_portfolio(slug=f"p{place}", order=place, is_active=place not in {1, 3})
        draft = make_portfolio(slug="draft", order=2, publish_at=timezone.now() + timedelta(days=1))

        seen = shown(front, token_of(maker, draft))["neighbours"]

        assert [seen[side]["slug"] for side in ("previous", "next")] == ["p0", "p2"]

    def test_what_is_related_is_published(self, front: Front, maker: Any) -> None:
        tag, employer = make_tag(), make_employer()
        make_portfolio(slug="far")
        make_portfolio(slug="same", employer=employer)
        make_portfolio(slug="like", tags=[tag])
        make_portfolio(slug="hidden", tags=[tag], is_active=False)
        draft = make_portfolio(slug="draft", tags=[tag], employer=employer, is_active=False)

        seen = shown(front, token_of(maker, draft))["related"]

        assert [card["slug"] for card in seen] == ["like", "same", "far"]

    def test_meta_that_is_never_public_stays_so(self, front: Front, maker: Any, draft: Portfolio) -> None:
        draft.meta.create(key="_secret", value_text="geheim", place=9)

        assert "geheim" not in json.dumps(shown(front, token_of(maker, draft)))

    @pytest.mark.parametrize(
        "state",
        [{"is_active": False}, {"publish_at": 1}, {"unpublish_at": -1}, {"is_active": False, "publish_at": 1}],
        ids=["draft", "scheduled", "ended", "draft and scheduled"],
    )
    def test_whatever_keeps_it_from_being_published(
        self, front: Front, maker: Any, clock: Clock, state: dict[str, Any]
    ) -> None:
        moments = {name: clock.after(days=days) for name, days in state.items() if name != "is_active"}
        draft = make_portfolio(slug="draft", is_active=state.get("is_active", True), **moments)

        assert front.ask(PATH).status_code == 404
        assert shown(front, token_of(maker, draft))["id"] == draft.pk
        assert front.ask(PATH).status_code == 404

    def test_a_moment_to_come_is_never_told_as_its_last_change(self, front: Front, maker: Any, clock: Clock) -> None:
        draft = make_portfolio(slug="draft", publish_at=clock.after(days=2))
        token, saved = token_of(maker, draft), clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")

        assert shown(front, token)["updated_at"] == saved
        assert shown(front, token, "&fields=updated_at") == {"updated_at": saved}
        changed = clock.move(hours=1)
        Portfolio.objects.update(related_updated_at=changed)
        assert shown(front, token)["updated_at"] == changed.strftime("%Y-%m-%dT%H:%M:%SZ")
        clock.move(days=2)
        assert shown(front, token)["updated_at"] == front.ask(PATH).json()["updated_at"]
        Portfolio.objects.update(is_active=False)
        assert shown(front, token)["updated_at"] == draft.publish_at.strftime("%Y-%m-%dT%H:%M:%SZ")  # type: ignore[union-attr]

    @pytest.mark.django_db(transaction=True)
    def test_a_published_entry_is_as_without_the_link_and_kept_by_nobody(self, maker: Any) -> None:
        published = make_full(slug="draft")
        front = Front(StubLooks())
        token = token_of(maker, published)

        for _ in range(2):
            answer = front.ask(f"{PATH}?preview={token}")
            assert told(answer) == front.ask(PATH).json()
        assert len(front.front.cache.entries) == 1

    def test_its_size_changes_the_number_of_queries_by_none(self, front: Front, maker: Any) -> None:
        counts = set()
        for size in (1, 30):
            draft = make_full(size, slug=f"draft-{size}", is_active=False)
            token = token_of(maker, draft)
            shown(front, token, path=f"portfolios/draft-{size}/")
            with CaptureQueriesContext(connection) as captured:
                shown(front, token, path=f"portfolios/draft-{size}/")
            counts.add(len(captured))
        assert len(counts) == 1
        assert counts.pop() <= 28

    def test_slugs_of_any_script(self, front: Front, maker: Any) -> None:
        draft = make_portfolio(slug="خانه", is_active=False)

        assert shown(front, token_of(maker, draft), path=f"portfolios/{quote('خانه')}/")["slug"] == "خانه"


class TestPictures:
    def test_are_those_that_are_there(self, front: Front, maker: Any, media_root: Path) -> None:
        """No variant is made of what visitors don't see; one that was made when they did is there still."""
        image = store_upload(ContentFile(draw((900, 600)), name="draft.png"))
        draft = make_portfolio(slug="draft", image=image, images=[image], is_active=False)
        token = token_of(maker, draft)

        seen = shown(front, token)

        assert seen["cover"]["sources"] == []
        assert seen["share_image"] is None
        urls = [seen["cover"]["src"], seen["cover"]["original"], *(each["src"] for each in seen["cover"]["thumbnails"])]
        for url in urls:
            assert (media_root / url.partition("/media/")[2]).is_file()
        variant = variants.Variant(image.file.name, "webp", 320)
        (media_root / variant.name).write_bytes(b"RIFF")
        shared = variants.Variant(image.file.name, "jpg", focal=(500, 500))
        (media_root / shared.name).write_bytes(b"JFIF")
        seen = shown(front, token)
        assert [source["type"] for source in seen["cover"]["sources"]] == ["image/webp"]
        assert seen["gallery"][0]["sources"] == seen["cover"]["sources"]
        assert seen["cover"]["sources"][0]["srcset"].endswith("_320.webp 320w")
        assert seen["share_image"].endswith("share_500x500.jpg")

    def test_a_published_entry_still_names_those_that_are_made_when_asked_for(self, front: Front, maker: Any) -> None:
        published = make_portfolio(slug="draft", image=make_picture())

        assert shown(front, token_of(maker, published))["cover"]["sources"]

    def test_originals_are_kept_back_as_elsewhere(self, front: Front, maker: Any, settings: Any) -> None:
        settings.PUBLIC_ORIGINALS = False
        draft = make_portfolio(slug="draft", image=make_picture(), is_active=False)

        assert "original" not in shown(front, token_of(maker, draft))["cover"]


class TestOtherEntries:
    def test_show_with_it_what_they_show_to_nobody(self, front: Front, maker: Any, draft: Portfolio) -> None:
        """Whether there is such an entry, and whether it is published, can't be told from the answers."""
        token = token_of(maker, draft)
        make_portfolio(slug="public")
        make_portfolio(slug="hidden", is_active=False)

        answers = {
            slug: front.ask(f"portfolios/{slug}/?preview={token}") for slug in ("public", "hidden", "never", "%00")
        }

        for slug, answer in answers.items():
            assert (answer.status_code, told(answer).keys()) == (404, {"detail"})
            name = "\0" if slug == "%00" else slug
            assert told(answer)["detail"] == f"This preview link is not for a portfolio with the slug {name}."
        assert len({len(answers[slug].headers) for slug in answers}) == 1

    def test_a_former_slug_of_its_own_leads_to_the_present_one(
        self, front: Front, maker: Any, draft: Portfolio
    ) -> None:
        token = token_of(maker, draft)
        draft.slug = "renamed"
        draft.save()
        other = make_portfolio(slug="other")
        FormerSlug.objects.create(portfolio=other, slug="other-then")

        answer = front.ask(f"portfolios/draft/?preview={token}&include=meta")

        assert answer.status_code == 301
        assert answer.headers["Location"] == f"/api/public/portfolios/renamed/?preview={token}&include=meta"
        told(answer)
        assert front.ask(answer.headers["Location"]).status_code == 200
        assert front.ask(f"portfolios/other-then/?preview={token}").status_code == 404
        assert front.ask("portfolios/draft/").status_code == 404

    def test_lists_know_no_links(self, front: Front, maker: Any, draft: Portfolio) -> None:
        token = token_of(maker, draft)

        for path in ("portfolios/", "facets/", "tags/", "employers/"):
            answer = front.ask(f"{path}?preview={token}")
            assert (answer.status_code, told(answer).keys()) == (400, {"preview"})
            assert "draft" not in front.ask(path).content.decode()


def altered(token: str, **values: Any) -> str:
    """Return a token with another content and the signature of the first."""
    names = ("pk", "maker", "end", "generation")
    payload, _, signature = token.partition(".")
    held = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    changed = [values.get(name, value) for name, value in zip(names, held, strict=True)]
    text = base64.urlsafe_b64encode(json.dumps(changed, separators=(",", ":")).encode()).decode().rstrip("=")
    return f"{text}.{signature}"


def forged(pk: int, maker: int, end: Any, generation: Any = 0) -> Iterator[str]:
    """Yield tokens that somebody else's secrets, or other uses of this one, would sign."""
    held = [pk, maker, end, generation]
    yield signing.Signer(salt=SALT, key="another", sep=".").sign_object(held)
    for salt in ("", "django.core.signing", f"{SALT}2", "folio.access.known:mia"):
        yield signing.Signer(salt=salt or None, sep=".").sign_object(held)
    yield signing.dumps(held, salt=SALT)
    yield signing.TimestampSigner(salt=SALT, sep=".").sign_object(held)
    yield signing.Signer(salt=SALT, sep=".", algorithm="sha1").sign_object(held)


class TestAttacks:
    """Whatever is wrong with a token, the answer is one and the same, for each slug."""

    def answer(self, front: Front, token: str, slug: str = "draft") -> Any:
        answer = front.ask(f"portfolios/{slug}/?preview={token}")
        told(answer)
        return answer.status_code, answer.headers, answer.content

    @pytest.fixture
    def refusal(self, front: Front) -> Any:
        found = self.answer(front, "no-token", slug="never")
        assert found[0] == 400
        assert json.loads(found[2]) == {
            "preview": ["This preview link has ended, or is no such link. Whoever shared it can make another one."]
        }
        return found

    def test_altered_tokens(self, front: Front, maker: Any, draft: Portfolio, refusal: Any) -> None:
        other = make_portfolio(slug="other", is_active=False)
        token = token_of(maker, draft)
        changes: list[dict[str, Any]] = [
            {"pk": other.pk},
            {"maker": maker.pk + 1},
            {"end": 2**40},
            {"end": None},
            {"generation": 1},
            {"pk": "x"},
            {"pk": [draft.pk]},
        ]
        tokens = [altered(token, **change) for change in changes]
        tokens += [token[:-1], token + "A", token[1:], token.swapcase(), token.replace(".", ":"), f"{token}.{token}"]
        tokens += [token.partition(".")[0], f".{token.partition('.')[2]}", f"{token.partition('.')[0]}.", token[::-1]]
        assert altered(token) == token

        for bad in tokens:
            for slug in ("draft", "other", "never"):
                assert self.answer(front, bad, slug) == refusal, bad
        assert front.ask(f"{PATH}?preview={token}").status_code == 200

    def test_forged_tokens(self, front: Front, maker: Any, draft: Portfolio, refusal: Any) -> None:
        end = int(timezone.now().timestamp()) + 60
        good = signer().sign_object([draft.pk, maker.pk, end, 0])
        assert front.ask(f"{PATH}?preview={good}").status_code == 200

        for bad in forged(draft.pk, maker.pk, end):
            assert self.answer(front, bad) == refusal, bad

    @pytest.mark.parametrize(
        "held",
        [None, 5, "draft", [], [1], {"pk": 1}, {}, [1, 2, 3, 4, 5], [None] * 4, ["a"] * 4, [2**70, 1, 2**40, 0],
         [1, 2**70, 2**40, 0], [1, 1, 2**40, 2**70], [1, 1, 2**40, -1], [[1], [1], 2**40, 0], [1.5, 1, 2**40, 0]],
    )  # fmt: skip
    def test_what_nobody_signs(self, front: Front, draft: Portfolio, refusal: Any, held: Any) -> None:
        assert self.answer(front, signer().sign_object(held)) == refusal

    @pytest.mark.parametrize(
        "text",
        ["x", "a.b", "é", "%C3%A9", "%E2%98%83" * 20, "%00", "a%00b", "%FF", "%ED%A0%80", "A" * 7000, "." * 100,
         "a" * 50 + "." + "b" * 43, "..", ".eJyrNVSyMtAx1FEy1jFRMq4FABTFA2I.b", "%2e%2e%2f", "<script>", "*", "null"],
    )  # fmt: skip
    def test_what_is_no_token(self, front: Front, draft: Portfolio, text: str) -> None:
        answer = front.ask(f"{PATH}?preview={text}")

        assert answer.status_code == 400
        assert told(answer).keys() == {"preview"}

    def test_void_ones(
        self, front: Front, maker: Any, draft: Portfolio, refusal: Any, clock: Clock, client: Any
    ) -> None:
        token = token_of(maker, draft, minutes=5)
        assert self.answer(front, token)[0] == 200
        Portfolio.objects.filter(pk=draft.pk).update(preview_generation=1)
        assert self.answer(front, token) == refusal
        Portfolio.objects.filter(pk=draft.pk).update(preview_generation=0)
        permissions = list(maker.user_permissions.all())
        maker.user_permissions.clear()
        assert self.answer(front, token) == refusal
        maker.user_permissions.set(permissions)
        assert self.answer(front, token)[0] == 200
        clock.move(minutes=5)
        assert self.answer(front, token) == refusal
        for slug in ("draft", "never"):
            assert self.answer(front, token, slug) == refusal

    def test_it_is_given_once_and_whole(self, front: Front, maker: Any, draft: Portfolio) -> None:
        token = token_of(maker, draft)

        for query in (f"preview={token}&preview={token}", f"preview=&preview={token}", f"preview={token}&previews=1"):
            answer = front.ask(f"{PATH}?{query}")
            assert answer.status_code == 400
            told(answer)

    def test_an_empty_one_counts_as_absent(self, front: Front, draft: Portfolio) -> None:
        make_portfolio(slug="public")

        assert front.ask(f"{PATH}?preview=").status_code == 404
        assert front.ask("portfolios/public/?preview=").json() == front.ask("portfolios/public/").json()

    def test_its_name_may_be_escaped_and_it_is_kept_by_nobody(self, maker: Any, draft: Portfolio) -> None:
        front = Front(StubLooks())
        token = token_of(maker, draft)

        for name in ("preview", "%70review", "previe%77", "%70%72%65%76%69%65%77"):
            answer = front.ask(f"{PATH}?{name}={token}")
            assert (answer.status_code, told(answer)["id"]) == (200, draft.pk)
        assert not front.front.cache.entries

    def test_no_header_nor_cookie_stands_for_it(self, front: Front, maker: Any, draft: Portfolio) -> None:
        token = token_of(maker, draft)

        for headers in (
            {"Cookie": f"preview={token}"},
            {"Preview": token},
            {"X-Preview": token},
            {"Authorization": f"Token {token}"},
            {"Authorization": f"Bearer {token}"},
            {"Referer": f"http://testserver/api/public/portfolios/draft/?preview={token}"},
        ):
            assert front.ask(PATH, headers=headers).status_code == 404

    def test_a_token_opens_nothing_else(self, front: Front, maker: Any, draft: Portfolio) -> None:
        token = token_of(maker, draft)

        for path in (f"/api/portfolios/{draft.pk}/", "/api/portfolios/", f"/admin/portfolios/portfolio/{draft.pk}/"):
            for headers in ({"Authorization": f"Token {token}"}, {}):
                assert front.ask(f"{path}?preview={token}", headers=headers).status_code in {302, 401}

    def test_a_head_is_a_get_without_its_body(self, front: Front, maker: Any, draft: Portfolio) -> None:
        url = f"{PATH}?preview={token_of(maker, draft)}"
        get, head = front.ask(url), front.ask(url, "HEAD")

        assert (head.status_code, head.headers, head.content) == (200, get.headers, b"")

    @pytest.mark.parametrize("method", ["OPTIONS", "POST", "PUT", "PATCH", "DELETE"])
    def test_other_methods_tell_nothing(self, front: Front, maker: Any, draft: Portfolio, method: str) -> None:
        token = token_of(maker, draft)

        with_token, without = (front.ask(f"{PATH}{query}", method) for query in (f"?preview={token}", ""))

        assert with_token == without
        assert with_token.headers["Cache-Control"] == "no-store"

    def test_a_path_without_its_slash_is_kept_by_nobody(self, front: Front, maker: Any, draft: Portfolio) -> None:
        token = token_of(maker, draft)
        answer = front.ask(f"portfolios/draft?preview={token}")

        assert answer.status_code == 301
        told(answer)

    def test_while_public_reading_is_off(self, front: Front, maker: Any, draft: Portfolio, settings: Any) -> None:
        settings.PUBLIC_READ = False

        answer = front.ask(f"{PATH}?preview={token_of(maker, draft)}")

        assert answer.status_code == 404
        assert "FOLIO_PUBLIC_READ" in told(answer)["detail"]


class TestCaches:
    @pytest.fixture
    def front(self) -> Front:
        return Front(StubLooks())

    @pytest.mark.django_db(transaction=True)
    def test_nothing_of_it_is_kept_in_any(self, front: Front, maker: Any, draft: Portfolio) -> None:
        make_portfolio(tags=[draft.tags.first()])
        token = token_of(maker, draft)
        for _ in range(2):
            shown(front, token)

        assert not front.front.cache.entries
        kept = json.dumps(repr(snapshots.documents.entries))
        assert "A draft" not in kept
        assert not [key for key in snapshots.documents.entries if draft.pk in key and key[0] in PARTS.values()]

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize(
        "path",
        [
            "portfolios/",
            "portfolios/?include=neighbours,related",
            "portfolios/shown/",
            "facets/",
            "tags/",
            "employers/",
            PATH,
        ],
    )
    def test_others_see_what_they_would_have_seen_without_it(self, maker: Any, draft: Portfolio, path: str) -> None:
        make_portfolio(slug="shown", tags=list(draft.tags.all()), employer=draft.employer)
        plain = Front(StubLooks()).ask(path)
        front, token = Front(StubLooks()), token_of(maker, draft)

        for _ in range(2):
            shown(front, token)
            answer = front.ask(path)
            assert (answer.status_code, answer.headers, answer.content) == (
                plain.status_code,
                plain.headers,
                plain.content,
            )

    @pytest.mark.django_db(transaction=True)
    def test_what_was_read_of_it_before_is_not_read_of_it_when_it_is_published(
        self, maker: Any, draft: Portfolio
    ) -> None:
        looks = StubLooks()
        front, token = Front(looks), token_of(maker, draft)
        shown(front, token)

        Portfolio.objects.filter(pk=draft.pk).update(is_active=True)
        looks.number = (looks.number or 0) + 1

        assert front.ask(PATH).json()["cover"]["sources"]

    @pytest.mark.django_db(transaction=True)
    def test_ending_it_is_seen_at_once(self, front: Front, maker: Any, draft: Portfolio) -> None:
        """The database is asked each time: not even a snapshot that still holds stands for it."""
        token = token_of(maker, draft)
        shown(front, token)

        Portfolio.objects.filter(pk=draft.pk).update(preview_generation=7)

        assert front.ask(f"{PATH}?preview={token}").status_code == 400

    def test_no_known_version_spares_the_answer(self, front: Front, maker: Any, draft: Portfolio) -> None:
        token = token_of(maker, draft)

        for tag in ('"abc"', "*"):
            assert front.ask(f"{PATH}?preview={token}", headers={"If-None-Match": tag}).status_code == 200


def test_it_is_counted_by_the_rate(front: Front, maker: Any, draft: Portfolio, settings: Any, tmp_path: Path) -> None:
    settings.PUBLIC_RATE, settings.RATES_PATH = (3, 3600), tmp_path / "rates"
    token = token_of(maker, draft)

    answers = [front.ask(f"{PATH}?preview={each}") for each in (token, "bad", token, token)]

    assert [answer.status_code for answer in answers] == [200, 400, 200, 429]
    for answer in answers:
        told(answer)


def test_reading_by_a_link_writes_nothing(front: Front, maker: Any, draft: Portfolio) -> None:
    token = token_of(maker, draft)

    with CaptureQueriesContext(connection) as captured:
        shown(front, token)

    assert all(each["sql"].lstrip("( ").upper().startswith("SELECT") for each in captured)


def test_a_key_beside_it_changes_nothing(front: Front, maker: Any, draft: Portfolio) -> None:
    token = token_of(maker, draft)
    plain = front.ask(f"{PATH}?preview={token}")

    assert front.ask(f"{PATH}?preview={token}", headers={"Authorization": f"Token {make_key(maker)}"}) == plain


@pytest.mark.parametrize("change", ["delete", "hide"])
def test_an_entry_that_goes_while_it_is_read(
    front: Front, maker: Any, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """It was published when the link was looked at, and no longer when its parts were."""
    entry = make_full(slug="draft")
    token = token_of(maker, entry)
    from folio.delivery import portfolios

    real: Callable[..., Any] = portfolios.parts_of

    def late(*args: Any) -> Any:
        rows: Any = Portfolio.objects.filter(pk=entry.pk)
        rows.delete() if change == "delete" else rows.update(is_active=False)
        return real(*args)

    monkeypatch.setattr(portfolios, "parts_of", late)
    answer = front.ask(f"{PATH}?preview={token}")

    assert answer.status_code == (400 if change == "delete" else 200)
    told(answer)
