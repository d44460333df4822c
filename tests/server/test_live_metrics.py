"""A server with several workers that tells Prometheus: the sum of all, whoever answers, and whoever dies."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from folio.server.metrics.measures import HELP
from tests.environment import ROOT, run_folio
from tests.live import Server, postgresql_url, running_server, workers_of
from tests.papers import run_page, terminal
from tests.postgresql import free_port
from tests.tcp import proxy_to

from .metrics import (
    ADDED,
    ALERTS,
    DASHBOARD,
    OF_POSTGRESQL,
    SENDS,
    TOKEN,
    grouped_by,
    labels_of,
    named_in,
    parsed,
    told,
    value,
)

PATIENCE = 60  # seconds
ROW = re.compile(r"^\| `(folio_\w+)` \| (\w+) \|([^|]*)\|", re.MULTILINE)
GUIDE = ROOT / "docs" / "guides" / "monitor.md"
ROUTE = "/api/tags/"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    variables = {"FOLIO_METRICS_TOKEN": TOKEN, "FOLIO_METRICS_PORT": str(free_port()), "FOLIO_TASKS_SECONDS": "3600"}
    with running_server(tmp_path_factory.mktemp("metrics"), "--workers", "3", **variables) as server:
        place = tmp_path_factory.mktemp("backups")
        server.folio("backup", str(place))
        server.folio("backup", str(place), "--every", "24h", "--keep", "2")
        for number in range(30):
            server.session(server.key).get(f"{ROUTE}?limit={number % 3 + 1}")
        server.session(server.key).get("/api/tags/4711/")
        server.session().get(f"/{number}/")
        yield server


def until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def port_of(server: Server) -> str:
    return f"http://127.0.0.1:{server.variables['FOLIO_METRICS_PORT']}/metrics"


def counted(families: dict[str, Any]) -> float:
    return value(families, "folio_requests_total", route=ROUTE)


def test_whichever_worker_is_asked_tells_of_all(server: Server) -> None:
    for _ in range(6):  # by a new connection each, which any worker may take
        for url in ("/metrics", port_of(server)):
            assert counted(told(server, url)) == 30
    families = told(server)
    assert value(families, "folio_requests_total", route="/api/tags/<int:pk>/", status="404") == 1
    assert value(families, "folio_workers") == 3
    assert value(families, "folio_up", part="database") == 1
    until(lambda: len([s for s in told(server)["folio_worker_memory_bytes"].samples if s.value > 10**6]) == 3)


def test_the_last_backup_is_told(server: Server) -> None:
    families = told(server)

    assert 0 <= time.time() - value(families, "folio_backup_last_success_timestamp_seconds") < 3600
    assert value(families, "folio_backup_interval_seconds") == 24 * 3600
    assert value(families, "folio_backup_failures") == 0


def test_a_wrong_token_is_refused_at_both(server: Server) -> None:
    for url in ("/metrics", port_of(server)):
        for headers in ({}, {"Authorization": f"Bearer {TOKEN}x"}):
            answer = server.session().get(url, headers=headers)
            assert answer.status_code == 401
            assert "folio_" not in answer.text
    assert server.session().post(port_of(server), headers=SENDS).status_code == 405
    assert server.session().head(port_of(server), headers=SENDS).headers["Content-Length"] != "0"
    assert server.session().get(port_of(server).replace("/metrics", "/api/tags/"), headers=SENDS).status_code == 404
    assert TOKEN not in server.log.read_text()


def test_it_is_no_host_of_the_api_that_is_asked(server: Server) -> None:
    answer = server.session().get("/metrics", headers={**SENDS, "Host": "any.example"})

    assert answer.status_code == 200


def test_no_count_becomes_less_when_workers_are_killed(server: Server) -> None:
    before = told(server)
    for pid in workers_of(server)[:2]:
        os.kill(pid, signal.SIGKILL)

    until(lambda: value(told_or_nothing(server), "folio_worker_deaths_total") >= 2)
    after = told(server)
    assert counted(after) == counted(before)
    for family in before.values():
        for sample in family.samples if family.type in {"counter", "histogram"} else []:
            assert value(after, sample.name, **sample.labels) >= sample.value, sample
    until(lambda: value(told_or_nothing(server), "folio_workers") == 3)
    server.session(server.key).get(f"{ROUTE}?limit=1")
    until(lambda: counted(told_or_nothing(server)) == counted(before) + 1)
    assert value(told(server), "folio_worker_starts_total") >= 5


def told_or_nothing(server: Server) -> dict[str, Any]:
    try:
        return told(server)
    except requests.ConnectionError:  # the worker that took it was killed
        return {}


# What is written about them


def test_the_guide_names_each_metric_with_its_labels_and_no_other(server: Server) -> None:
    families = told(server)
    labels = labels_of(families.values())
    rows = {name: (kind, set(re.findall(r"`(\w+)`", cell))) for name, kind, cell in ROW.findall(GUIDE.read_text())}
    exported = {}
    for family in families.values():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        sample = f"{name}_count" if family.type == "histogram" else name
        exported[name] = (family.type, labels[sample])
    if not postgresql_url():
        rows = {name: row for name, row in rows.items() if not name.startswith(OF_POSTGRESQL)}

    assert rows == exported


def expressions() -> list[tuple[str, str]]:
    """Return what the dashboard and the alerts ask for, with what each belongs to."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    found = [(panel["title"], target["expr"]) for panel in panels for target in panel.get("targets", [])]
    alerts = re.findall(r"- alert: (\w+)\n\s+expr: (?:\|\n((?:\s{10,}.*\n)+)|(.*)\n)", ALERTS.read_text())
    return found + [(name, block or line) for name, block, line in alerts]


