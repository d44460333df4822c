"""What a run found: its measures beside the figures that are aimed at, as a table, as JSON and as a plot."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from .best import Setting, counted
from .load import CONNECTIONS
from .rates import PLAINER, Rates
from .scale import Times
from .search import RARELY, ratios

RESULTS = Path(__file__).with_name("results")
GREY, BROWN, GREEN = "#8a8f98", "#c9743f", "#2f6f73"


@dataclass
class Measure:
    """A figure with its value in each round; `aim` is the least or the most that it should be, if it should."""

    name: str
    values: list[float]
    unit: str = "×"
    at_least: float | None = None
    at_most: float | None = None

    @property
    def value(self) -> float:
        return median(self.values)

    @property
    def is_reached(self) -> bool | None:
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value <= self.at_most

    @property
    def aim(self) -> str:
        if self.at_least is not None:
            return f"at least {shown(self.at_least, self.unit)}"
        return "" if self.at_most is None else f"at most {shown(self.at_most, self.unit)}"

    @property
    def spread(self) -> str:
        if len(self.values) == 1:
            return ""
        return f"{shown(min(self.values), '')} to {shown(max(self.values), self.unit)}"


@dataclass
class Found:
    """All that a run measured: loads of many requests at once, times of single ones, and the worker's own needs."""

    rates: Rates
    best: dict[str, Setting]  # with what the usual way did most, and was measured
    small: Times
    large: Times
    filters: Times
    searches: Times
    usual: Times
    shares: dict[str, float]
    memory: dict[str, float]
    starts: list[float]


def rate_measures(rates: Rates) -> list[Measure]:
    """Return the figures that come of requests a second, in the order in which they are read."""

    def rate(name: str, other: str, at_least: float | None = None) -> Measure:
        pairs = zip(rates[name], rates[other], strict=True)
        return Measure(f"{name} ÷ {other}", [one.rate / two.rate for one, two in pairs], at_least=at_least)

    def both(name: str, other: str, at_least: float) -> list[Measure]:
        """Return a ratio on both contents, the lower one first: it is the one to quote."""
        more = f", {PLAINER}"
        ratios = [rate(f"{name}{more}", f"{other}{more}", at_least), rate(name, other, at_least)]
        return sorted(ratios, key=lambda measure: measure.value)

    return [
        *both("list asked before", "usual list", 200),
        *both("list never asked before", "usual list", 6),
        *both("detail asked before", "usual detail", 50),
        rate("list, first count of a filter", "usual list"),
        rate("list, one write a second", "usual list", 100),
        rate("create", "usual create", 1.5),
        rate("patch", "usual patch"),
        rate("list asked before", "wire", 0.4),
        rate("list asked before, uncompressed", "wire, uncompressed"),
        rate("list, 304", "list asked before", 1),
    ]


def measures(found: Found) -> list[Measure]:
    """Return all figures, in the order in which they are read."""
    slowest = max((name for name in found.filters if is_filter(name)), key=lambda name: median(found.filters[name]))
    first = found.filters["first page"]

    def time(name: str, one: list[float], two: list[float], at_most: float | None = None) -> Measure:
        return Measure(name, [a / b for a, b in zip(one, two, strict=True)], at_most=at_most)

    asked, never = "first page, asked before", "first page"
    return [
        *rate_measures(found.rates),
        Measure(
            f"10-row page compressed ({', '.join(f'{name} {share:.1%}' for name, share in found.shares.items())})",
            [100 * max(found.shares.values())],
            "%",
            at_most=10,
        ),
        time("first page of 100,000 ÷ of 1,000, asked before", found.large[asked], found.small[asked], 1.3),
        time("first page of 100,000 ÷ of 1,000, never asked before", found.large[never], found.small[never], 1.3),
        time("offset 90,000 ÷ first page, never asked before", found.large["far back"], found.large[never], 6),
        time("offset 50,000 ÷ first page, never asked before", found.large["middle"], found.large[never]),
        time(f"slowest filter of 100,000 ({slowest}) ÷ first page", found.filters[slowest], first, 4),
        *(
            time(f"{name} of 100,000 ÷ first page", times, first)
            for name, times in found.filters.items()
            if name.startswith("search=")
        ),
        *(
            Measure(f"search of 100,000, never asked before, {name} ÷ first page", times, at_most=most_of(name))
            for name, times in ratios(found.searches).items()
        ),
        *(Measure(f"usual: {name} of 100,000", times, "ms") for name, times in found.usual.items()),
        Measure("Folio: first page of 100,000, never asked before", found.large[never], "ms"),
        Measure("memory of a worker after fifty reads", [found.memory["fresh"]], "MB"),
        Measure("usual: memory of a worker after fifty reads", [found.memory["usual"]], "MB"),
        Measure("memory of a worker, caches full", [found.memory["full"]], "MB", at_most=200),
        Measure("of it, what it does not share", [found.memory["own"]], "MB"),
        Measure("folio serve, from start to first answer", found.starts, "s", at_most=3),
    ]


