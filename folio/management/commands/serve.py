import ctypes
import gc
import os
import resource
import secrets
import socket
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import checks
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from folio.access.models import Token
from folio.admin import assets
from folio.api.middleware import THREADS, THREADS_VARIABLE
from folio.installation import begin, begin_database, close_to_others, make_file
from folio.logs import SERVER
from folio.media.ahead import make_all_ahead
from folio.media.journal import recover
from folio.media.removals import shorten
from folio.portfolios.models import Portfolio
from folio.portfolios.searching.due import follow_migrations, is_outdated
from folio.sample.loading import InstallationNotEmpty, load_sample

MIGRATION_LOCK = 0x666F6C696F  # any number of ours: the servers of one installation migrate one after another
ADMIN = "admin"
MAX_WORKERS = 256
MAX_THREADS = 512
# An upload holds a thread for as long as its client sends. The workers share so many, and each has some of its own; the
# reasons and the measurement are in docs/decisions/0010-threads-and-connections.md.
MIN_THREADS = 8
MAX_FILES = 8192
STOP_SECONDS = 8  # for requests to end when the server is stopped; container engines kill after ten
BACKPRESSURE = 1024  # connections that a worker holds, also those on which nothing is asked
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # glibc's numbers for them


class Command(BaseCommand):
    help = "Migrate, then serve the API, the media files and the admin site."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: %(default)s)")
        parser.add_argument("--port", type=port_number, default=8000, help="port to listen at (default: %(default)s)")
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

    def handle(self, *, host: str, port: int, workers: int, threads: int | None, demo: bool, **options: Any) -> None:
        self.check(fail_level=checks.ERROR)
        refuse_taken_port(host, port)
        begin()
        begin_database()
        for line in close_to_others():
            self.say(line)
        self.migrate()
        if count := recover():
            self.say(f"Cleaned up after {count} interrupted uploads, changes and deletions of files.")
        shorten()
        self.make_static_files()
        address = settings.PUBLIC_URL or local_address(host, port)
        key = self.make_demo() if demo else None
        self.stdout.write(f"Folio serves {address}")
        self.stdout.write(f"  API docs    {address}/api/docs/")
        self.stdout.write(f"  admin site  {address}/admin/")
        make_all_ahead()
        if settings.PUBLIC_READ:
            self.stdout.write(f"  public      {address}/api/public/portfolios/ ({what_is_public()})")
        if key:
            self.stdout.write("Try:")
            if settings.PUBLIC_READ:
                self.stdout.write(f"  curl '{address}/api/public/portfolios/?limit=2'")
            self.stdout.write(f"  curl -H 'Authorization: Token {key}' '{address}/api/portfolios/?limit=2'")
        elif not get_user_model().objects.exists():
            self.stdout.write("No user exists yet. Make an admin with a password, or with a key:")
            self.stdout.write("  folio createsuperuser\n  folio createtoken NAME --admin")
        self.stdout.flush()
        connection.close()
        give_back_memory()
        share_memory()
        raise_file_limit()
        threads = threads or threads_of(workers)
        os.environ[THREADS_VARIABLE] = str(threads)
        Granian(
            "folio.wsgi:application",
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            workers=workers,
            blocking_threads=threads,
            backpressure=BACKPRESSURE,
            # A worker that dies is replaced; where that one dies at once too, the server ends, which its manager sees.
            respawn_failed_workers=True,
            workers_kill_timeout=STOP_SECONDS,
            log_level=LogLevels.info,  # of which `folio.logs` shows what a worker's death leads to
            log_dictconfig={"loggers": {SERVER: {"propagate": True}}},
        ).serve()

    def migrate(self) -> None:
        with one_at_a_time():
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                self.say("Migrating the database ...")
                call_command("migrate", interactive=False, verbosity=0)
            if is_outdated():  # after a migration it never is; a newer Python may know other letters
                self.say("Folding all texts for the search ...")
                follow_migrations()

    def make_static_files(self) -> None:
        """Compress the admin site's files, once for each version; where that can't be, they go out as they are."""
        try:
            if not settings.DEBUG:
                assets.make()
        except OSError as error:
            self.stderr.write(f"The admin site's files are served uncompressed: {error}")

    def say(self, line: str) -> None:
        """Write a line at once: what comes next may take a while."""
        self.stdout.write(line)
        self.stdout.flush()

    def make_demo(self) -> str | None:
        """Give an installation without users and content both; return the admin's key, or None for any other."""
        if get_user_model().objects.exists():
            return None
        try:
            load_sample(self.say)
        except InstallationNotEmpty:
            return None
        self.open_to_public()
        password = secrets.token_urlsafe(12)
        admin = get_user_model().objects.create_superuser(ADMIN, password=password)
        _, key = Token.objects.issue(admin, name="demo")
        self.stdout.write("An admin was made. These are shown only now:")
        self.stdout.write(f"  username    {ADMIN}\n  password    {password}\n  API key     {key}")
        return key

    def open_to_public(self) -> None:
        """Let visitors read what was just made for them, from now on; the variable, where it is set, decides."""
        make_file(settings.PUBLIC_READ_MARK)
        if not os.environ.get("FOLIO_PUBLIC_READ", "").strip():
            settings.PUBLIC_READ = True


def what_is_public() -> str:
    """Say how many entries anyone can read."""
    count = Portfolio.objects.published().count()
    return "1 entry, which anyone can read" if count == 1 else f"{count:,} entries, which anyone can read"


def give_back_memory() -> None:
    """Have glibc return what is freed to the system: it would keep an arena for each thread, and large pieces in them.

    The workers are forked from this process and inherit it. Other systems have no such function, nor the habit.
    """
    with suppress(OSError, AttributeError):
        allocator = ctypes.CDLL(None)
        allocator.mallopt(M_ARENA_MAX, 2)
        allocator.mallopt(M_MMAP_THRESHOLD, 64 * 1024)


def share_memory() -> None:
    """Leave what is loaded as it lies: each worker that looked through it for garbage would get a copy of its own."""
    gc.collect()
    gc.freeze()


def raise_file_limit() -> None:
    """Allow the workers more open files than the 1,024 that are usual: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # macOS names a limit that it does not grant
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def threads_of(workers: int) -> int:
    """Return how many threads each of the workers gets by default."""
    return max(MIN_THREADS, THREADS // workers)


def local_address(host: str, port: int) -> str:
    """Return a URL by which this machine reaches a server that listens there."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 nothing is bound here
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def port_number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise ArgumentTypeError(f"{text!r} is no port from 1 to 65535")
    return int(text)


def count_of(noun: str, most: int) -> Callable[[str], int]:
    """Return a parser of an option that says how many of them there are to be."""

    def parse(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise ArgumentTypeError(f"{text!r} is no number of {noun} from 1 to {most}")
        return int(text)

    return parse


def refuse_taken_port(host: str, port: int) -> None:
    """Raise CommandError where the port can't be had: the HTTP server itself would share it with its other owner."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CommandError(
            f"Can't listen at {host}, port {port}: {error.strerror}. Choose another --host or --port."
        ) from error


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Keep other servers that start on the same PostgreSQL database from migrating meanwhile.

    On SQLite each migration begins by taking the file's one write lock, and the loser finds it applied.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])
