"""The settings of what is public, and what is said where they can't be meant."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as current
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.utils import timezone

from folio.server import demo
from folio.server.demo import make_demo
from folio.server.management.commands import serve
from folio.server.management.commands.serve import Command, what_is_public
from folio.tasks.models import Task
from tests.environment import settings_of
from tests.factories import make_portfolio, make_user

ORIGINS, RATE = "FOLIO_CORS_ORIGINS", "FOLIO_PUBLIC_RATE"


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("", []),
        ("https://studio.example", ["https://studio.example"]),
        (" https://a.example , http://localhost:5173,", ["https://a.example", "http://localhost:5173"]),
        ("https://A.Example:443,http://b.example:80", ["https://a.example", "http://b.example"]),
        ("http://[::1]:3000,http://127.0.0.1", ["http://[::1]:3000", "http://127.0.0.1"]),
    ],
)
def test_origins_are_as_browsers_send_them(tmp_path: Path, value: str, origins: list[str]) -> None:
    assert settings_of(tmp_path, **{ORIGINS: value})["CORS_ORIGINS"] == origins


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("*", "without `*`"),
        ("https://*.example.com", "without `*`"),
        ("https://a.example,*", "without `*`"),
        ("https://a.example/", "an origin has no path, so it must be https://a.example."),
        ("https://a.example/app?x=1", "an origin has no path, so it must be https://a.example."),
        ("https://a.example#x", "an origin has no path"),
        ("a.example", "an origin is http or https with a host"),
        ("ftp://a.example", "an origin is http or https with a host"),
        ("file://", "an origin is http or https with a host"),
        ("null", "an origin is http or https with a host"),
        ("chrome-extension://abc", "an origin is http or https with a host"),
        ("https://me:secret@a.example", "browsers call that origin https://a.example"),
        ("https://münchen.example", "browsers call that origin https://xn--mnchen-3ya.example"),
        ("https://[::1", "which is no address"),
        ("https://a.example:99999", "which is no address"),
    ],
)
def test_what_no_page_could_come_from_is_refused(tmp_path: Path, value: str, reason: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        settings_of(tmp_path, **{ORIGINS: value})

    assert reason in str(caught.value)
    assert str(caught.value).startswith(ORIGINS)
    assert "https://" in str(caught.value), "what would be right"


@pytest.mark.parametrize(
    ("value", "rate"),
    [
        ("", None),
        ("off", None),
        ("600/minute", (600, 60)),
        ("10 / Second", (10, 1)),
        ("5000/hours", (5000, 3600)),
        ("100000/day", (100_000, 86_400)),
    ],
)
def test_a_rate_is_a_number_for_a_time(tmp_path: Path, value: str, rate: Any) -> None:
    assert settings_of(tmp_path, **{RATE: value})["PUBLIC_RATE"] == rate


@pytest.mark.parametrize("value", ["600", "0/minute", "-1/minute", "600/week", "many/minute", "1.5/second", "٣/minute"])
def test_another_rate_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="such as 600/minute, or off"):
        settings_of(tmp_path, **{RATE: value})


# Whether it is open


def test_it_is_off_by_default(tmp_path: Path) -> None:
    assert settings_of(tmp_path)["PUBLIC_READ"] is False
    assert settings_of(tmp_path, FOLIO_PUBLIC_READ="on")["PUBLIC_READ"] is True


def test_the_mark_of_a_demo_makes_it_on_and_the_variable_wins(tmp_path: Path) -> None:
    (tmp_path / "public_read").touch()

    assert settings_of(tmp_path)["PUBLIC_READ"] is True
    assert settings_of(tmp_path, FOLIO_PUBLIC_READ="")["PUBLIC_READ"] is True
    assert settings_of(tmp_path, FOLIO_PUBLIC_READ="off")["PUBLIC_READ"] is False


@pytest.fixture
def mark(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.PUBLIC_READ_MARK = tmp_path / "public_read"
    settings.PUBLIC_READ = False
    monkeypatch.setattr(demo, "load_sample", lambda say: make_portfolio())
    return tmp_path / "public_read"


@pytest.mark.django_db
def test_a_demo_that_fills_an_empty_installation_opens_it(mark: Path) -> None:
    assert make_demo(print)

    assert mark.exists()
    assert mark.stat().st_mode & 0o777 == 0o600
    assert current.PUBLIC_READ is True, "from this start on"


@pytest.mark.django_db
def test_a_demo_of_an_installation_in_use_opens_nothing(mark: Path) -> None:
    make_user("ada")

    assert make_demo(print) is None
    assert not mark.exists()
    assert current.PUBLIC_READ is False


@pytest.mark.django_db
def test_a_demo_where_the_variable_closes_it_stays_closed(mark: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLIO_PUBLIC_READ", "off")

    make_demo(print)

    assert current.PUBLIC_READ is False


@pytest.mark.django_db
def test_the_start_says_how_many_entries_are_public() -> None:
    now = timezone.now()
    make_portfolio(is_active=False)
    make_portfolio(publish_at=now + timedelta(minutes=5))
    make_portfolio(unpublish_at=now - timedelta(minutes=5))
    assert what_is_public() == "0 entries, which anyone can read"
    make_portfolio()
    assert what_is_public() == "1 entry, which anyone can read"
    make_portfolio()
    assert what_is_public() == "2 entries, which anyone can read"


@pytest.mark.django_db
@pytest.mark.parametrize("is_open", [True, False])
def test_only_a_server_that_starts_with_it_on_says_so(
    settings: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_open: bool
) -> None:
    settings.PUBLIC_READ = is_open
    for name in ("begin", "begin_database"):
        monkeypatch.setattr(serve, name, lambda: None)
    monkeypatch.setattr(serve, "close_to_others", list)
    monkeypatch.setattr(serve, "recover", lambda: 0)
    monkeypatch.setattr(serve, "refuse_taken_port", lambda host, port: None)
    monkeypatch.setattr(serve, "run", lambda *options: None)
    monkeypatch.setattr(Command, "make_static_files", lambda self: None)
    make_portfolio()

    call_command("serve", port=1)

    line = "http://127.0.0.1:1/api/public/portfolios/ (1 entry, which anyone can read)"
    assert (line in capsys.readouterr().out) is is_open
    assert Task.objects.filter(key="media.make_variants all").exists() is is_open


PREVIEW = "FOLIO_PREVIEW_URL"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "https://studio.example/preview/?slug={slug}&preview={token}",
        "https://studio.example/preview/#{slug}/{token}",
        "http://localhost:8080/{slug}/{token}",
    ],
)
def test_where_previews_are_shown(tmp_path: Path, value: str) -> None:
    assert settings_of(tmp_path, **{PREVIEW: f" {value} "})["PREVIEW_URL"] == value


@pytest.mark.parametrize(
    "value",
    [
        "https://studio.example/preview/",
        "https://studio.example/preview/?preview={token}",
        "https://studio.example/{slug}/",
        "https://studio.example/{slug}/?a={token}&b={token}",
        "https://studio.example/{slug}/{slug}/{token}",
        "https://studio.example/{slug}/{token}/{lang}",
        "https://studio.example/{slug}/{token}}",
        "https://{slug}.example/{token}",
        "https://{token}/{slug}",
        "studio.example/{slug}/{token}",
        "ftp://studio.example/{slug}/{token}",
        "https:///{slug}/{token}",
        "https://[::1/{slug}/{token}",
        "https://studio.example:99999/{slug}/{token}",
    ],
)
def test_where_no_preview_could_be_shown(tmp_path: Path, value: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        settings_of(tmp_path, **{PREVIEW: value})

    assert str(caught.value).startswith(f"{PREVIEW} is {value!r}; ")
    assert "such as https://studio.example/preview/?slug={slug}&preview={token}." in str(caught.value)