def most_of(search: str) -> float | None:
    return 4 if search.partition(", ")[2] in RARELY else None


def is_filter(name: str) -> bool:
    return "=" in name and not name.startswith("search=")


def shown(value: float, unit: str) -> str:
    """Return a figure with three digits that matter and its unit."""
    number = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{number} {unit}".strip()


def table(found: Found, database: str) -> str:
    """Return the run as two tables in Markdown: requests a second, and the figures beside their aims."""
    return f"{table_of_rates(found.rates, found.best, database)}\n\n{table_of(measures(found), database)}"


def table_of_rates(rates: Rates, best: dict[str, Setting], database: str) -> str:
    """Return requests a second as a table in Markdown, and what the usual way was given."""
    lines = [f"| {database} | requests a second | lowest to highest | p50 | p99 |", "|---|---:|---:|---:|---:|"]
    for name, loads in rates.items():
        each = [load.rate for load in loads]
        spread = f"{min(each):,.0f} to {max(each):,.0f}"
        p50, p99 = (
            shown(median(values), "ms") for values in zip(*((load.p50, load.p99) for load in loads), strict=True)
        )
        lines.append(f"| {name} | {median(each):,.0f} | {spread} | {p50} | {p99} |")
    settings = "; ".join(f"{name}: {setting}" for name, setting in best.items())
    given = (
        f"The usual way was given what it did most with ({settings}), Folio its {counted(CONNECTIONS, 'connection')}."
    )
    return "\n".join([*lines, "", given])


def table_of(measures: list[Measure], heading: str) -> str:
    """Return the figures beside their aims as a table in Markdown."""
    lines = [f"| {heading} | figure | lowest to highest | aim | reached |", "|---|---:|---:|---:|---|"]
    for measure in measures:
        reached = {True: "yes", False: "**no**", None: ""}[measure.is_reached]
        value = shown(measure.value, measure.unit)
        lines.append(f"| {measure.name} | {value} | {measure.spread} | {measure.aim} | {reached} |")
    return "\n".join(lines)


def write(found: Found, database: str, machine: dict[str, Any]) -> str:
    """Write the run to `results/` as JSON, table and plot; return the table."""
    name = database.lower()
    text = table(found, database)
    write_figures(name, text, measures(found), machine, found=asdict(found))
    plot(found, database, RESULTS / f"{name}.png")
    return text


def write_figures(name: str, text: str, measures: list[Measure], machine: dict[str, Any], **more: Any) -> None:
    """Write figures to `results/` as JSON, and the text that shows them."""
    RESULTS.mkdir(exist_ok=True)
    figures = [asdict(measure) | {"value": measure.value, "is_reached": measure.is_reached} for measure in measures]
    data = {"machine": machine, "measures": figures, **more}
    (RESULTS / f"{name}.json").write_text(json.dumps(data, indent=1))
    (RESULTS / f"{name}.md").write_text(f"{text}\n")


def plot(found: Found, database: str, path: Path) -> None:
    """Draw the requests a second of all, and the times of the filters, each on a logarithmic scale."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    rates = {name: median(load.rate for load in loads) for name, loads in found.rates.items()}
    times = {name: median(values) for name, values in found.filters.items()}
    times |= {f"usual: {name}": median(values) for name, values in found.usual.items()}
    figure, (left, right) = pyplot.subplots(
        1, 2, figsize=(16, 0.2 * len(times) + 1.2), layout="constrained", gridspec_kw={"width_ratios": [1, 1]}
    )
    bars(left, rates, "{:,.0f}", f"requests a second, one worker, {database}")
    bars(right, times, "{:.1f}", "milliseconds of a page of 100,000 portfolios, never asked before")
    figure.savefig(path, dpi=100)
    pyplot.close(figure)


def bars(axes: Any, values: dict[str, float], form: str, label: str) -> None:
    names = list(values)[::-1]
    drawn = axes.barh(names, [values[name] for name in names], color=[colour(name) for name in names])
    axes.bar_label(drawn, [form.format(values[name]) for name in names], padding=4, fontsize=8)
    axes.set_xscale("log")
    axes.margins(x=0.15, y=0.01)
    axes.set_xlabel(f"{label} (logarithmic)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="y", labelsize=8)


def colour(name: str) -> str:
    return {"wire": GREY, "usua": BROWN}.get(name[:4], GREEN)
