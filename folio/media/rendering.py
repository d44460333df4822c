"""Variants: an image's bytes in, those of the image in some widths and formats out; no database, no request.

What this makes of the same bytes is the same each time, whatever else is made with it: a name promises that. Whoever
changes a byte of it raises `variants.VERSION`.
"""

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import IO, Any

import msgspec
from PIL import Image, ImageCms, ImageFile

from .bounds import frame_count
from .colours import Coloured, coloured
from .opening import Loaded, UnreadableImage, draft_scale, load, open_image, read_header, unreadable
from .pixels import TURNS, Size, correct_transparency, fit, in_eight_bits, orientation, premultiplied
from .svg.drawing import loaded as loaded_drawing
from .svg.drawing import rewritten
from .svg.telling import is_svg

SHARE_SIZE = (1200, 630)  # pixels that networks show beside a link
LARGEST_PROFILE = 4096  # bytes of a colour profile that each variant may carry
SAME_COLOUR = 2  # of 255; a profile that changes no colour by more is sRGB's, whatever its name
MOVING_PIXELS = 400_000_000  # of all frames of an animation together
SHORTEST, USUAL = 11, 100  # milliseconds; browsers take a shorter time for a mistake, and show such a frame as long
WHITE = (255, 255, 255)  # behind what shines through, where a format knows no transparency
LARGEST_DRAWN = 4096  # pixels of an edge; a drawing as thin as a line would else be drawn as long as a street

# Chosen by measuring, and by looking at photographs, drawings and screenshots: docs/decisions/0031.
SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    # By the number of threads an image is cut into tiles, so its bytes follow from that too.
    "avif": {"format": "AVIF", "quality": 60, "speed": 6, "subsampling": "4:4:4", "max_threads": 2},
    "webp": {"format": "WEBP", "quality": 80, "method": 4},
    "jpg": {"format": "JPEG", "quality": 80, "subsampling": "4:2:0", "optimize": True, "progressive": True},
    "png": {"format": "PNG"},
}
# Without key frames (`kmax`), which let one begin in the midst: browsers show all frames in their order.
MOVING_OPTIONS: dict[str, Any] = {"format": "WEBP", "save_all": True, "quality": 75, "method": 2, "kmin": 0, "kmax": 0}


class Wanted(msgspec.Struct):
    """A variant of an image: of a width in pixels, or, with a focal point from 0 to 1, the picture beside a link."""

    extension: str
    width: int = 0
    focal: tuple[float, float] | None = None


def render(file: IO[bytes], wanted: Sequence[Wanted], max_pixels: int) -> Iterator[bytes]:
    """Yield the variants in their order, each as it is made.

    All are upright; those of a width keep the aspect ratio and are never larger than the image. Of an animation, WebP
    moves, and the others are its first frame. The image is decoded once; a JPEG anew where it is then wanted of
    another scale. Raises UnreadableImage where it can't be decoded.
    """
    if is_svg(file):
        yield from render_drawing(file, wanted)
        return
    header = read_header(file, max_pixels)
    if header is None:
        raise UnreadableImage("The file is damaged, or no image of an accepted format.")
    full_size = header.width, header.height
    loaded: Loaded | None = None
    loaded_scale = 0
    made: dict[int, Coloured] = {}  # by the width; the last one alone
    for each in wanted:
        size = SHARE_SIZE if each.focal else size_of_width(each.width, full_size)
        if each.extension == "webp" and header.is_animated:
            yield moving(file, size)
            continue
        if each.focal or each.width not in made:
            scale = draft_scale(full_size, covering(full_size, size)) if header.format.name == "JPEG" else 1
            if loaded is None or scale != loaded_scale:
                loaded = None  # its room is needed
                loaded, loaded_scale = load(file, scale), scale
            made = {each.width: share(loaded, each.focal) if each.focal else shrink(loaded, size)}
        yield encode(made[each.width], each.extension)


