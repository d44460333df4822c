"""Debian's nginx with the file that Folio comes with, and servers on unix sockets behind it."""

import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.programs import found

from .environment import ROOT, environment
from .live import START, Session, begin, beginning, lay_static_files, new_database, postgresql_url, stop
from .postgresql import free_port

FILE = ROOT / "deploy" / "nginx.conf"
USER = "www-data"  # that nginx runs as on Debian
PATIENCE = 30  # seconds that a stop, or nginx's start, may take
OWN_LINES = ("worker_rlimit_nofile 16384;", "events { worker_connections 8192; }")  # of nginx.conf itself
MAIN = """daemon off;
{lines}
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
http {{
    access_log off;
    {temporary}
    include {folder}/site.conf;
}}
"""


@dataclass
class Backend:
    """One of the servers, on a socket of its own."""

    socket: Path
    folder: Path
    variables: dict[str, str]
    flags: tuple[str, ...]
    log: Path
    process: "subprocess.Popen[bytes] | None" = None
    python: tuple[str, ...] = (sys.executable,)  # and what stands before it

    def start(self) -> None:
        """Start it, and return when its socket is there."""
        python_path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*self.python, "-m", "folio", "serve", "--uds", str(self.socket), *self.flags],
                cwd=self.folder,
                env=environment(self.folder, PYTHONPATH=python_path, **self.variables),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        end = time.monotonic() + START
        while not self.socket.exists():
            assert self.process.poll() is None, f"The server ended: {self.log.read_text()}"
            assert time.monotonic() < end, f"The server did not answer: {self.log.read_text()}"
            time.sleep(0.02)

    def stop(self) -> int:
        """Tell it to stop, as a service manager does, and return its status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def restart(self) -> None:
        assert self.stop() == 0, self.log.read_text()
        self.start()


@dataclass
class Front:
    """nginx, and the servers behind it."""

    port: int
    folder: Path  # of nginx
    data: Path
    variables: dict[str, str]
    key: str
    plain_port: int  # that redirects
    certificate: Path | None = None  # of nginx itself, where it speaks TLS
    backends: list[Backend] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http{'s' if self.certificate else ''}://127.0.0.1:{self.port}"

    def session(self, key: str | None = None) -> Session:
        session = Session(self.url, key)
        session.verify = str(self.certificate) if self.certificate else True
        return session

    def errors(self) -> str:
        return (self.folder / "error.log").read_text()


def nginx_path() -> str | None:
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def find_nginx() -> str:
    """Return where nginx is; skip the test where it is not installed, which fails it where everything has to be."""
    return found(nginx_path(), "nginx", "nginx-light")


def replaced(text: str, old: str, new: str) -> str:
    """Replace what stands there once; where it doesn't, the file has changed and this has to."""
    assert text.count(old) == 1, f"{old!r} is not once in {FILE}"
    return text.replace(old, new)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Return a certificate that nobody has signed, and its key, in a folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]), datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    paths = folder / "fullchain.pem", folder / "privkey.pem"
    paths[0].write_bytes(made.add_extension(address, critical=False).sign(key, SHA256()).public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for path in paths:
        path.chmod(0o644)  # it is read by nginx's user, and of no use to anybody
    return paths


def rendered(
    port: int,
    sockets: list[Path],
    plain_port: int | None = None,
    tls: tuple[Path, Path] | None = None,
    data: Path | None = None,
) -> str:
    """Return the file with ports and sockets of a test, and TLS where there is a certificate and its key.

    With `data`, nginx reads media from the disk.
    """
    text = FILE.read_text()
    for name, path in zip("ab", sockets, strict=True):
        text = replaced(text, f"unix:/run/folio-{name}/folio.sock", f"unix:{path}")
    for line in ("listen [::]:80;", "listen [::]:443 ssl http2;"):
        text = replaced(text, line, "")
    text = replaced(text, "listen 80;", f"listen 127.0.0.1:{plain_port or free_port()};")
    text = replaced(text, "listen 443 ssl http2;", f"listen 127.0.0.1:{port}{' ssl http2' if tls else ''};")
    for option, file in zip(("ssl_certificate", "ssl_certificate_key"), tls or ("", ""), strict=True):
        text, count = re.subn(rf" {option} .*;\n", f" {option} {file};\n" if tls else "\n", text)
        assert count == 1, option
    if data is not None:
        start = text.index("    # location ~ ^/media/")
        text = text[:start] + re.sub(r"^    # ?", "    ", text[start:], flags=re.MULTILINE)
        text = replaced(text, "root /srv/folio/data;", f"root {data};")
    return text


def laid(
    stack: ExitStack, proxy: str, user: pwd.struct_passwd | None, variables: dict[str, str]
) -> tuple[Path, Path, Path, dict[str, str]]:
    """Lay a new installation behind a proxy that is going to run as a user, until a stack is left.

    Return the folder of all, in which sockets may be, that of the installation, the proxy's own, and the variables.
    """
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="folio-front-", ignore_cleanup_errors=True)))
    folder.chmod(0o755)
    data, own = folder / "data", folder / proxy
    for place in (data, own):
        place.mkdir()
    if "DATABASE_URL" not in variables:
        variables = {**stack.enter_context(new_database()), **variables}
    if not postgresql_url():
        begin(data)
    lay_static_files(data)
    variables = {"FOLIO_TRUSTED_PROXIES": "unix", "FOLIO_TASKS_SECONDS": "3600", **variables}
    if user is not None:
        variables["FOLIO_MEDIA_GROUP"] = str(user.pw_gid)
        os.chown(own, user.pw_uid, user.pw_gid)
    return folder, data, own, variables


