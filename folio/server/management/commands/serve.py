from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import checks
from django.core.management.base import BaseCommand, CommandError

from folio.admin import assets
from folio.api.middleware import THREADS
from folio.installation import begin, begin_database, close_to_others
from folio.media.ahead import make_all_ahead
from folio.media.journal import recover
from folio.media.removals import shorten
from folio.portfolios.models import Portfolio
from folio.server.demo import make_demo
from folio.server.listening import METRICS_PORT, local_address, port_number, refuse_taken_port
from folio.server.migrating import migrate, refuse_unmigrated
from folio.server.processes import MIN_THREADS, threads_of
from folio.server.refusing import Refused
from folio.server.running import run
from folio.server.scheduled.schedule import apply_environment
from folio.server.unix_socket import UnixSocket

HOST, PORT = "127.0.0.1", 8000  # where it listens if nothing is said
MAX_WORKERS = 256
MAX_THREADS = 512


class Command(BaseCommand):
    help = "Migrate, then serve the API, the media files and the admin site."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", help=f"address to listen at (default: {HOST})")
        parser.add_argument("--port", type=port_number, help=f"port to listen at (default: {PORT})")
        parser.add_argument(
            "--uds", type=Path, metavar="PATH", help="unix socket to listen at, in the place of an address and a port"
        )
        parser.add_argument(
            "--workers",
            type=count_of("workers", MAX_WORKERS),
            default=1,
            help="number of processes (default: %(default)s)",
        )
        parser.add_argument(
            "--threads",
            type=count_of("threads", MAX_THREADS),
            help=f"requests that each process works at (default: {THREADS} by the number of processes, at least "
            f"{MIN_THREADS})",
        )
        parser.add_argument(
            "--demo", action="store_true", help="first give an empty installation sample content and an admin"
        )
        parser.add_argument(
            "--no-migrate",
            action="store_false",
            dest="is_to_migrate",
            help="refuse a database that lacks migrations, in the place of applying them",
        )

    def handle(
        self,
        *,
        host: str | None = None,
        port: int | None = None,
        uds: Path | None = None,
        workers: int,
        threads: int | None,
        demo: bool,
        is_to_migrate: bool,
        **options: Any,
    ) -> None:
        self.check(fail_level=checks.ERROR)
        unix_socket = prepared_socket(host, port, uds)
        host, port = host or HOST, port or PORT
        refuse_taken_ports(host, port, unix_socket)
        begin_installation(is_to_migrate)
        for line in close_to_others():
            self.say(line)
        if is_to_migrate:
            migrate(self.say)
        if count := recover():
            self.say(f"Cleaned up after {count} interrupted uploads, changes and deletions of files.")
        shorten()
        apply_backups()
        self.make_static_files()
        address = settings.PUBLIC_URL or (local_address(host, port) if unix_socket is None else "http://localhost")
        admin = make_demo(self.say) if demo else None
        if admin:
            self.stdout.write("An admin was made. These are shown only now:")
            self.stdout.write(f"  username    {admin.name}\n  password    {admin.password}\n  API key     {admin.key}")
        self.stdout.write(f"Folio serves {address}")
        self.stdout.write(f"  API docs    {address}/api/docs/")
        self.stdout.write(f"  admin site  {address}/admin/")
        self.tell_socket(unix_socket)
        self.tell_metrics(address)
        make_all_ahead()
        if settings.PUBLIC_READ:
            self.stdout.write(f"  public      {address}/api/public/portfolios/ ({what_is_public()})")
        if admin:
            curl = "curl" if unix_socket is None else f"curl --unix-socket {unix_socket.path}"
            self.stdout.write("Try:")
            if settings.PUBLIC_READ:
                self.stdout.write(f"  {curl} '{address}/api/public/portfolios/?limit=2'")
            self.stdout.write(f"  {curl} -H 'Authorization: Token {admin.key}' '{address}/api/portfolios/?limit=2'")
        elif not get_user_model().objects.exists():
            self.stdout.write("No user exists yet. Make an admin with a password, or with a key:")
            self.stdout.write("  folio createsuperuser\n  folio createtoken NAME --admin")
        self.stdout.flush()
        run(host, port, workers, threads or threads_of(workers), unix_socket)

    def make_static_files(self) -> None:
        """Compress the admin site's files, once for each version; where that can't be, they go out as they are."""
        try:
            if not settings.DEBUG:
                assets.make()
        except OSError as error:
            self.stderr.write(f"The admin site's files are served uncompressed: {error}")

    def tell_socket(self, unix_socket: UnixSocket | None) -> None:
        """Say where the socket is and who may connect, and what is missing for clients to have addresses there."""
        if unix_socket is None:
            return
        self.stdout.write(f"  unix socket {unix_socket.told()}")
        if not settings.TRUST_UNIX:
            self.stdout.write(
                "Clients have no addresses on a unix socket. Put the word unix into FOLIO_TRUSTED_PROXIES, so that the "
                "proxy's word on them is believed."
            )

    def tell_metrics(self, address: str) -> None:
        """Say where Prometheus finds what the server tells, where it does."""
        by_token = " (by the token of FOLIO_METRICS_TOKEN)" if settings.METRICS_TOKEN else ""
        if settings.METRICS_PORT:
            address = local_address(settings.METRICS_HOST, settings.METRICS_PORT)
        if settings.METRICS:
            self.stdout.write(f"  metrics     {address}/metrics{by_token}")

    def say(self, line: str) -> None:
        """Write a line at once: what comes next may take a while."""
        self.stdout.write(line)
        self.stdout.flush()


def prepared_socket(host: str | None, port: int | None, path: Path | None) -> UnixSocket | None:
    """Return the unix socket to listen at, if one is named; raise CommandError where it can't be had."""
    if path is None:
        return None
    if (host, port) != (None, None):
        raise CommandError("--uds takes the place of --host and --port: leave these out.")
    unix_socket = UnixSocket(path)
    unix_socket.prepare()
    return unix_socket


def refuse_taken_ports(host: str, port: int, unix_socket: UnixSocket | None) -> None:
    """Raise CommandError where a port can't be had, before a start makes or changes anything."""
    if unix_socket is None:
        refuse_taken_port(host, port)
    if settings.METRICS_PORT:
        refuse_taken_port(settings.METRICS_HOST, settings.METRICS_PORT, METRICS_PORT)


def begin_installation(is_to_migrate: bool) -> None:
    """Make what is missing of the installation; where nothing is to be migrated, its database has to be there."""
    if not is_to_migrate:
        refuse_unmigrated()
    begin()
    if is_to_migrate:
        begin_database()


def apply_backups() -> None:
    """Have the environment's schedule of backups hold; raise CommandError for one that can't be meant."""
    try:
        apply_environment()
    except Refused as error:
        raise CommandError(str(error)) from error


def count_of(noun: str, most: int) -> Callable[[str], int]:
    """Return a parser of an option that says how many of them there are to be."""

    def parse(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise ArgumentTypeError(f"{text!r} is no number of {noun} from 1 to {most}")
        return int(text)

    return parse


def what_is_public() -> str:
    """Say how many entries anyone can read."""
    count = Portfolio.objects.published().count()
    return "1 entry, which anyone can read" if count == 1 else f"{count:,} entries, which anyone can read"
