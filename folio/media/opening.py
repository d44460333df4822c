"""Images opened and decoded, within bounds; no database, no request."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, NamedTuple

# Those of the accepted formats: where one isn't there yet, Pillow brings in the plugins of all that it knows.
from PIL import (
    AvifImagePlugin,  # noqa: F401
    BmpImagePlugin,  # noqa: F401
    ExifTags,
    GifImagePlugin,  # noqa: F401
    Image,
    ImageFile,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

from .bounds import MAX_FRAMES, METADATA_SIZE, check_head, decoder_memory, frame_count, metadata_size, most_pixels
from .colours import with_usual_curve
from .frames import MOVING, shown_frame
from .pixels import Size, correct_transparency, orientation
from .privacy import UnreadableStructure
from .refusals import DAMAGED, Refusal, gettext_noop
from .telling import tell
from .unshown import CR2, RAW, UNSHOWN, misread_tiff, unshown_jpeg, unshown_kind, unshown_tiff

PREFIX_SIZE = 16  # bytes by which Pillow tells a format
NAMES = {"WEBP": "WebP", "HEIF": "HEIC"}  # of formats, where people call them otherwise than Pillow
HEIF_BRANDS = {  # which become JPEG, but for those that are AVIF: what they hold tells
    *(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"),
    *(b"mif1", b"mif2", b"msf1", b"miaf", b"heif", b"1pic"),
}

PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = METADATA_SIZE


class UnreadableImage(Refusal):
    """An image that can't be shown; its message tells the person who sent it what is wrong."""


class TooManyPixels(UnreadableImage):
    """An image whose header promises more pixels than may be decoded, of its format or of any."""

    def __init__(self, size: Size, format: str, max_pixels: int) -> None:
        accepted = most_pixels(format, max_pixels, decoder_memory())
        most = most_pixels("JPEG", max_pixels, decoder_memory())
        if size[0] * size[1] > max_pixels:
            accepted = max_pixels
        values = {"width": f"{size[0]:,}", "height": f"{size[1]:,}", "accepted": f"{accepted:,}"}
        if accepted == max_pixels:
            text = gettext_noop(
                "The image has %(width)s × %(height)s pixels, more than the %(accepted)s that are accepted. "
                "Send a smaller version of it."
            )
            super().__init__(text, **values)
        elif size[0] * size[1] > most:
            text = gettext_noop(
                "The image has %(width)s × %(height)s pixels, more than the %(accepted)s that are accepted of "
                "%(format)s: it takes more memory to decode than is allowed. Send a smaller version of it."
            )
            super().__init__(text, format=NAMES.get(format, format), **values)
        else:
            text = gettext_noop(
                "The image has %(width)s × %(height)s pixels, more than the %(accepted)s that are accepted of "
                "%(format)s: it takes more memory to decode than is allowed. Send a smaller version of it, or send it "
                "as JPEG, of which %(most)s are accepted."
            )
            super().__init__(text, format=NAMES.get(format, format), most=f"{most:,}", **values)


class TooManyFrames(UnreadableImage):
    """An image with more frames, or pages, than are accepted."""

    def __init__(self) -> None:
        super().__init__(
            gettext_noop(
                "The image has more than the %(frames)s frames that are accepted. Send a shorter one, or a film."
            ),
            frames=f"{MAX_FRAMES:,}",
        )


class TooMuchMetadata(UnreadableImage):
    """An image with more beside its pixels than is read."""

    def __init__(self) -> None:
        super().__init__(
            gettext_noop(
                "The image carries more than the %(bytes)s bytes of colour profile, camera data and texts that "
                "are accepted. Save it without them."
            ),
            bytes=f"{METADATA_SIZE:,}",
        )


@dataclass(frozen=True)
class ImageFormat:
    """An accepted format, under Pillow's name; the first of its usual extensions is the default."""

    name: str
    mime_type: str
    extensions: tuple[str, ...]


FORMATS = {
    format.name: format
    for format in (
        ImageFormat("JPEG", "image/jpeg", ("jpg", "jpeg", "jpe", "jfif")),
        ImageFormat("PNG", "image/png", ("png",)),
        ImageFormat("GIF", "image/gif", ("gif",)),
        ImageFormat("WEBP", "image/webp", ("webp",)),
        ImageFormat("AVIF", "image/avif", ("avif",)),
        ImageFormat("BMP", "image/bmp", ("bmp",)),
        ImageFormat("TIFF", "image/tiff", ("tif", "tiff")),
    )
}
SVG = ImageFormat("SVG", "image/svg+xml", ("svg",))  # which Pillow does not know: it is drawn by `svg`
IMAGES = {**FORMATS, SVG.name: SVG}


