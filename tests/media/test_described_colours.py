"""Pictures that tell their colours by numbers (nclx, cICP) or by gamma and primaries look as those say."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image, ImageCms

from folio.media.colours import BT_709, Curve, Description, coloured, in_srgb, is_wide, of_numbers, profile_of
from folio.media.decoder import prepared
from folio.media.opening import open_image
from folio.media.orders import Decoded, Prepare
from folio.media.privacy import write_without_private_data
from folio.media.rendering import Wanted, render
from folio.media.standing_in import open_in_srgb, open_placeholder
from folio.media.telling import tell
from folio.media.thumbnails import render_thumbnails

from . import described_images as images
from .coloured_images import LIMIT, decode, encode, fields, png
from .described_images import (
    DIM,
    P3_IN_CHRM,
    SRGB_IN_CHRM,
    VIVID,
    Chunk,
    Rgb,
    box,
    cicp,
    clli,
    described_avif,
    described_png,
    four_fields,
    furthest,
    gama,
    hlg_in_srgb,
    iccp,
    mdcv,
    nclx,
    power,
    pq_in_srgb,
    seen,
    srgb,
)

pytestmark = pytest.mark.any_database

EXACT = 2  # of 255: of 8 bits that are brought into 8 others
ENCODED = 8  # of 255: what an encoder that loses something may change
BRIGHT: tuple[Rgb, ...] = ((200, 170, 160), (150, 190, 160), (140, 150, 210), (180, 180, 180))


def expected(colours: tuple[Rgb, ...], primaries: int, transfer: Callable[[float], float]) -> list[Rgb]:
    return images.in_srgb(colours, primaries, transfer)


LOOKS: list[tuple[str, BytesIO, list[Rgb], int]] = [
    ("nclx-p3", described_avif(VIVID, nclx(12, 13)), expected(VIVID, 12, srgb), ENCODED),
    ("nclx-2020", described_avif(VIVID, nclx(9, 14)), expected(VIVID, 9, srgb), ENCODED),
    ("nclx-2020-unspecified", described_avif(VIVID, nclx(9, 2)), expected(VIVID, 9, srgb), ENCODED),
    ("nclx-linear", described_avif(VIVID, nclx(1, 8)), expected(VIVID, 1, power(1)), ENCODED),
    ("nclx-gamma", described_avif(VIVID, nclx(2, 5)), expected(VIVID, 1, power(2.8)), ENCODED),
    ("nclx-pq", described_avif(DIM, nclx(9, 16)), pq_in_srgb(DIM, 9), ENCODED),
    ("nclx-pq-bright", described_avif(BRIGHT, nclx(9, 16)), pq_in_srgb(BRIGHT, 9), ENCODED),
    (
        "nclx-pq-4000",
        described_avif(BRIGHT, nclx(12, 16), (b"clli", struct.pack(">HH", 4000, 200))),
        pq_in_srgb(BRIGHT, 12, 4000),
        ENCODED,
    ),
    ("nclx-hlg", described_avif(VIVID, nclx(9, 18)), hlg_in_srgb(VIVID, 9), ENCODED),
    ("nclx-unknown", described_avif(VIVID, nclx(77, 99)), list(VIVID), ENCODED),
    ("cicp-p3", described_png(VIVID, cicp(12, 13)), expected(VIVID, 12, srgb), EXACT),
    ("cicp-2020", described_png(VIVID, cicp(9, 13)), expected(VIVID, 9, srgb), EXACT),
    ("cicp-2020-films", described_png(VIVID, cicp(9, 14)), expected(VIVID, 9, power(2.4)), EXACT),
    ("cicp-709-films", described_png(VIVID, cicp(1, 1)), expected(VIVID, 1, power(2.4)), EXACT),
    ("cicp-pq", described_png(BRIGHT, cicp(9, 16)), pq_in_srgb(BRIGHT, 9), EXACT),
    ("cicp-pq-p3", described_png(DIM, cicp(12, 16)), pq_in_srgb(DIM, 12), EXACT),
    ("cicp-pq-400", described_png(DIM, cicp(9, 16), clli(400)), pq_in_srgb(DIM, 9, 400), EXACT),
    ("cicp-pq-screen", described_png(BRIGHT, cicp(9, 16), mdcv(2000)), pq_in_srgb(BRIGHT, 9, 2000), EXACT),
    ("cicp-pq-both", described_png(DIM, cicp(9, 16), mdcv(2000), clli(600)), pq_in_srgb(DIM, 9, 600), EXACT),
    ("cicp-pq-none", described_png(BRIGHT, cicp(9, 16), clli(0), mdcv(4000)), pq_in_srgb(BRIGHT, 9, 4000), EXACT),
    ("cicp-hlg", described_png(VIVID, cicp(9, 18)), hlg_in_srgb(VIVID, 9), EXACT),
    ("cicp-hlg-p3", described_png(BRIGHT, cicp(12, 18)), hlg_in_srgb(BRIGHT, 12), EXACT),
    ("gamma-linear", described_png(VIVID, gama(1)), expected(VIVID, 1, power(1)), EXACT),
    ("gamma-1.8", described_png(VIVID, gama(1 / 1.8)), expected(VIVID, 1, power(1.8)), EXACT),
    ("gamma-usual", described_png(VIVID, gama(0.45455)), list(VIVID), 0),
    ("gamma-almost-usual", described_png(VIVID, gama(0.475)), list(VIVID), 0),
    ("gamma-none", described_png(VIVID, gama(0)), list(VIVID), 0),
    ("chromaticities-alone", described_png(VIVID, (b"cHRM", P3_IN_CHRM)), list(VIVID), 0),
    (
        "gamma-p3",
        described_png(VIVID, gama(0.45455), (b"cHRM", P3_IN_CHRM)),
        expected(VIVID, 12, power(2.2)),
        EXACT,
    ),
    (
        "gamma-2.2",
        described_png(VIVID, gama(0.45455), (b"cHRM", SRGB_IN_CHRM)),
        expected(VIVID, 1, power(2.2)),
        EXACT,
    ),
]
IDS = [look[0] for look in LOOKS]


@pytest.mark.parametrize(("file", "expected", "tolerance"), [look[1:] for look in LOOKS], ids=IDS)
def test_thumbnails_look_as_the_picture_says(file: BytesIO, expected: list[Rgb], tolerance: int) -> None:
    for edge, data in render_thumbnails(file).items():
        assert furthest(seen(data), expected) <= tolerance, edge


@pytest.mark.parametrize(("file", "expected"), [look[1:3] for look in LOOKS], ids=IDS)
@pytest.mark.parametrize("extension", ["avif", "webp", "jpg", "png"])
def test_variants_look_as_the_picture_says(extension: str, file: BytesIO, expected: list[Rgb]) -> None:
    (made,) = render(file, [Wanted(extension, 120)], LIMIT)

    assert furthest(seen(made), expected) <= ENCODED + 2


@pytest.mark.parametrize(("file", "expected"), [look[1:3] for look in LOOKS], ids=IDS)
def test_what_stands_in_for_a_picture_looks_as_it_says(file: BytesIO, expected: list[Rgb]) -> None:
    answer = prepared(Prepare(LIMIT, "all"), file, None)

    assert isinstance(answer, Decoded)
    tiny = open_placeholder(answer.placeholder).convert("RGB")
    assert furthest([colour[:3] for colour in fields(tiny)], expected) <= 40  # 16 pixels, in a few bytes
    number = int(answer.dominant_color[1:], 16)
    dominant = (number >> 16, number >> 8 & 255, number & 255)
    assert min(furthest([dominant], [field]) for field in expected) <= 12


# What becomes of a description


@pytest.mark.parametrize(
    "file", [described_avif(VIVID, nclx(12, 13)), described_png(VIVID, cicp(9, 13))], ids=["p3", "2020"]
)
def test_wide_gamut_stays_wide_by_a_short_profile(file: BytesIO) -> None:
    for data in render_thumbnails(file).values():
        profile = decode(data).info["icc_profile"]
        assert len(profile) <= 512
        assert furthest([colour[:3] for colour in fields(decode(data))], VIVID) <= ENCODED  # not brought into sRGB


@pytest.mark.parametrize(
    "file",
    [
        described_png(VIVID, cicp(1, 13)),
        described_png(VIVID, gama(1)),
        described_png(VIVID, cicp(6, 13)),
        described_png(VIVID, cicp(9, 8)),
        described_avif(VIVID, nclx(9, 16)),
        described_avif(VIVID, nclx(9, 18)),
    ],
    ids=["srgb", "gamma", "bt601", "linear", "pq", "hlg"],
)
def test_all_else_is_srgb_without_a_profile(file: BytesIO) -> None:
    for data in render_thumbnails(file).values():
        assert "icc_profile" not in decode(data).info
    for data in render(file, [Wanted(extension, 60) for extension in ("avif", "webp", "jpg", "png")], LIMIT):
        assert "icc_profile" not in decode(data).info


@pytest.mark.parametrize(
    ("primaries", "is_wider"), [(1, False), (4, True), (5, False), (6, False), (7, False), (9, True), (12, True)]
)
def test_tells_which_primaries_have_more_than_srgb(primaries: int, is_wider: bool) -> None:
    description = of_numbers(primaries, 4)

    assert description
    assert is_wide(description) is is_wider


def test_a_profile_says_the_same_to_others() -> None:
    description = of_numbers(12, 13)
    assert description
    profile = ImageCms.ImageCmsProfile(BytesIO(profile_of(description) or b""))

    assert ImageCms.getProfileDescription(profile).strip() == "Display P3"
    assert profile.profile.version == pytest.approx(4.2)
    # Apple's profile of the same name, and the whites of all profiles.
    red, green, blue = (getattr(profile.profile, f"{name}_colorant")[0] for name in ("red", "green", "blue"))
    white = profile.profile.media_white_point
    assert white
    assert red == pytest.approx((0.5151, 0.2412, -0.0011), abs=2e-4)
    assert green == pytest.approx((0.2920, 0.6922, 0.0419), abs=2e-4)
    assert blue == pytest.approx((0.1571, 0.0666, 0.7841), abs=2e-4)
    assert white[0] == pytest.approx((0.9642, 1.0, 0.8249), abs=1e-3)


def test_transparency_stays_what_it_is() -> None:
    image = Image.new("RGBA", (2, 1))
    image.putpixel((0, 0), (200, 100, 50, 128))
    for transfer in (8, 16):
        description = of_numbers(9, transfer)
        assert description
        made = coloured(image, {"colours": description}).image
        assert made.mode == "RGBA"
        assert made.getchannel("A").tobytes() == b"\x80\0"


@pytest.mark.parametrize(("transfer", "look"), [(8, power(1)), (4, power(2.2))], ids=["linear", "gamma"])
def test_grays_follow_their_curve(transfer: int, look: Callable[[float], float]) -> None:
    rows = b"".join(b"\0" + bytes((value, 255)) for value in range(256))
    file = png(1, 256, 8, 4, cicp(1, transfer), (b"IDAT", zlib.compress(rows)))

    thumbnail = decode(render_thumbnails(file)[512])

    assert thumbnail.mode == "LA"
    grays = expected(tuple((value, value, value) for value in range(256)), 1, look)
    found = thumbnail.getchannel("L").tobytes()
    assert max(abs(one - other[0]) for one, other in zip(found, grays, strict=True)) <= 1


def test_shadows_of_linear_light_are_kept_as_it_is_made_smaller() -> None:
    """Columns of 0 and 1 of 255 in turn, which are 0 and 13 in sRGB."""
    rows = (b"\0" + bytes((0, 0, 0, 1, 1, 1)) * 1300) * 8
    file = png(2600, 8, 8, 2, gama(1), (b"IDAT", zlib.compress(rows)))

    levels = decode(render_thumbnails(file)[128]).convert("L").tobytes()

    assert all(5 <= level <= 8 for level in levels)


def test_grays_of_hdr_are_mapped_too() -> None:
    description = of_numbers(9, 16)
    assert description
    image = Image.frombytes("L", (256, 1), bytes(range(256)))

    made = in_srgb(image, description)

    assert made.mode == "L"
    grays = pq_in_srgb([(value, value, value) for value in range(256)], 9)
    assert max(abs(one - other[0]) for one, other in zip(made.tobytes(), grays, strict=True)) <= 1


def test_hdr_is_worked_on_in_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    description = of_numbers(9, 16)
    assert description
    image = four_fields(BRIGHT, (50, 47))
    whole = in_srgb(image, description)

    monkeypatch.setattr("folio.media.colours.STRIP", 120)

    assert in_srgb(image, description).tobytes() == whole.tobytes()


# What counts of a PNG


P3, REC_2020 = of_numbers(12, 13), of_numbers(9, 13)
assert P3
assert REC_2020
PROFILE = profile_of(REC_2020) or b""


@pytest.mark.parametrize(
    ("chunks", "found"),
    [
        ([cicp(12, 13), iccp(PROFILE)], P3),
        ([cicp(12, 13), (b"sRGB", b"\0"), gama(1)], P3),
        ([cicp(12, 13), cicp(9, 13)], P3),
        ([cicp(1, 13), iccp(PROFILE)], None),
        ([iccp(PROFILE), gama(1)], None),
        ([iccp(b"no profile at all"), gama(1)], Description(BT_709, Curve(1.0))),
        ([(b"sRGB", b"\0"), gama(1)], None),
        ([cicp(2, 13), iccp(PROFILE)], None),
        ([cicp(12, 2)], None),
        ([cicp(12, 13, full_range=0)], None),
        ([cicp(12, 13, matrix=1)], None),
        ([cicp(1, 13)], None),
        ([(b"cICP", b"\x0c\x0d\0")], None),
        ([gama(0.4), (b"cHRM", bytes(32))], None),
        ([gama(0.4), (b"cHRM", b"\x7f\xff\xff\xff" * 8)], None),
        ([gama(0.4), (b"cHRM", struct.pack(">8I", *[30000] * 8))], None),
        ([gama(0.4), (b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 64000, 33000, 15000, 6000))], None),
    ],
    ids=[
        "cicp-over-icc",
        "cicp-over-srgb",
        "first-cicp",
        "srgb-by-cicp-over-icc",
        "icc-over-gamma",
        "gamma-over-damaged-icc",
        "srgb-over-gamma",
        "unspecified-primaries",
        "unspecified-transfer",
        "narrow-range",
        "matrix",
        "srgb-by-cicp",
        "cut-off",
        "no-primaries",
        "huge-primaries",
        "one-point",
        "two-points",
    ],
)
def test_of_several_descriptions_of_a_png_that_counts_which_browsers_take(
    chunks: list[Chunk], found: Description | None
) -> None:
    file = described_png(VIVID, *chunks)

    info = open_image(file).info
    assert info.get("colours") == found
    is_outdone = found is not None or cicp(1, 13) in chunks
    assert info.get("icc_profile") == (PROFILE if iccp(PROFILE) in chunks and not is_outdone else None)
    assert len(render_thumbnails(file)) == 4


def test_a_profile_that_numbers_outdo_is_carried_by_nothing() -> None:
    for transfer in (13, 8):
        file = described_png(VIVID, cicp(1, transfer), iccp(PROFILE))
        for data in (*render_thumbnails(file).values(), *render(file, [Wanted("webp", 60), Wanted("png", 60)], LIMIT)):
            assert "icc_profile" not in decode(data).info


@pytest.mark.parametrize("default_image", [False, True])
def test_an_animation_moves_in_its_colours(default_image: bool) -> None:
    frames = [four_fields(VIVID[number:] + VIVID[:number]) for number in range(3)]
    content = encode(frames[0], "PNG", save_all=True, append_images=frames[1:], default_image=default_image).getvalue()
    name, data = cicp(12, 13)
    chunk = struct.pack(">I", 4) + name + data + struct.pack(">I", zlib.crc32(name + data))
    file = BytesIO(content[:33] + chunk + content[33:])

    (made,) = render(file, [Wanted("webp", 120)], LIMIT)

    first = 1 if default_image else 0
    with Image.open(BytesIO(made)) as moving:
        assert moving.n_frames == 3 - first  # type: ignore[attr-defined]
        for number in range(3 - first):
            moving.seek(number)
            still = encode(moving.convert("RGB"), "PNG", icc_profile=moving.info["icc_profile"]).getvalue()
            colours = VIVID[number + first :] + VIVID[: number + first]
            assert furthest(seen(still), expected(colours, 12, srgb)) <= 14


def test_what_comes_behind_the_pixels_tells_nothing() -> None:
    content = described_png(VIVID).getvalue()
    end = content.index(b"IEND") - 4
    late = png(1, 1, 8, 2, cicp(12, 13)).getvalue()
    file = BytesIO(content[:end] + late[33:49] + content[end:])

    assert "colours" not in open_image(file).info


# What counts of an AVIF


def test_a_profile_of_an_avif_goes_before_its_numbers() -> None:
    file = described_avif(VIVID, (b"colr", b"prof" + PROFILE), nclx(12, 8))

    for data in render_thumbnails(file).values():
        assert decode(data).info["icc_profile"] == PROFILE


def test_takes_the_numbers_of_the_picture_that_is_shown() -> None:
    """Another one's, of a gain map say, stand in the same list."""
    content = described_avif(VIVID, nclx(12, 13)).getvalue()
    shown = content.index(b"nclx") - 8
    meta, iprp, ipco = (content.index(name) - 4 for name in (b"meta", b"iprp", b"ipco"))
    more = box(*nclx(9, 16))
    grown = bytearray(content[:shown] + more + content[shown:])
    for place in (meta, iprp, ipco):
        size = struct.unpack_from(">I", grown, place)[0]
        struct.pack_into(">I", grown, place, size + len(more))
    ipma = grown.index(b"ipma")
    number = ipma + 4 + 4 + 4 + 2 + 1 + grown[ipma + 4 + 4 + 4 + 2] - 1
    assert grown[number] & 0x7F == 4
    grown[number] += 1

    image = Image.new("RGB", (1, 1))
    image.format = "AVIF"
    tell(BytesIO(bytes(grown)), image)

    assert image.info["colours"] == P3