def render_drawing(file: IO[bytes], wanted: Sequence[Wanted]) -> Iterator[bytes]:
    """Yield the pictures of a drawing beside a link, drawn as large as they show it; there are no other variants."""
    drawing = rewritten(file)
    loaded = loaded_drawing(drawing, fit(covering(drawing.size, SHARE_SIZE), LARGEST_DRAWN))
    for each in wanted:
        if each.focal is None:
            raise UnreadableImage("A drawing has no variants of a width.")
        yield encode(share(loaded, each.focal), each.extension)


def size_of_width(width: int, full_size: Size) -> Size:
    width = min(width, full_size[0])
    return width, max(1, round(full_size[1] * width / full_size[0]))


def covering(full_size: Size, size: Size) -> Size:
    """Return the size in which a whole image covers another size, which has its aspect ratio or not."""
    scale = max(size[0] / full_size[0], size[1] / full_size[1])
    return max(1, round(full_size[0] * scale)), max(1, round(full_size[1] * scale))


def shrink(loaded: Loaded, size: Size) -> Coloured:
    """Return an image in a size, upright."""
    frame = without_needless_alpha(loaded.frame)
    stored = size[::-1] if loaded.turn >= 5 else size
    made = in_few_bytes(coloured(resized(frame, stored), loaded.image.info))
    return Coloured(upright(made.image, loaded.turn), made.profile)


def share(loaded: Loaded, focal: tuple[float, float]) -> Coloured:
    """Return what of an image is shown beside a link: as much as there is room for, the focal point in the middle."""
    frame = upright(without_needless_alpha(loaded.frame), loaded.turn)
    return in_few_bytes(coloured(resized(frame, SHARE_SIZE, crop(frame.size, focal)), loaded.image.info))


def crop(size: Size, focal: tuple[float, float]) -> tuple[float, float, float, float]:
    """Return the largest part of a size with the proportions of a share image, as near to the focal point as can be."""
    scale = min(size[0] / SHARE_SIZE[0], size[1] / SHARE_SIZE[1])
    width, height = SHARE_SIZE[0] * scale, SHARE_SIZE[1] * scale
    left = min(max(0.0, size[0] * focal[0] - width / 2), size[0] - width)
    top = min(max(0.0, size[1] * focal[1] - height / 2), size[1] - height)
    return left, top, min(left + width, size[0]), min(top + height, size[1])


def without_needless_alpha(image: Image.Image) -> Image.Image:
    """Return an image without its alpha where nothing shines through."""
    if image.mode in ("LA", "RGBA") and image.getchannel("A").getextrema() == (255, 255):
        return image.convert(image.mode[:-1])
    return image


def resized(image: Image.Image, size: Size, box: tuple[float, float, float, float] | None = None) -> Image.Image:
    if image.size == size and box is None:
        return image
    made = premultiplied(image).resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    return made.convert(made.mode.replace("a", "A"))  # no longer premultiplied


def upright(image: Image.Image, turn: int) -> Image.Image:
    return image.transpose(TURNS[turn]) if turn in TURNS else image


def in_few_bytes(made: Coloured) -> Coloured:
    """Return an image with its profile where that is short; else in sRGB, as all are without a profile.

    One of gray would be wrong in the formats that store gray as colours.
    """
    image, profile = made
    if profile is None:
        return made
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        to_srgb = transform(own, "L" if image.mode in ("L", "LA") else "RGB")
        if changes_nothing(to_srgb):
            return Coloured(image, None)
        if to_srgb.inputMode == "RGB" and len(profile) <= LARGEST_PROFILE:
            return made
        alpha = image.getchannel("A") if "A" in image.mode else None
        converted = to_srgb.apply(image.convert(image.mode.replace("A", "")))
    except (ImageCms.PyCMSError, OSError, ValueError):  # damaged
        return Coloured(image, None)
    if alpha is not None:
        converted.putalpha(alpha)
    converted.info = {}
    return Coloured(converted, None)