def test_the_dashboard_and_the_alerts_ask_for_what_is_told(server: Server) -> None:
    labels = labels_of(told(server).values())
    asked = expressions()

    assert len(asked) > 60
    for title, expression in asked:
        named = named_in(expression)
        assert named or "up{" in expression, title
        known: set[str] = set(ADDED) | {"le"}
        for name, chosen in named.items():
            if name.startswith(OF_POSTGRESQL) and not postgresql_url():
                continue
            assert name in labels, (title, name)
            assert chosen <= labels[name] | ADDED, (title, name, chosen)
            known |= labels[name]
        assert grouped_by(expression) <= known, title


def test_each_metric_is_on_the_dashboard(server: Server) -> None:
    shown = {name for _, expression in expressions() for name in named_in(expression)}
    missing = [name for name in labels_of(told(server).values()) if name not in shown]

    assert missing == []


@pytest.mark.any_database
def test_the_dashboard_is_one_that_grafana_takes() -> None:
    board = json.loads(DASHBOARD.read_text())

    assert board["title"] == "Folio"
    assert isinstance(board["schemaVersion"], int)
    assert [variable["type"] for variable in board["templating"]["list"]] == ["datasource", "query"]
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert {panel["type"] for panel in panels} <= {"row", "timeseries", "stat"}
    for panel in panels:
        place = panel["gridPos"]
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
            assert panel["fieldConfig"]["defaults"]["unit"]
            assert all('job=~"$job"' in target["expr"] for target in panel["targets"])
    cells = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in panels]
    assert len(set(cells)) == len(cells)


@pytest.mark.any_database
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed.")
def test_prometheus_takes_its_files() -> None:
    done = subprocess.run(["promtool", "check", "config", ALERTS.with_name("prometheus.yml")], capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_is_in_the_guide() -> None:
    alerts = re.findall(r"- alert: (\w+)", ALERTS.read_text())

    assert re.findall(r"^\| `(Folio\w+)` \|", GUIDE.read_text(), re.MULTILINE) == alerts


def test_what_is_told_has_words_for_each_measure(server: Server) -> None:
    families = told(server)
    assert {name for name in HELP if not name.startswith(OF_POSTGRESQL)} <= set(families)
    assert all(family.documentation for family in families.values())


def test_the_guides_commands_print_what_it_shows(tmp_path: Path) -> None:
    port = free_port()
    variables = {"FOLIO_METRICS_TOKEN": TOKEN, "FOLIO_METRICS_PORT": str(port)}
    data = tmp_path / "data"
    data.mkdir()
    with (
        running_server(data, **variables) as server,
        terminal(tmp_path, Path(sys.prefix), server.url, {**os.environ, **variables}) as opened,
    ):
        page = GUIDE.read_text().replace(":9464/", f":{port}/")
        shown = [(answer.printed.strip(), answer.block.text.strip()) for answer in run_page(page, opened)]

    assert len(shown) == 2
    assert [printed for printed, _ in shown] == [text for _, text in shown]


# Servers of their own


def test_nothing_is_told_unless_it_is_asked_for(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        answer = server.session().get("/metrics", headers=SENDS)
        assert "metrics" not in server.log.read_text()

    assert answer.status_code == 404


def test_a_port_that_is_taken_stops_the_start(server: Server, tmp_path: Path) -> None:
    port = server.variables["FOLIO_METRICS_PORT"]
    done = run_folio("serve", "--port", str(free_port()), folder=tmp_path, variables={"FOLIO_METRICS_PORT": port})

    assert done.returncode == 1
    assert f"Can't listen at 127.0.0.1, port {port}" in done.stderr
    assert "Choose another FOLIO_METRICS_HOST or FOLIO_METRICS_PORT." in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not postgresql_url(), reason="SQLite is a file.")
def test_a_database_that_hangs_is_told_as_such_and_keeps_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = int(postgresql_url().rpartition("@")[2].partition("/")[0].rpartition(":")[2])
    with proxy_to(target) as proxy:
        monkeypatch.setenv("DATABASE_URL", proxy.url(postgresql_url()))
        port = free_port()
        with running_server(tmp_path, FOLIO_METRICS_PORT=str(port), FOLIO_LOOK_SECONDS="2") as server:
            url = f"http://127.0.0.1:{port}/metrics"
            assert value(told(server, url), "folio_up", part="database") == 1
            proxy.swallow()
            try:
                until(lambda: value(told(server, url), "folio_up", part="database") == 0)
                until(lambda: "folio_tasks" not in told(server, url))
                began = time.monotonic()
                families = told(server, url)
                took = time.monotonic() - began
            finally:
                proxy.swallow(False)
            assert took < 40
            assert value(families, "folio_workers") == 1
            until(lambda: value(told(server, url), "folio_up", part="database") == 1)
            assert "folio_tasks" in parsed(server.session().get(url).text)
