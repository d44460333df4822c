"""A second try for tests that start programs: on a busy machine one of thousands waits for longer than it may.

What fails twice has failed, and so has a run in which many needed a second try: something is wrong then, if not always.
Each is named at the end of the run. docs/decisions/0066-second-tries.md has the reasons.
"""

import pytest

from . import databases

MOST = 5  # second tries of one run
NO_SECOND = r"Timeout \(>|watched"  # what hung for five minutes would do so again; what starts Folio unseen always does


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if databases.has_a_server(item):
            item.add_marker(pytest.mark.flaky(reruns=1, rerun_except=[NO_SECOND]))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run of which too many tests needed a second try; with xdist, in the process that has the others test."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    tries = len(reporter.stats.get("rerun", [])) if reporter else 0
    if tries > MOST and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    tried = terminalreporter.stats.get("rerun", [])
    if tried:
        terminalreporter.section("tests that were tried a second time")
        for report in tried:
            why = report.longreprtext.strip().splitlines()
            terminalreporter.line(f"{report.nodeid} ({report.when}): {why[-1] if why else ''}")
        if len(tried) > MOST:
            terminalreporter.line(f"More than {MOST}: the run has failed, for not all of them can be chance.")