@dataclass(frozen=True)
class ImageHeader:
    """What an image says of itself before it is decoded."""

    format: ImageFormat
    mode: str  # the original's colour mode, in Pillow's words
    width: int  # pixels, as shown upright
    height: int
    is_animated: bool = False

    @property
    def mime_type(self) -> str:
        return self.format.mime_type

    @property
    def extension(self) -> str:
        return self.format.extensions[0]

    @property
    def thumbnail_format(self) -> ImageFormat:
        return thumbnail_format(self.format)


def thumbnail_format(format: ImageFormat) -> ImageFormat:
    """Return the format that thumbnails are in: the image's, but PNG of SVG, and of TIFF, which browsers don't show."""
    return FORMATS["PNG"] if format.name in {"TIFF", "SVG"} else format


def may_be_image(prefix: bytes) -> bool:
    """Tell whether a file that begins with these 16 bytes could be of a format that is taken in; nothing is parsed."""
    is_heif = prefix[4:8] == b"ftyp" and prefix[8:12] in HEIF_BRANDS
    return is_heif or any(Image.OPEN[name][1](prefix) for name in FORMATS)  # type: ignore[misc]


def read_header(file: IO[bytes], max_pixels: int) -> ImageHeader | None:
    """Return what an image says of itself, or None where Pillow can't open it as one of the accepted formats.

    The content decides, not the name, and no pixel is decoded. Raises TooManyPixels where the header promises more
    than `max_pixels`, or than this process has the memory for, TooMuchMetadata, TooManyFrames, or UnreadableImage for
    a kind that isn't accepted, such as a camera's raw file, of which Pillow would only see the preview.
    """
    refuse_unshown(unshown_jpeg(file))
    size = _webp_size(file)  # on opening a WebP, room for its pixels is made already
    if size:
        check_pixels(size, "WEBP", max_pixels)
    try:
        check_head(file)
    except UnreadableStructure as error:
        raise UnreadableImage(error.text, **error.values) from error
    try:
        image = open_image(file)
    except (MemoryError, TooMuchMetadata):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many(file, max_pixels) from error
    except Exception:  # Pillow raises whatever a file that is no image, or a damaged one, makes it trip over
        if size:
            _check_memory(size)
        refuse_unshown(unshown_tiff(file))
        return None
    if _is_raw(file, image):
        refuse_unshown(unshown_kind(file) or RAW)
    if image.format == "TIFF":
        refuse_unshown(misread_tiff(file))
    width, height = _stored_size(image)
    check_pixels((width, height), _format(image).name, max_pixels)
    frames = _count_frames(file, image)
    if orientation(image) >= 5:
        width, height = height, width
    return ImageHeader(_format(image), image.mode, width, height, image.format in MOVING and frames > 1)


def check_pixels(size: Size, format: str, max_pixels: int) -> None:
    """Raise TooManyPixels where an image of a format, as `most_pixels()` names it, has more than may be decoded."""
    if size[0] * size[1] > most_pixels(format, max_pixels, decoder_memory()):
        raise TooManyPixels(size, format, max_pixels)


def _too_many(file: IO[bytes], max_pixels: int) -> TooManyPixels:
    """Return why an image isn't opened that Pillow, too, finds too large; it doesn't tell its size then."""
    file.seek(0)
    prefix = file.read(PREFIX_SIZE)
    name = next(name for name in FORMATS if Image.OPEN[name][1](prefix))  # type: ignore[misc]
    file.seek(0)
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # some look at it as they are opened, once more
    try:
        size = _stored_size(Image.OPEN[name][0](file, ""))
    finally:
        Image.MAX_IMAGE_PIXELS = limit
    return TooManyPixels(size, name, max_pixels)


def refuse_unshown(kind: str) -> None:
    """Raise UnreadableImage where an image is of a kind that isn't accepted, which has a name."""
    if kind:
        raise UnreadableImage(UNSHOWN, kind=kind)


class Loaded(NamedTuple):
    """An image that is decoded, of an animation the first frame that shows something."""

    image: Image.Image
    frame: Image.Image  # its pixels, in a mode that can be resized and shown
    format: ImageFormat
    full_size: Size  # in pixels, as stored; the frame may be smaller
    turn: int  # the EXIF orientation, 1 where it is upright

    @property
    def is_transparent(self) -> bool:
        """Tell whether anything shines through."""
        return "A" in self.frame.mode and self.frame.getchannel("A").getextrema() != (255, 255)


