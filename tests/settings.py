"""The program's settings, on a data folder of this process's own."""

import os
import tempfile

from tests.postgresql import choose_server

folder = tempfile.TemporaryDirectory(prefix="folio-tests-", ignore_cleanup_errors=True)
os.environ["FOLIO_DATA_DIR"] = folder.name
for name in [name for name in os.environ if name.startswith(("FOLIO_", "SENTRY_")) and name != "FOLIO_DATA_DIR"]:
    del os.environ[name]

choose_server()

from folio.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the suite signs in often
WHITENOISE_AUTOREFRESH = True  # else every test's client begins by listing the admin site's static files
if DATABASES["default"]["ENGINE"] == "folio.sqlite":  # noqa: F405
    # In memory, as for Django's own backend; pytest-django takes one that it does not know for a server's.
    DATABASES["default"]["TEST"] = {"NAME": ":memory:"}  # noqa: F405
FILE_UPLOAD_TEMP_DIR.mkdir(mode=0o700)  # noqa: F405  as `folio serve` does
DATABASES["default"].get("OPTIONS", {}).pop("database", None)  # noqa: F405  the tests' own database has to be made
RUN_TASKS = False  # the tests run them where they want to
FFMPEG = ""  # the tests of pictures of films say which