def film(*inner: bytes) -> bytes:
    entry = box(b"av01", bytes(78) + b"".join(inner))
    stsd = box(b"stsd", struct.pack(">II", 0, 1) + entry)
    hdlr = box(b"hdlr", bytes(8) + b"pict" + bytes(13))
    mdia = box(b"mdia", hdlr + box(b"minf", box(b"stbl", stsd)))
    return box(b"ftyp", b"avis\0\0\0\0avisavif") + box(b"moov", box(b"trak", mdia))


def test_takes_the_numbers_of_a_moving_picture_from_its_track() -> None:
    for inner, found in (((box(*nclx(12, 13)),), P3), ((), None)):
        image = Image.new("RGB", (1, 1))
        image.format = "AVIF"
        tell(BytesIO(film(*inner)), image)
        assert image.info.get("colours") == found


def test_a_damaged_description_tells_nothing() -> None:
    content = described_avif(VIVID, nclx(12, 13)).getvalue()
    front = content.index(b"mdat")
    for place in range(16, front):
        for value in (0, 255, content[place] ^ 1):
            damaged = content[:place] + bytes((value,)) + content[place + 1 :]
            image = Image.new("RGB", (1, 1))
            image.format = "AVIF"
            file = BytesIO(damaged)
            file.seek(7)
            tell(file, image)
            assert file.tell() == 7
        image.info.clear()
        tell(BytesIO(content[:place]), image)
        assert place > content.index(b"colr") or "colours" not in image.info