def transform(profile: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    built = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, "RGB")
    assert isinstance(built, ImageCms.ImageCmsTransform)
    return built


def changes_nothing(to_srgb: ImageCms.ImageCmsTransform) -> bool:
    """Tell whether a profile of three colours is sRGB's but for rounding, by colours from all over the cube."""
    if to_srgb.inputMode != "RGB":
        return False
    steps = range(0, 256, 51)
    colours = bytes(value for red in steps for green in steps for blue in steps for value in (red, green, blue))
    cube = Image.frombytes("RGB", (len(colours) // 3, 1), colours)
    return all(
        abs(one - other) <= SAME_COLOUR for one, other in zip(colours, to_srgb.apply(cube).tobytes(), strict=True)
    )


def encode(made: Coloured, extension: str) -> bytes:
    image = made.image.copy()
    image.info = {}  # with comments and whatever else some encoders copy from there
    if extension == "jpg" and "A" in image.mode:
        ground = Image.new("RGB", image.size, WHITE)
        ground.paste(image, mask=image.getchannel("A"))
        image = ground
    buffer = BytesIO()
    try:
        image.save(buffer, icc_profile=made.profile, **SAVE_OPTIONS[extension])
    except MemoryError:
        raise
    except Exception as error:  # encoders say in words of their own what they can't do
        raise unreadable(error, image.size) from error
    return buffer.getvalue()


# Animations


class Frames(Image.Image):
    """An animation made smaller, frame by frame as Pillow's encoder asks for them: all at once would be too large."""

    def __init__(self, original: ImageFile.ImageFile, count: int, size: Size) -> None:
        super().__init__()
        self.original = original
        self.first = 1 if original.info.get("default_image") else 0  # of a PNG, for those who can't show the others
        self.n_frames = count - self.first
        self.target = size
        self.turn = orientation(original)
        self.durations: list[int] = []  # milliseconds, of the frames until now
        self.profile: bytes | None = None
        self.seek(0)

    def tell(self) -> int:
        return 0

    def seek(self, frame: int) -> None:
        if frame < len(self.durations):  # the encoder goes back to the first one in the end
            return
        self.original.seek(self.first + frame)
        self.original.load()
        duration = round(self.original.info.get("duration") or 0)
        self.durations.append(duration if duration >= SHORTEST else USUAL)
        pixels = in_eight_bits(self.original)
        stored = self.target[::-1] if self.turn >= 5 else self.target
        made = in_few_bytes(coloured(resized(pixels, stored), self.original.info))
        image = upright(made.image, self.turn).convert("RGBA" if "A" in made.image.mode else "RGB")
        self.im, self._mode, self._size, self.info, self.profile = image.im, image.mode, image.size, {}, made.profile


def moving(file: IO[bytes], size: Size) -> bytes:
    """Return an animation in a size as WebP; raise UnreadableImage where it can't be decoded, or is too long."""
    image = None
    try:
        image = open_image(file)
        count = frame_count(file, image)
        if count * (image.width * image.height + size[0] * size[1]) > MOVING_PIXELS:
            raise UnreadableImage("The animation is too long to be made smaller.")
        correct_transparency(image)
        loop = times_shown(image)
        frames = Frames(image, count, size)
        buffer = BytesIO()
        frames.save(
            buffer,
            duration=frames.durations,
            loop=loop,
            background=(0, 0, 0, 0),
            icc_profile=frames.profile,
            **MOVING_OPTIONS,
        )
    except (MemoryError, UnreadableImage):
        raise
    except Exception as error:  # Pillow raises whatever a damaged file makes it trip over
        raise unreadable(error, image.size if image else None) from error
    return buffer.getvalue()


def times_shown(image: Image.Image) -> int:
    """Return how often an animation runs, 0 for without end; a GIF says how often it runs again."""
    loop = image.info.get("loop")
    if image.format != "GIF":
        return int(loop or 0)
    return 1 if loop is None else loop and loop + 1
