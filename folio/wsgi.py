"""What the HTTP server calls: what tells of requests, the response cache, and Django behind them."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "folio.settings")
django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402

from folio.access.uses import uses  # noqa: E402 these need the settings
from folio.api.handler import Handler  # noqa: E402
from folio.api.middleware import THREADS, THREADS_VARIABLE  # noqa: E402
from folio.installation import begin  # noqa: E402
from folio.logs import gather  # noqa: E402
from folio.postgresql import pools, timeouts  # noqa: E402
from folio.reports import begin as report  # noqa: E402
from folio.server.migrating import tell_if_newer  # noqa: E402
from folio.server.peers import peers  # noqa: E402
from folio.server.requests import requests_of  # noqa: E402
from folio.snapshots.front import front_of  # noqa: E402
from folio.tasks.runner import runner as tasks  # noqa: E402

gather()
report()  # anew where this process was forked
begin()
# `folio serve` has looked, and a worker that it replaces must go on; where no tasks are run, a test loads this.
if THREADS_VARIABLE not in os.environ and settings.RUN_TASKS:
    tell_if_newer()
timeouts.serve()
pools.begin(int(os.environ.get(THREADS_VARIABLE, THREADS)))
application = requests_of(front_of(Handler()))
uses.is_serving = True
if THREADS_VARIABLE in os.environ:  # a worker of `folio serve`, in which this is loaded anew
    tasks.start()
    peers.start()
else:
    tasks.start_with_requests()
    peers.start_with_requests()
