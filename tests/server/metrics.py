"""Metrics as tests read them."""

import re
from collections.abc import Iterable

from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.environment import ROOT
from tests.live import Server

TOKEN = "a-token-for-tests-0123456789"
DASHBOARD = ROOT / "deploy" / "grafana-dashboard.json"
ALERTS = ROOT / "deploy" / "alerts.yml"
NAME = re.compile(r"\b(folio_\w+)(?:\{([^}]*)\})?")
MATCHED = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
GROUPED = re.compile(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)")
SENDS = {"Authorization": f"Bearer {TOKEN}"}
ADDED = {"job", "instance"}  # labels that Prometheus adds by itself
OF_POSTGRESQL = "folio_database_pool_"


def parsed(text: str) -> dict[str, Metric]:
    """Return the families of an answer, by Prometheus' own parser."""
    return {family.name: family for family in text_string_to_metric_families(text)}


def told(server: Server, url: str = "/metrics") -> dict[str, Metric]:
    answer = server.session().get(url, headers=SENDS)
    assert answer.status_code == 200, answer.text
    return parsed(answer.text)


def value(families: dict[str, Metric], name: str, **labels: str) -> float:
    """Return the sum of the samples of a name that have these labels; 0 where there is none."""
    samples = [sample for family in families.values() for sample in family.samples if sample.name == name]
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


def labels_of(families: Iterable[Metric]) -> dict[str, set[str]]:
    """Return the labels that the samples of each name have."""
    found: dict[str, set[str]] = {}
    for family in families:
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def named_in(expression: str) -> dict[str, set[str]]:
    """Return the metrics that an expression of PromQL names, each with the labels that it is chosen by."""
    found: dict[str, set[str]] = {}
    for name, chosen in NAME.findall(expression):
        found.setdefault(name, set()).update(MATCHED.findall(chosen))
    return found


def grouped_by(expression: str) -> set[str]:
    return {label.strip() for group in GROUPED.findall(expression) for label in group.split(",") if label.strip()}