def draft_scale(full_size: Size, needed: Size) -> int:
    """Return by how much a JPEG may be decoded smaller, to be made of a size after that: 1, 2, 4 or 8.

    That is much faster. With barely more pixels than are needed it loses 10 dB to a full decode; from a quarter more
    in each direction, 1 dB.
    """
    room = min(full_size[0] // max(1, needed[0] * 5 // 4), full_size[1] // max(1, needed[1] * 5 // 4))
    return max(scale for scale in (1, 2, 4, 8) if scale <= max(1, room))


def load(file: IO[bytes], scale: int | Callable[[Size], int]) -> Loaded:
    """Decode an image once; a JPEG smaller by `scale`, or by what that gives for the full size as stored.

    Judge the size by `read_header()` before. Raises UnreadableImage where the image can't be decoded.
    """
    image = None
    try:
        image = open_image(file)
        format, turn = _format(image), orientation(image)
        correct_transparency(image)
        full_size = image.size
        if not isinstance(scale, int):
            scale = scale(full_size)
        if scale > 1:
            image.draft(None, (full_size[0] // scale, full_size[1] // scale))
        frame = shown_frame(file, image, full_size)
        _check_metadata(file, image)
    except (MemoryError, TooMuchMetadata):
        raise
    except Exception as error:  # as in read_header()
        failure = unreadable(error, image.size if image else None)
        if image and image.format == "TIFF":
            refuse_unshown(unshown_tiff(file))
        raise failure from error
    if image.format == "TIFF":  # turned upright by Pillow, as it loads
        full_size, turn = image.size, 1
    return Loaded(image, with_usual_curve(frame, image.info), format, full_size, turn)


def unreadable(error: Exception, size: Size | None) -> UnreadableImage:
    """Return why an image can't be decoded, by what Pillow has raised; raise MemoryError where that was why."""
    if _is_too_much_text(error):
        return TooMuchMetadata()
    if size:
        _check_memory(size)
    return UnreadableImage(DAMAGED)


def open_image(file: IO[bytes]) -> ImageFile.ImageFile:
    """Open an image of one of the accepted formats, with its colours told in its `info`.

    Raises what Pillow raises, or TooMuchMetadata.
    """
    try:
        image = Image.open(file, formats=tuple(FORMATS))
    except ValueError as error:
        if _is_too_much_text(error):
            raise TooMuchMetadata from error
        raise
    _check_metadata(file, image)
    tell(file, image)
    for key in ("xmp", "XML:com.adobe.xmp"):  # of which Pillow would take an orientation that no browser knows
        image.info.pop(key, None)
    return image


def _webp_size(file: IO[bytes]) -> Size | None:
    """Return the width and height that a WebP's header promises; None for another file."""
    file.seek(0)
    head = file.read(30)
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP" or len(head) < 30:
        return None
    if head[12:16] == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF


def _check_memory(size: Size) -> None:
    """Raise MemoryError where there isn't twice the room of that many pixels.

    Called where a codec has failed: they lack memory in words of their own, or in those of a damaged image.
    """
    bytearray(2 * 4 * size[0] * size[1])


def _is_too_much_text(error: Exception) -> bool:
    return isinstance(error, ValueError) and "MAX_TEXT" in str(error)  # as the decoder of PNG says it


def _check_metadata(file: IO[bytes], image: Image.Image) -> None:
    """Raise TooMuchMetadata where what was read beside the pixels is too long altogether."""
    if metadata_size(file, image) > METADATA_SIZE:
        raise TooMuchMetadata


def _count_frames(file: IO[bytes], image: Image.Image) -> int:
    """Return how many frames, or pages, an image has; raise TooManyFrames."""
    try:
        count = frame_count(file, image)
    except UnreadableStructure as error:
        raise UnreadableImage(error.text, **error.values) from error
    if count > MAX_FRAMES:
        raise TooManyFrames
    return count - bool(image.info.get("default_image"))  # of a PNG, for those who can't show the others


def _format(image: ImageFile.ImageFile) -> ImageFormat:
    # Cameras write MPO: a JPEG with another picture behind it.
    return FORMATS["JPEG" if image.format == "MPO" else str(image.format)]


def _is_raw(file: IO[bytes], image: ImageFile.ImageFile) -> bool:
    """Tell whether a TIFF is a raw photograph: most cameras' raw formats are TIFF with a small picture in front."""
    if image.format != "TIFF":
        return False
    tags = image.tag_v2  # type: ignore[attr-defined]
    is_preview = tags.get(ExifTags.Base.NewSubfileType) == 1
    return is_preview or ExifTags.Base.DNGVersion in tags or unshown_kind(file) == CR2


def _stored_size(image: ImageFile.ImageFile) -> Size:
    if image.format == "TIFF":  # its `size` is the upright one already, if not for each way to say the orientation
        tags = image.tag_v2  # type: ignore[attr-defined]
        return tags[ExifTags.Base.ImageWidth], tags[ExifTags.Base.ImageLength]
    return image.size