# The original


@pytest.mark.parametrize(
    "chunks",
    [
        [cicp(9, 16), mdcv(4000), clli(600)],
        [gama(1), (b"cHRM", P3_IN_CHRM)],
        [(b"sRGB", b"\1")],
        [iccp(PROFILE)],
    ],
    ids=["cicp", "gamma", "srgb", "icc"],
)
def test_the_stored_png_keeps_its_own_description(chunks: list[Chunk]) -> None:
    kept = BytesIO()

    write_without_private_data(described_png(VIVID, *chunks), kept, "image/png", "none")

    for name, data in chunks:
        assert struct.pack(">I", len(data)) + name + data in kept.getvalue()


def test_the_stored_avif_keeps_its_own_description() -> None:
    properties = [nclx(9, 16), (b"clli", struct.pack(">HH", 4000, 200)), (b"colr", b"prof" + PROFILE)]
    kept = BytesIO()

    write_without_private_data(described_avif(VIVID, *properties), kept, "image/avif", "none")

    for each in properties:
        assert box(*each) in kept.getvalue()


def test_a_thumbnail_that_tells_by_numbers_is_understood() -> None:
    """As where the original's bytes are its thumbnail's."""
    shown = open_in_srgb(described_png(VIVID, cicp(12, 13)).getvalue())

    assert furthest([colour[:3] for colour in fields(shown)], expected(VIVID, 12, srgb)) <= EXACT


