"""Two servers behind nginx that are restarted one by one, while others read, write and upload."""

import time

from tests.environment import run_folio
from tests.nginx import behind_nginx
from tests.rolling import Load

BETWEEN = 0.5  # seconds of load before and after each restart


def test_nobody_notices_that_each_server_is_restarted() -> None:
    with behind_nginx() as front:
        load = Load(front)
        load.start()
        time.sleep(BETWEEN)
        for backend in front.backends:
            backend.restart()
            time.sleep(BETWEEN)
        load.stop()

        assert load.failures == []
        assert min(load.counts[kind] for kind in ("reads", "writes", "uploads")) > 10
        assert load.forgotten() == []
        checked = run_folio("checkmedia", "--min-age", "0", folder=front.data, variables=front.variables)
        assert checked.returncode == 0, checked.stdout
