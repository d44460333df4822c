"""What a hundred times as many portfolios cost: single requests, one after another, in milliseconds."""

import random
from collections.abc import Iterable
from statistics import median

from .load import Client
from .processes import LIST, Installation, folio, usual_of

FAR = 0.9  # of the portfolios are skipped for the page that lies far back, and half of them for the one in the middle
ASKED = 200  # times that a page asked before is asked in each round
USUAL_REQUESTS = 5  # for each of the usual list's times, some of which are long
FEW = 17  # rows; a filter that leaves no more has all of them on its one page
SEARCHES = ("search=harbour", "search=harbour+museum+2024", "search=nowhere")

# What is asked of each filter: much, about half, little. The dates fit those in `data.py`.
FILTERS = {
    "id_min": ("10", "50000", "99990"),
    "id_max": ("99990", "50000", "12"),
    "order_min": ("0", "10", "19"),
    "order_max": ("19", "10", "0"),
    "created_date": ("2022-06-01",),
    "updated_date": ("2022-06-01",),
    "created_from": ("2020-01-02", "2022-06-01", "2025-06-22"),
    "created_to": ("2025-06-22", "2022-06-01", "2020-01-01"),
    "updated_from": ("2020-01-02", "2022-06-01", "2026-06-10"),
    "updated_to": ("2026-06-10", "2022-06-01", "2020-01-10"),
    "completed_at_from": ("2020-01-02", "2022-06-01", "2025-06-22"),
    "completed_at_to": ("2025-06-22", "2022-06-01", "2020-01-01"),
    "has_image": ("true", "false"),
    "has_description": ("true", "false"),
    "has_employer": ("true", "false"),
    "employer_id": ("1", "30", "990"),
    "tag_id": ("1", "20", "200"),
    "tags_in": ("1,2,3,4,5", "50,60", "199,200"),
    "is_active": ("true", "false"),
    "slug": ("",),  # filled in with one that exists
}
NOT_FILTERS = {"limit", "offset", "ordering", "search"}


Times = dict[str, list[float]]  # milliseconds: each round's median


def page_times(installation: Installation, rounds: int) -> Times:
    """Return the times of the first page, asked before and not, and of pages far back where there are enough."""
    far = int(installation.portfolios * FAR) if installation.portfolios > 10_000 else 0
    offsets = {"first page": 0, **({"middle": far * 5 // 9, "far back": far} if far else {})}
    found: Times = {"first page, asked before": [], **{name: [] for name in offsets}}
    with folio(installation) as served, served.client() as client:
        for turn in range(rounds):
            begin_snapshot(client, turn)
            for name, offset in offsets.items():
                found[name].append(median(times(client, "", range(offset, offset + 5))))
            found["first page, asked before"].append(median(client.time(f"{LIST}?limit=10") for _ in range(ASKED)))
    return found


def filter_times(installation: Installation, rounds: int) -> Times:
    """Return the times of the first page, of each query by a filter and of the searches, never asked before."""
    with folio(installation) as served, served.client() as client:
        found: Times = {query: [] for query in ("", *filter_queries(client), *SEARCHES)}
        for turn in range(rounds):
            begin_snapshot(client, turn)
            for query, medians in found.items():
                count = client.get(f"{LIST}?{query}&limit=1").json()["count"]
                medians.append(median(times(client, query, range(5) if count > FEW else [])))
    return {query or "first page": medians for query, medians in found.items()}


def usual_times(installation: Installation) -> Times:
    """Return what the usual list takes for its first page and for the searches."""
    with usual_of(installation) as server, server.client() as client:
        return {
            query or "first page": [client.time(f"{LIST}?limit=10&{query}") for _ in range(USUAL_REQUESTS)]
            for query in ("", *SEARCHES)
        }


def times(client: Client, query: str, offsets: Iterable[int], address: str = LIST) -> list[float]:
    """Return what pages take that were never asked for, their count known and their rows' documents ready.

    They begin at each of the offsets in turn. Without any, all begin at the first row and each shows the few there are.
    """
    starts = list(offsets)
    windows = [(start, limit) for start in starts for limit in range(8, 13)] or [(0, limit) for limit in range(20, 45)]
    random.Random(1).shuffle(windows)
    path = f"{address}?{query}&" if query else f"{address}?"
    client.get(f"{path}limit=100&offset={starts[0] if starts else 0}")
    return [client.time(f"{path}limit={limit}&offset={start}") for start, limit in windows]


def begin_snapshot(client: Client, turn: int) -> None:
    """Change something, which empties the caches."""
    answer = client.patch(f"{LIST}1/", {"excerpt": f"Changed in round {turn}."})
    assert answer.status == 200, answer.body


def filter_queries(client: Client) -> list[str]:
    """Return what is asked of each filter; raise AssertionError where the API has one that is not measured."""
    schema = client.get("/api/schema/").json()
    known = {parameter["name"] for parameter in schema["paths"][LIST]["get"]["parameters"]}
    assert known - NOT_FILTERS == set(FILTERS), known ^ set(FILTERS)
    slug = client.get(f"{LIST}?limit=1").json()["results"][0]["slug"]
    return [f"{name}={value or slug}" for name, values in FILTERS.items() for value in values]
