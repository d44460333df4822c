"""Where a request came from, for what is counted by address."""

import logging
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory

from folio.api.addresses import client_address, network_of, warn_of_proxy
from tests.environment import settings_of

PROXY = "10.0.0.7"


def address_of(forwarded: str | None = None, remote: str = PROXY) -> str:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return str(client_address(RequestFactory(REMOTE_ADDR=remote).get("/", headers=headers)))


@pytest.fixture
def trusted(settings: Any) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8"), ip_network("::1")]


def test_is_what_the_server_says() -> None:
    assert address_of(remote="203.0.113.5") == "203.0.113.5"


def test_does_not_believe_a_client_that_names_another() -> None:
    assert address_of("198.51.100.1", remote="203.0.113.5") == "203.0.113.5"


def test_says_once_in_the_log_that_a_proxy_is_not_known(caplog: pytest.LogCaptureFixture) -> None:
    warn_of_proxy.cache_clear()

    address_of()
    assert not caplog.records
    address_of("198.51.100.1")
    address_of("198.51.100.2")

    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "FOLIO_TRUSTED_PROXIES" in caplog.text
    assert "198.51.100" not in caplog.text


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    ("forwarded", "found"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("198.51.100.1, 10.1.1.1", "198.51.100.1"),
        ("1.1.1.1, 198.51.100.1, 10.1.1.1", "198.51.100.1"),
        ("10.1.1.1", "10.1.1.1"),
        ("198.51.100.1:4711", "198.51.100.1"),
        ("[2001:db8::5]:4711", "2001:db8::5"),
        ("2001:db8::5", "2001:db8::5"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("198.51.100.1, unknown", PROXY),
        ("198.51.100.1, unknown, 10.1.1.1", "10.1.1.1"),
        ("", PROXY),
        ("[", PROXY),
        (None, PROXY),
    ],
)
def test_is_the_last_one_that_is_no_proxy_of_ours(forwarded: str | None, found: str) -> None:
    assert address_of(forwarded) == found


@pytest.mark.usefixtures("trusted")
def test_does_not_believe_a_client_that_comes_past_the_proxy() -> None:
    assert address_of("198.51.100.1", remote="203.0.113.5") == "203.0.113.5"


@pytest.mark.parametrize("remote", ["", "/run/folio.sock"])
def test_is_none_where_the_server_tells_none(remote: str) -> None:
    assert address_of(remote=remote) == "None"


@pytest.mark.parametrize(
    ("forwarded", "found"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("198.51.100.1, 10.1.1.1", "198.51.100.1"),
        ("198.51.100.1, unknown", "None"),
        ("", "None"),
        (None, "None"),
    ],
)
@pytest.mark.usefixtures("trusted")
def test_a_peer_on_a_unix_socket_is_the_proxy_where_that_is_said(
    forwarded: str | None, found: str, settings: Any
) -> None:
    assert address_of(forwarded, remote="") == "None"
    settings.TRUST_UNIX = True

    assert address_of(forwarded, remote="") == found


def test_who_comes_by_an_address_is_not_believed_because_a_unix_socket_is(settings: Any) -> None:
    settings.TRUST_UNIX = True

    assert address_of("198.51.100.1", remote="203.0.113.5") == "203.0.113.5"


def test_says_in_the_log_that_the_peer_on_a_unix_socket_is_not_known(caplog: pytest.LogCaptureFixture) -> None:
    warn_of_proxy.cache_clear()

    address_of("198.51.100.1", remote="")

    assert "FOLIO_TRUSTED_PROXIES" in caplog.text


def test_an_ipv6_network_of_one_customer_counts_as_one() -> None:
    assert network_of(ip_address("2001:db8:1:2:3::4")) == network_of(ip_address("2001:db8:1:2:ffff::1"))
    assert network_of(ip_address("2001:db8:1:2::1")) != network_of(ip_address("2001:db8:1:3::1"))
    assert network_of(ip_address("198.51.100.1")) != network_of(ip_address("198.51.100.2"))
    assert network_of(None) == ""


def test_a_setting_names_the_proxies(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, FOLIO_TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8,fd00::/8,")

    assert [str(network) for network in settings["TRUSTED_PROXIES"]] == ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"]
    assert settings["TRUST_UNIX"] is False
    assert settings_of(tmp_path)["TRUSTED_PROXIES"] == []
    on_a_socket = settings_of(tmp_path, FOLIO_TRUSTED_PROXIES="10.0.0.0/8, Unix")
    assert [str(network) for network in on_a_socket["TRUSTED_PROXIES"]] == ["10.0.0.0/8"]
    assert on_a_socket["TRUST_UNIX"] is True


@pytest.mark.parametrize("value", ["proxy.example.com", "10.0.0.1/8", "1", "10.0.0.0/33", "unix:/run/folio.sock"])
def test_a_wrong_proxy_stops_the_start_and_is_named(tmp_path: Path, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"FOLIO_TRUSTED_PROXIES: .*such as 127\.0\.0\.1,10\.0\.0\.0/8"):
        settings_of(tmp_path, FOLIO_TRUSTED_PROXIES=value)
