import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand

from folio import __version__
from folio.server.examining.database import read_only
from folio.server.examining.examination import groups, looked_at
from folio.server.examining.findings import FAULTY, FINE, WARNED, Finding, State, status_of
from folio.server.examining.reached import Reached, default_url

WORDS = {FINE: "fine", WARNED: "warnings", FAULTY: "faults"}
WIDTH = max(map(len, State))


class Command(BaseCommand):
    help = "Look at everything around this installation, and say what is wrong with it and what mends it."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="write an object, for scripts")
        parser.add_argument(
            "--url", type=address, help="where the server is asked (default: FOLIO_PUBLIC_URL, or port 8000 of here)"
        )

    def handle(self, *, url: str | None = None, **options: Any) -> None:
        reached = Reached(*default_url()) if url is None else Reached(url, is_public=True)
        read_only()
        found: list[tuple[str, Finding]] = []
        for title, findings in looked_at(groups(reached)):
            found += ((title, finding) for finding in findings)
            if not options["json"]:
                self.tell(title, findings)
        status = status_of(finding for _, finding in found)
        if options["json"]:
            self.stdout.write(json.dumps(document(status, found), indent=1))
        else:
            self.stdout.write(summary([finding for _, finding in found]))
        self.stdout.flush()
        sys.exit(status)

    def tell(self, title: str, findings: list[Finding]) -> None:
        """Write a group at once: what comes next may take a while."""
        styles = {State.OK: self.style.SUCCESS, State.WARNING: self.style.WARNING, State.FAULT: self.style.ERROR}
        self.stdout.write(title)
        for finding in findings:
            style = styles.get(finding.state, str)
            mend = f" {finding.mend}" if finding.mend else ""
            self.stdout.write(f"  {style(finding.state.value.ljust(WIDTH))}  {finding.text}{mend}")
        self.stdout.flush()


def address(text: str) -> str:
    """Return where a server is to be asked; raise ArgumentTypeError for what is no such address."""
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or parts.query or parts.fragment or "@" in parts.netloc:
        raise ArgumentTypeError(f"{text!r} is no address of a server, such as https://api.example.com")
    return text.rstrip("/")


def document(status: int, found: list[tuple[str, Finding]]) -> dict[str, Any]:
    return {
        "status": WORDS[status],
        "version": __version__,
        "findings": [
            {"group": title, "state": finding.state, "text": finding.text, "mend": finding.mend}
            for title, finding in found
        ],
    }


def summary(found: list[Finding]) -> str:
    counts = {state: sum(finding.state == state for finding in found) for state in (State.FAULT, State.WARNING)}
    words = [f"{count} {state}{'s' if count != 1 else ''}" for state, count in counts.items()]
    return f"{len(found)} findings: {' and '.join(words)}."
