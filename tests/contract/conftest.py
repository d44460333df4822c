from collections.abc import Iterator

import pytest

from tests.live import Server, Session, running_server

# Webhooks of these tests lead nowhere else, and what the tests write is told to none of them.
PRIVATE = {"FOLIO_WEBHOOK_PRIVATE": "127.0.0.0/8", "FOLIO_WEBHOOK_SECONDS": "3600"}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with two workers, which the tests of one process share; each brings rows of its own."""
    variables = {"FOLIO_MAX_UPLOAD_SIZE": "2000000", "FOLIO_TRUSTED_PROXIES": "127.0.0.1", **PRIVATE}
    with running_server(tmp_path_factory.mktemp("live"), "--workers", "2", **variables) as server:
        yield server
        assert "Traceback" not in server.log.read_text()


@pytest.fixture(scope="session")
def api(server: Server) -> Session:
    """Requests to the server with an admin's key, which the command made."""
    return server.session(server.key)