@contextmanager
def behind_nginx(
    *flags: str, servers: int = 2, from_disk: bool = False, tls: bool = False, **variables: str
) -> Iterator[Front]:
    """Start nginx, and one or two servers of a new installation, which has an admin; the other's place stays empty."""
    nginx = find_nginx()
    user = nginx_user()
    with ExitStack() as stack:
        folder, data, own, variables = laid(stack, "nginx", user, variables)
        sockets = [folder / f"{name}.sock" for name in "ab"]
        certificate, key = make_certificate(own) if tls else (None, None)
        admin = beginning(postgresql_url()).key
        front = Front(free_port(), own, data, variables, admin, free_port(), certificate)
        for socket in sockets[:servers]:
            backend = Backend(socket, data, variables, flags, folder / f"{socket.stem}.log")
            front.backends.append(backend)
            backend.start()
            stack.callback(end, backend)
        tls_files = None if certificate is None or key is None else (certificate, key)
        text = rendered(front.port, sockets, front.plain_port, tls_files, data if from_disk else None)
        stack.enter_context(running_nginx(nginx, own, text, user))
        wait_for_nginx(front)
        yield front


@contextmanager
def running_nginx(nginx: str, own: Path, text: str, user: pwd.struct_passwd | None) -> Iterator[list[str]]:
    """Run nginx with a site's file, in a folder of its own, as a user; yield the command that it was started by."""
    (own / "site.conf").write_text(text)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {own}/{kind};" for kind in kinds)
    main = MAIN.format(lines="\n".join(OWN_LINES), folder=own, temporary=temporary)
    (own / "nginx.conf").write_text(main)
    as_user = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    command = [nginx, "-e", str(own / "error.log"), "-p", str(own), "-c", str(own / "nginx.conf")]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, **as_user)  # type: ignore[call-overload]
    assert checked.returncode == 0, checked.stderr
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **as_user)  # type: ignore[call-overload]
    try:
        yield command
        assert process.poll() is None, (own / "error.log").read_text()
    finally:
        stop(process)


def nginx_user() -> pwd.struct_passwd | None:
    """Return the user that nginx is to run as; None where that is who runs the tests."""
    return pwd.getpwnam(USER) if os.geteuid() == 0 else None


def end(backend: Backend) -> None:
    if backend.process is not None:
        stop(backend.process)


def wait_for_nginx(front: Front) -> None:
    limit = time.monotonic() + PATIENCE
    while True:
        try:
            with front.session() as session:
                assert session.get("/api/auth/me/").status_code == 401
        except OSError:
            assert time.monotonic() < limit, front.errors()
            time.sleep(0.05)
        else:
            return
