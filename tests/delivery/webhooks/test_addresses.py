"""Where messages may go."""

import socket
import threading
from ipaddress import ip_network
from typing import Any

import pytest

from folio.delivery.webhooks import check_url, masked
from folio.delivery.webhooks.addresses import NotAllowed, addresses_of, is_allowed, target_of

PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "192.0.0.8",
    "192.88.99.1",
    "198.18.0.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2001::1",
    "2001:db8::1",
    "3fff::1",
    "fc00::1",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "no address",
]
PUBLIC = ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]


@pytest.mark.parametrize("address", PRIVATE)
def test_nothing_goes_into_private_networks(address: str) -> None:
    assert not is_allowed(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_messages_go_to_what_everyone_reaches(address: str) -> None:
    assert is_allowed(address)


@pytest.mark.parametrize(
    ("network", "address"),
    [
        ("127.0.0.0/8", "127.0.0.1"),
        ("127.0.0.0/8", "::ffff:127.0.0.1"),
        ("10.0.0.0/8", "64:ff9b::a00:1"),
        ("fc00::/7", "fd00::1"),
        ("::1/128", "::1"),
    ],
)
def test_a_setting_allows_networks_all_the_same(settings: Any, network: str, address: str) -> None:
    settings.WEBHOOK_PRIVATE = [ip_network(network)]

    assert is_allowed(address)
    assert not is_allowed("192.168.1.1")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "Enter the address"),
        ("ftp://build.example/", "begins with https:// or http://"),
        ("build.example/hook", "begins with https:// or http://"),
        ("javascript:alert(1)", "begins with https:// or http://"),
        ("https://user:password@build.example/", "leave out what is before @"),
        ("https://@build.example/", "leave out what is before @"),
        ("https://", "This is no address"),
        ("https:///path", "This is no address"),
        ("https://[::1", "This is no address"),
        ("https://[fe80::1%25lo]/", "This is no address"),
        ("https://build.example:0/", "This is no address"),
        ("https://build.example:99999/", "This is no address"),
        ("https://build.example:port/", "This is no address"),
        ("https://build.example\\@127.0.0.1/", "leave out what is before @"),
        ("https://build.example/\\x", "This is no address"),
        ("https://build.example/a b", "no spaces"),
        ("https://build.example/a\nHost: x", "no spaces"),
        ("https://build.example/\0", "no spaces"),
        (f"https://build.example/{'x' * 2000}", "at most 2000 characters"),
        (f"https://{'x' * 70}.example/", "There is no such host"),
        (f"https://{'é' * 70}.example/", "There is no such host"),
        ("https://does-not-exist.invalid/", "There is no such host"),
        ("http://127.0.0.1/", "FOLIO_WEBHOOK_PRIVATE"),
        ("http://127.1/", "FOLIO_WEBHOOK_PRIVATE"),
        ("http://0x7f.0.0.1/", "FOLIO_WEBHOOK_PRIVATE"),
        ("http://2130706433/", "FOLIO_WEBHOOK_PRIVATE"),
        ("http://localhost/", "FOLIO_WEBHOOK_PRIVATE"),
        ("http://[::ffff:127.0.0.1]/", "FOLIO_WEBHOOK_PRIVATE"),
        ("http://[64:ff9b::7f00:1]/", "FOLIO_WEBHOOK_PRIVATE"),
        ("http://0/", "FOLIO_WEBHOOK_PRIVATE"),
    ],
)
def test_says_what_is_wrong_with_an_address(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_url(url)


def test_keeps_a_good_address_as_it_was_entered() -> None:
    assert check_url("  https://8.8.8.8:8443/build/é?x=1#top \n") == "https://8.8.8.8:8443/build/é?x=1#top"


def leads_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    asked: list[str] = []

    def answer(host: str, port: int, **options: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


def test_everything_that_a_name_leads_to_has_to_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    leads_to(monkeypatch, "8.8.8.8", "8.8.4.4")
    assert check_url("https://build.example/") == "https://build.example/"

    leads_to(monkeypatch, "8.8.8.8", "127.0.0.1")
    with pytest.raises(ValueError, match="private network"):
        check_url("https://build.example/")


def test_a_name_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = leads_to(monkeypatch, "8.8.8.8")

    check_url("https://bücher.example/")

    assert asked == ["xn--bcher-kva.example"]


def test_nobody_waits_for_a_name_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: ended.wait(30))
    try:
        with pytest.raises(NotAllowed, match="in time"):
            addresses_of(target_of("https://build.example/"), 0.05)
    finally:
        ended.set()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://api.netlify.com/build_hooks/5f3c", "https://api.netlify.com/…"),
        ("https://build.example:8443/?token=5f3c", "https://build.example:8443/…"),
        ("https://user:password@build.example/", "https://build.example/…"),
        ("https://build.example", "https://build.example/…"),
        ("https://[::1", "…"),
        ("5f3c", "…"),
    ],
)
def test_shows_no_more_of_an_address_than_its_host(url: str, shown: str) -> None:
    assert masked(url) == shown
