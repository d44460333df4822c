"""What the HTTP server calls: the response cache, and Django behind it."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "folio.settings")
django.setup(set_prefix=False)

from folio.access.uses import uses  # noqa: E402 these need the settings
from folio.api.handler import Handler  # noqa: E402
from folio.api.middleware import THREADS_VARIABLE  # noqa: E402
from folio.installation import begin  # noqa: E402
from folio.snapshots.front import front_of  # noqa: E402
from folio.tasks.runner import runner as tasks  # noqa: E402

begin()
application = front_of(Handler())
uses.is_serving = True
if THREADS_VARIABLE in os.environ:  # a worker of `folio serve`, in which this is loaded anew
    tasks.start()
else:
    tasks.start_with_requests()
