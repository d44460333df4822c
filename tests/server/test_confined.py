"""Folio does all of its work under what deploy/folio.service has the kernel refuse."""

import ctypes
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
import requests
from PIL import Image

from folio.media.decoder import NICENESS
from tests import confined
from tests.environment import ROOT
from tests.factories import draw
from tests.live import begin, beginning, lay_static_files, new_database, photograph, postgresql_url
from tests.media.filmed import film
from tests.media.heic import heic
from tests.nginx import Backend, end, nginx_user
from tests.programs import found

UNIT = ROOT / "deploy" / "folio.service"
DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><rect width="40" height="30"/></svg>'


def confining() -> tuple[str, ...]:
    """Return what stands before a command to confine it; skip where that can't be."""
    found("yes" if has_library() else None, "libseccomp", "libseccomp2")
    found(
        next((place for place in ("/usr/bin", "/bin") if os.access(f"{place}/systemd-analyze", os.X_OK)), None),
        "systemd-analyze",
        "systemd",
    )
    return (sys.executable, "-m", "tests.confined", str(UNIT), "--")


def has_library() -> bool:
    try:
        ctypes.CDLL(confined.LIBRARY)
    except OSError:
        return False
    return True


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("what", "wanted"),
    [
        ("import mmap; mmap.mmap(-1, 4096, prot=7)", "PermissionError"),
        ("import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)", "PermissionError"),
        ("import os; os.chroot('/')", "PermissionError"),
        ("import ctypes; print(ctypes.CDLL(None, use_errno=True).unshare(0x10000000), ctypes.get_errno())", "-1 1"),
        ("import os; os.setuid(65534)", "PermissionError"),
        ("import socket, os; socket.socket(); os.nice(3); print('as ever')", "as ever"),
    ],
)
def test_what_the_unit_forbids_is_refused_here(what: str, wanted: str) -> None:
    """Else what follows would show nothing."""
    command = [*confining(), sys.executable, "-c", what]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)

    assert wanted in done.stdout + done.stderr


def test_pictures_films_and_documents_are_decoded_and_a_stop_is_clean(tmp_path: Path) -> None:
    user = nginx_user()
    pdf = BytesIO()
    Image.new("RGB", (60, 80), "teal").save(pdf, "PDF")
    files = {
        "china.jpg": photograph("china.jpg"),
        "drawn.png": draw(),
        "drawn.avif": draw(format="AVIF"),
        "phone.heic": heic(),
        "drawing.svg": DRAWING,
        "paper.pdf": pdf.getvalue(),
        "film.mp4": film(),
    }
    with new_database() as variables:
        if not postgresql_url():
            begin(tmp_path)
        lay_static_files(tmp_path)
        if user is not None:
            variables = {**variables, "FOLIO_MEDIA_GROUP": str(user.pw_gid)}  # whose folders have the set-group-ID bit
        socket = tmp_path / "folio.sock"
        flags, python = ("--workers", "2"), (*confining(), sys.executable)
        variables = {**variables, "FOLIO_TRUSTED_PROXIES": "unix"}
        backend = Backend(socket, tmp_path, variables, flags, tmp_path / "log", python=python)
        try:
            backend.start()
            answers = {name: upload(socket, name, content) for name, content in files.items()}
            status = backend.stop()
        finally:
            end(backend)
    log = backend.log.read_text()

    assert {name: answer["status"] for name, answer in answers.items()} == dict.fromkeys(files, 201)
    assert {name for name, answer in answers.items() if not answer["thumbnails"]} == set()
    assert status == 0, log
    for word in ("Traceback", "ERROR", "Operation not permitted"):
        assert word not in log, log
    assert NICENESS > 0, "a decoder lowers its priority, which is one of what it has to be allowed"


def upload(socket: Path, name: str, content: bytes) -> dict[str, object]:
    """Upload a file by a unix socket, with curl, and tell the status and how many thumbnails there are."""
    key = beginning(postgresql_url()).key
    request = requests.Request("POST", "http://localhost/api/media/", files={"file": (name, content)}).prepare()
    command = ["curl", "-s", "-w", "\n%{http_code}", "--unix-socket", str(socket), "--data-binary", "@-"]
    command += ["-H", f"Authorization: Token {key}", "-H", f"Content-Type: {request.headers['Content-Type']}"]
    told = subprocess.run([*command, request.url or ""], input=request.body, capture_output=True, timeout=120)
    body, _, status = told.stdout.decode().rpartition("\n")
    return {"status": int(status), "thumbnails": body.count("_thumbnail_"), "body": body}
