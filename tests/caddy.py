"""Caddy with the file that Folio comes with, and a server on a unix socket behind it."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .environment import ROOT
from .live import START, beginning, postgresql_url, stop
from .nginx import Backend, Front, end, laid, nginx_user
from .postgresql import free_port
from .programs import found

FILE = ROOT / "deploy" / "Caddyfile"
# Whose words the file has for what is held in memory: Debian's, and those of the release in compose.yaml.
DEBIANS, LATEST = "Debian's", "latest"
WORDS = {DEBIANS: "", LATEST: "_by_later_ones"}
# What the file does not say, so that nothing of this machine is touched: its ports, and its list of authorities.
OWN_LINES = "\thttp_port {plain}\n\thttps_port {port}\n\tskip_install_trust\n"


def find_caddy(which: str) -> str:
    """Return where Caddy is; skip the test where it is not installed, which fails it where everything has to be."""
    if which == LATEST:
        return found(
            shutil.which("caddy", path=Path(sys.executable).parent), "Caddy's package of requirements/dev.txt", ""
        )
    return found(shutil.which("caddy", path="/usr/bin:/usr/sbin"), "Caddy", "caddy")


def environment_of(folder: Path, which: str, admin: int, variables: Mapping[str, str]) -> dict[str, str]:
    """Return what Caddy is told by its environment, in a test: all that it keeps is in a folder."""
    places = {name: str(folder) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    # A server starts in a second or two, and on a machine that does much else in a minute.
    shown = {"CADDY_ADMIN": f"127.0.0.1:{admin}", "WORDS": WORDS[which], "TRY": f"{START}s"}
    return {"PATH": os.environ["PATH"], **places, **shown, **variables}


@contextmanager
def running_caddy(which: str, folder: Path, port: int, plain: int, **variables: str) -> Iterator[Path]:
    """Run Caddy at 127.0.0.1, as nginx's user; yield the certificate by which it is known."""
    program, user = find_caddy(which), nginx_user()
    text = FILE.read_text()
    assert text.count("\n{\n") == 1, FILE
    own = OWN_LINES.format(port=port, plain=plain)
    file = folder / "Caddyfile"
    file.write_text(text.replace("\n{\n", f"\n{{\n{own}", 1))
    environment = environment_of(folder, which, free_port(), {"SITE": "127.0.0.1", **variables})
    as_user = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    log = folder / "error.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # type: ignore[call-overload]
            [program, "run", "--adapter", "caddyfile", "--config", str(file)],
            env=environment,
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            **as_user,
        )
    certificate = folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"
    try:
        limit = time.monotonic() + START
        while not (certificate.exists() and b"certificate obtained successfully" in log.read_bytes()):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < limit, log.read_text()
            time.sleep(0.05)
        yield certificate
        assert process.poll() is None, log.read_text()
    finally:
        stop(process)


@contextmanager
def behind_caddy(which: str, **variables: str) -> Iterator[Front]:
    """Start Caddy before a server of a new installation, which has an admin."""
    find_caddy(which)
    with ExitStack() as stack:
        folder, data, own, variables = laid(stack, "caddy", nginx_user(), variables)
        socket = folder / "folio.sock"
        backend = Backend(socket, data, variables, (), folder / "server.log")
        backend.start()
        stack.callback(end, backend)
        port, plain = free_port(), free_port()
        places = {"UPSTREAM": f"unix/{socket}", "MEDIA_UPSTREAM": f"unix/{socket}", "MEDIA_ROOT": str(data)}
        certificate = stack.enter_context(running_caddy(which, own, port, plain, **places))
        admin = beginning(postgresql_url()).key
        yield Front(port, own, data, variables, admin, plain, certificate, [backend])
