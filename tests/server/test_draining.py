"""What the parent says of the stop is seen by processes that were forked before it."""

import os

import pytest

from folio.server import draining

pytestmark = pytest.mark.any_database


def test_a_process_that_was_forked_before_sees_that_the_server_drains() -> None:
    asked, told = os.pipe(), os.pipe()
    assert not draining.is_draining()
    child = os.fork()
    if not child:
        os.read(asked[0], 1)
        os.write(told[1], b"yes" if draining.is_draining() else b"no")
        os._exit(0)
    try:
        draining.begin()
        os.write(asked[1], b"?")
        assert os.read(told[0], 3) == b"yes"
        assert draining.is_draining()
    finally:
        draining.end()
        os.waitpid(child, 0)
        for descriptor in (*asked, *told):
            os.close(descriptor)
    assert not draining.is_draining()
