"""What pages of the admin site take with many rows: `python -m benchmarks.site [--database postgresql] [--quick]`.

On SQLite it also says what pages weigh on a slow line: `benchmarks/weight.py`.

Each page is timed beside the plainest one of the site, the form to change one's password: the same sign-in, frame and
sidebar with next to nothing in it. Requests come one after another, by a browser's session that is signed in.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from . import report, weight
from .__main__ import database_of, tell, variables
from .load import Client
from .options import DATABASES, alone, begun, parser_of
from .processes import PYTHON, ROOT, Installation, fill, folio

ROWS = 10_000  # portfolios, and media
ROUNDS, REQUESTS = 5, 20  # of each page in a round
RATIO, MOST = 4, 300  # that a page may take: times the plainest page, milliseconds
PLAINEST = "/admin/password_change/"
PAGES = {
    "portfolio list": "/admin/portfolios/portfolio/",
    "portfolio list, last page": f"/admin/portfolios/portfolio/?p={ROWS // 50}",
    "portfolio list, filtered": "/admin/portfolios/portfolio/?state=published&has_image=true&year=2023",
    "portfolio list, searched": "/admin/portfolios/portfolio/?q=harbour",
    "media grid": "/admin/media/media/",
    "portfolio form": f"/admin/portfolios/portfolio/{ROWS // 2}/change/",
}
AIMED = {"portfolio list", "media grid", "portfolio form"}
SESSION = """
import django
django.setup()
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
client = Client()
client.force_login(User.objects.get(username="bench"))
print(f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}")
"""

Times = dict[str, list[float]]  # milliseconds: each round's median


def main() -> int:
    options, about = begun(parser_of("site", "Measure pages of the admin site."))
    if options.database == "sqlite":
        tell("Opening pages on a slow line")
        if visits := weight.visits(1 if options.quick else weight.ROUNDS):
            text = weight.table(visits)
            report.write_figures("site-weight", text, weight.measures(visits), about)
            print(f"\n{text}\n")
    alone()
    with database_of(options.database) as url, tempfile.TemporaryDirectory(prefix="folio-benchmarks-") as folder:
        tell(f"Filling a database with {ROWS:,} portfolios and as many media")
        installation = fill(Path(folder) / "site", ROWS, variables(url, str(ROWS)), ROWS)
        tell("Measuring pages of the admin site")
        times = page_times(installation, *((1, 3) if options.quick else (ROUNDS, REQUESTS)))
    print(f"\n{write(times, options.database, about)}\n")
    print(f"Written to {report.RESULTS}: site-{options.database}.json and .md")
    return 0


def page_times(installation: Installation, rounds: int, requests: int) -> Times:
    """Return what each page takes; they take turns, to meet the same other load."""
    times: Times = {path: [] for path in (PLAINEST, *PAGES.values())}
    with folio(installation) as served, Client(served.port, {"Cookie": session_of(installation)}) as client:
        for path in times:
            client.time(path)  # templates are compiled, classes made
        for _ in range(rounds):
            for path, medians in times.items():
                medians.append(median(client.time(path) for _ in range(requests)))
    return times


def session_of(installation: Installation) -> str:
    """Return the cookie of a browser that is signed in as an admin."""
    command = [PYTHON, "-c", SESSION]
    made = subprocess.run(command, env=installation.environment, cwd=ROOT, check=True, capture_output=True, text=True)
    return made.stdout.strip()


def measures(times: Times) -> list[report.Measure]:
    found = [report.Measure(f"{PLAINEST}, the plainest page", times[PLAINEST], "ms")]
    for name, path in PAGES.items():
        ratios = [page / plainest for page, plainest in zip(times[path], times[PLAINEST], strict=True)]
        is_aimed = name in AIMED
        found.append(report.Measure(f"{name} ÷ plainest page", ratios, at_most=RATIO if is_aimed else None))
        found.append(report.Measure(name, times[path], "ms", at_most=MOST))
    return found


def write(times: Times, database: str, about: dict[str, Any]) -> str:
    """Write the run to `results/` as JSON and as a table; return the table."""
    found = measures(times)
    text = report.table_of(found, f"{DATABASES[database]}, admin site, {ROWS:,} portfolios and media")
    report.write_figures(f"site-{database}", text, found, about, times=times)
    return text


if __name__ == "__main__":
    sys.exit(main())