# What browsers pass over


def test_exif_s_word_for_adobe_rgb_changes_nothing() -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = 0xFFFF  # not sRGB
    exif.get_ifd(0xA005)[1] = "R03"
    file = encode(four_fields(VIVID), "JPEG", exif=exif, quality=100, subsampling="4:4:4")

    for data in render_thumbnails(file).values():
        assert "icc_profile" not in decode(data).info
        assert furthest(seen(data), VIVID) <= ENCODED


# What the codec does


@pytest.mark.parametrize("range", ["full", "limited"])
def test_the_codec_heeds_the_range(range: str) -> None:
    file = encode(four_fields(VIVID), "AVIF", quality=100, subsampling="4:4:4", range=range)

    assert furthest(seen(render_thumbnails(file)[1080]), VIVID) <= ENCODED


@pytest.mark.parametrize(("matrix", "kr", "kb"), [(1, 0.2126, 0.0722), (9, 0.2627, 0.0593)], ids=["bt709", "bt2020"])
def test_the_codec_heeds_the_matrix(matrix: int, kr: float, kb: float) -> None:
    """The encoder makes brightness and two differences by BT.601: by another matrix they are other colours."""
    file = described_avif(VIVID, nclx(1, 13, matrix))
    shown = []
    for red, green, blue in VIVID:
        luma = 0.299 * red + 0.587 * green + 0.114 * blue
        cb, cr = (blue - luma) / (2 * (1 - 0.114)), (red - luma) / (2 * (1 - 0.299))
        other_red, other_blue = luma + 2 * (1 - kr) * cr, luma + 2 * (1 - kb) * cb
        other_green = (luma - kr * other_red - kb * other_blue) / (1 - kr - kb)
        shown.append((round(other_red), round(other_green), round(other_blue)))

    assert furthest(VIVID, shown) > ENCODED
    assert furthest(seen(render_thumbnails(file)[1080]), shown) <= ENCODED
