"""Files in the pages of another origin, in a real browser: captions, fonts, models, Lottie, and PDFs in a frame."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image

from tests.live import Server
from tests.media.kinds import DESIGNS, LOTTIE

from .conftest import Tab, admin_session
from .test_origins import visited

ELSEWHERE = "http://any.localhost:4321"
GLB = next(case[0] for case in DESIGNS if case[4] == "glb")

SHOW_CAPTIONS = """async (address) => {
  const video = document.createElement("video");
  video.crossOrigin = "anonymous";
  const track = document.createElement("track");
  track.src = address;
  track.kind = "captions";
  track.default = true;
  video.append(track);
  document.body.append(video);
  track.track.mode = "showing";
  await new Promise((done, failed) => { track.onload = done; track.onerror = () => failed(new Error("no track")); });
  return [...track.track.cues].map((cue) => cue.text);
}"""
LOAD_FONT = """async (address) => {
  const font = new FontFace("Elsewhere", `url(${address})`);
  document.fonts.add(await font.load());
  const measure = document.createElement("canvas").getContext("2d");
  measure.font = "100px Elsewhere";
  return [font.status, Math.round(measure.measureText("AA").width)];
}"""
FETCH = """async (address) => {
  const answer = await fetch(address);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  return [answer.headers.get("content-type"), bytes.length, String.fromCharCode(...bytes.slice(0, 4))];
}"""
FRAME = """(address) => new Promise((done) => {
  const frame = document.createElement("iframe");
  frame.width = 600;
  frame.height = 400;
  frame.onload = () => done(true);
  setTimeout(() => done(false), 5000);  // a frame that may not be, or is a download, may never load
  frame.src = address;
  document.body.append(frame);
})"""


def font() -> bytes:
    """Return a font whose A is a square, as wide as half of its height."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for point in ((0, 500), (500, 500), (500, 0)):
        pen.lineTo(point)
    pen.closePath()
    square, nothing = pen.glyph(), TTGlyphPen(None).glyph()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "A"])
    builder.setupCharacterMap({65: "A"})
    builder.setupGlyf({".notdef": nothing, "A": square})
    builder.setupHorizontalMetrics({".notdef": (500, 0), "A": (500, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Elsewhere", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    file = io.BytesIO()
    builder.save(file)
    return file.getvalue()


def pdf() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (300, 200), "teal").save(file, "PDF")
    return file.getvalue()


@pytest.fixture
def sent(server: Server) -> Callable[[str, bytes], str]:
    """Return a function that uploads a file and returns its address."""
    session = admin_session(server)

    def send(name: str, content: bytes) -> str:
        response = session.post("/api/media/", files={"file": (name, content)})
        assert response.status_code == 201, response.text
        address: str = response.json()["f"]
        return address

    return send


@pytest.fixture
def elsewhere(tab_for: Callable[..., Tab]) -> Tab:
    """A page of another origin."""
    tab = tab_for(None)
    visited(tab, ELSEWHERE)
    return tab


def run(tab: Tab, script: str, address: str) -> Any:
    return tab.page.evaluate(script, address)


def test_shows_captions(elsewhere: Tab, sent: Callable[[str, bytes], str]) -> None:
    address = sent("captions.vtt", "WEBVTT\n\n00:00.000 --> 00:02.000\nسلام <b>Hello</b>\n".encode())

    assert run(elsewhere, SHOW_CAPTIONS, address) == ["سلام <b>Hello</b>"]
    elsewhere.check_complaints()


def test_loads_a_font(elsewhere: Tab, sent: Callable[[str, bytes], str]) -> None:
    assert run(elsewhere, LOAD_FONT, sent("square.ttf", font())) == ["loaded", 100]
    elsewhere.check_complaints()


def test_fetches_models_and_lottie(elsewhere: Tab, sent: Callable[[str, bytes], str]) -> None:
    model, motion = sent("chair.glb", GLB), sent("wave.lottie", LOTTIE)

    assert run(elsewhere, FETCH, model) == ["model/gltf-binary", len(GLB), "glTF"]
    assert run(elsewhere, FETCH, motion) == ["video/lottie+json", len(LOTTIE), '{"v"']
    assert run(elsewhere, "async (address) => (await fetch(address)).json()", motion) == json.loads(LOTTIE)
    elsewhere.check_complaints()


def test_frames_a_pdf_and_no_other_file(elsewhere: Tab, sent: Callable[[str, bytes], str]) -> None:
    assert run(elsewhere, FRAME, sent("plan.pdf", pdf()))
    elsewhere.page.wait_for_timeout(1500)  # until its viewer has drawn it, for whoever wants to look
    elsewhere.picture("pdf-elsewhere")
    elsewhere.check_complaints()

    run(elsewhere, FRAME, sent("page.txt", b"<h1>Hello</h1>"))
    elsewhere.complaints.clear()
    run(elsewhere, FRAME, sent("page.png", sample_picture()))
    elsewhere.page.wait_for_timeout(500)  # what Chromium says of it comes a moment later

    assert any("X-Frame-Options" in complaint for complaint in elsewhere.complaints)


def sample_picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (30, 20), "teal").save(file, "PNG")
    return file.getvalue()
