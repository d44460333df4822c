"""What the ready site takes to build, and to open: `python -m benchmarks.site_build [--quick]`.

Builds are of 2,000 works that a stand-in for Folio answers at once, so that the time is the builder's own: a build of
all, one after a change of one work, and one after no change. Pages are opened by a browser that has nothing yet, on a
slow line, with the sample content.
"""

import sys
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS, chromium
from tests.browser.loading import Loaded, first_visit
from tests.live import running_server
from tests.site.building import TOOLS, Build, served
from tests.site.fake import folio

from . import machine, report

WORKS = 2_000
ROUNDS = 3
RATIO = 0.2  # of a full build that one after a change may take
FIRST_PAINT = 1.5  # seconds
PAGES = {"grid": "/", "work": "/work/harbour-museum-site/"}

Times = dict[str, list[float]]


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
    times: Times = {"full": [], "changed": [], "unchanged": []}
    with folio(WORKS) as fake, tempfile.TemporaryDirectory(prefix="folio-site-") as folder:
        for number in range(rounds):
            build = Build(Path(folder) / str(number), fake.url)
            build.folder.mkdir()
            times["full"].append(timed(build))
            times["unchanged"].append(timed(build))
            fake.entries[WORKS // 2]["title"] = f"Renamed {number}"
            times["changed"].append(timed(build))
    return times


def timed(build: Build) -> float:
    began = time.perf_counter()
    build.run()
    return time.perf_counter() - began


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
    ratios = [changed / full for changed, full in zip(times["changed"], times["full"], strict=True)]
    return [
        report.Measure("full build", times["full"], "s"),
        report.Measure("build after a change of one work", times["changed"], "s"),
        report.Measure("build after no change", times["unchanged"], "s"),
        report.Measure("build after a change of one work ÷ full build", ratios, at_most=RATIO),
    ]


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
