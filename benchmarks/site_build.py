"""What the ready site takes to build, and to open: `python -m benchmarks.site_build [--quick]`.

Builds are of 2,000 works that a stand-in for Folio answers at once, so that the time is the builder's own: a build of
all, one after a change of one work, and one after no change, each by `node build.js` as a host does it that kept the
cache; and after a change by the process that serves, from a webhook to the line that says what was built. Times are
told by the clock and by the processor, for other programs lengthen the first more than the second. Pages are opened by
a browser that has nothing yet, on a slow line, with the sample content.
"""

import os
import resource
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS, chromium
from tests.browser.loading import Loaded, first_visit
from tests.live import running_server
from tests.site.building import SECRET, TOOLS, Build, post, served, signed
from tests.site.fake import Fake, folio

from . import machine, report

WORKS = 2_000
ROUNDS = 3
RATIO = 0.2  # of a full build that one after a change may take
FIRST_PAINT = 1.5  # seconds
PAGES = {"grid": "/", "work": "/work/harbour-museum-site/"}

Times = dict[str, list[tuple[float, float]]]  # seconds by the clock, and of the processor


def main() -> int:
    parser = ArgumentParser(prog="python -m benchmarks.site_build", description="Measure the ready site.")
    parser.add_argument("--quick", action="store_true", help="one round, to see that it works")
    rounds = 1 if parser.parse_args().quick else ROUNDS
    if not TOOLS.is_dir():
        print("The site's tools are missing: make site, or npm ci --prefix site.", file=sys.stderr)
        return 1
    about = machine.description()
    print(machine.summary(about))
    measures = [*build_measures(build_times(rounds)), *visit_measures(visits(rounds))]
    text = report.table_of(measures, f"ready site, {WORKS:,} works to build, the sample content to open")
    report.write_figures("site-build", text, measures, about)
    print(f"\n{text}\n")
    return 0


def build_times(rounds: int) -> Times:
    times: Times = {"full": [], "unchanged": [], "changed": [], "served": []}
    with folio(WORKS) as fake, tempfile.TemporaryDirectory(prefix="folio-site-") as folder:
        for number in range(rounds):
            build = Build(Path(folder) / str(number), fake.url)
            build.folder.mkdir()
            times["full"].append(timed(build.run, children_seconds))
            times["unchanged"].append(timed(build.run, children_seconds))
            rename(fake, number)
            times["changed"].append(timed(build.run, children_seconds))
            times["served"].append(served_time(build, fake, number))
    return times


def rename(fake: Fake, number: int) -> None:
    """Change a work as a new title does: its page, its neighbours, the lists it is in, the feed and the sitemap."""
    moment = f"2026-11-30T{number:02}:00:{len(fake.asked) % 60:02}Z"
    fake.entries[WORKS // 2] |= {"title": f"Renamed {len(fake.asked)}", "updated_at": moment}


def timed(work: Callable[[], object], spent: Callable[[], float]) -> tuple[float, float]:
    began, before = time.perf_counter(), spent()
    work()
    return time.perf_counter() - began, spent() - before


def children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def served_time(build: Build, fake: Fake, number: int) -> tuple[float, float]:
    """Return what a build after a change takes that a webhook asks for; it is the second of the process that serves."""
    with served(build, SITE_WEBHOOK_SECRET=SECRET) as site:
        [builder] = site.builders()

        def told() -> None:
            before = site.log.read_text().count("pages built")
            assert post(site, signed()) == 204
            site.wait_for("pages built", before + 1)

        rename(fake, number)
        told()
        rename(fake, number)
        return timed(told, lambda: process_seconds(builder))


def process_seconds(pid: int) -> float:
    spent = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(spent[11]) + int(spent[12])) / os.sysconf("SC_CLK_TCK")


def visits(rounds: int) -> dict[str, list[Loaded]]:
    path = chromium()
    if path is None:
        print("What pages weigh is not measured: there is no Chromium.", file=sys.stderr)
        return {}
    found: dict[str, list[Loaded]] = {name: [] for name in PAGES}
    with (
        tempfile.TemporaryDirectory(prefix="folio-site-") as folder,
        running_server(Path(folder), "--demo") as server,
        served(Build(Path(folder), server.url)) as site,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        for _ in range(2):  # variants are made when they are asked for, or a thumbnail stands in
            for at in PAGES.values():
                first_visit(browser, site.url + at, [])
        for _ in range(rounds):
            for name, at in PAGES.items():
                found[name].append(first_visit(browser, site.url + at, []))
        browser.close()
    return found


def build_measures(times: Times) -> list[report.Measure]:
    named = {
        "full": "full build",
        "unchanged": "build after no change",
        "changed": "build after a change of one work",
        "served": "the same, by the process that serves",
    }
    listed = []
    for key, name in named.items():
        listed.append(report.Measure(name, [clock for clock, _ in times[key]], "s"))
        listed.append(report.Measure(f"{name}, of the processor", [spent for _, spent in times[key]], "s"))
    for key in ("changed", "served"):
        pairs = list(zip(times[key], times["full"], strict=True))
        clock, spent = ([part[place] / whole[place] for part, whole in pairs] for place in (0, 1))
        listed.append(report.Measure(f"{named[key]} ÷ full build", clock, at_most=RATIO))
        listed.append(report.Measure(f"{named[key]} ÷ full build, of the processor", spent, at_most=RATIO))
    return listed


def visit_measures(found: dict[str, list[Loaded]]) -> list[report.Measure]:
    listed = []
    for name, loads in found.items():
        paints = [load.first_paint / 1000 for load in loads]
        listed += [
            report.Measure(f"{name}, requests", [float(len(load.sizes)) for load in loads], ""),
            report.Measure(f"{name}, with its pictures", [load.bytes / 1000 for load in loads], "KB"),
            report.Measure(f"{name}, without its pictures", [load.own_bytes / 1000 for load in loads], "KB"),
            report.Measure(f"{name}, first paint", paints, "s", at_most=FIRST_PAINT),
        ]
    return listed


if __name__ == "__main__":
    sys.exit(main())
