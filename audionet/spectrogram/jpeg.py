"""Chunks as pictures in JPG files: 299 x 299, with a comment that says how and of what they were made."""

import io
import json
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from PIL import Image, UnidentifiedImageError

from audionet.audio.chunks import Chunk
from audionet.errors import UnusableInput, reading
from audionet.settings import PICTURE_SIZE
from audionet.spectrogram.augmentation import ORIGINAL, Augmentation, sounding_part
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.files import require_file
from audionet.system.untrusted import MALFORMED, Refused, StoredRecord, number, parse_json, stored, text

SUFFIXES = (".jpg", ".jpeg")
FORMATS = ("JPEG", "PNG", "GIF", "BMP")  # that label_image.py of 2018 reads
ANY_SUFFIXES = (*SUFFIXES, ".png", ".gif", ".bmp")
# Of the JPG. At 95 the loss is far below the noise of any recording; at 100 the files are twice the size.
QUALITY = 95
# Far more than any picture of ours, and little for a computer: a small file can claim to be a picture of any size.
LARGEST_BYTES = 64 << 20
LARGEST_PIXELS = 1 << 24
# A progressive JPG is drawn over and over, about ten times; one of a megabyte can ask for 80,000 times.
JPEG_BEGIN, SCAN_BEGIN, MOST_SCANS = b"\xff\xd8", b"\xff\xda", 500
LONGEST_START_SECONDS = 1e9  # of a recording: thirty years
SHORTEST_CHUNK_SECONDS, LONGEST_CHUNK_SECONDS = 1e-6, 3600.0  # the former is less than a sample at any rate

# What Pillow raises for a damaged picture, or the code that it calls.
DAMAGED = (
    UnidentifiedImageError, OSError, Image.DecompressionBombError, SyntaxError, EOFError, MemoryError, struct.error,
    zlib.error, *MALFORMED,
)  # fmt: skip


@dataclass(frozen=True)
class Origin(StoredRecord):
    """What a picture's comment says: the fingerprint of its settings, and its place in the recording."""

    fingerprint: Annotated[str, stored("audionet", text)]
    start_seconds: Annotated[float, stored("start_seconds", number, 0, LONGEST_START_SECONDS)]
    seconds: Annotated[float, stored("seconds", number, SHORTEST_CHUNK_SECONDS, LONGEST_CHUNK_SECONDS)]


def require_picture_file(path: Path) -> None:
    """Raises UnusableInput unless a file can be read and is no larger than a picture may be."""
    if require_file(path) > LARGEST_BYTES:
        raise UnusableInput(path, f"is larger than the {LARGEST_BYTES >> 20} MB that a picture may have")


def read(path: Path) -> bytes:
    """The bytes of a picture's file. Raises UnusableInput."""
    require_picture_file(path)
    with reading(path):
        return path.read_bytes()


def encode(picture: np.ndarray, origin: Origin) -> bytes:
    """The JPG of a uint8 picture, PICTURE_SIZE x PICTURE_SIZE or x 3."""
    file, comment = io.BytesIO(), json.dumps(origin.to_json()).encode()
    Image.fromarray(picture).save(file, "JPEG", quality=QUALITY, subsampling=0, comment=comment)
    return file.getvalue()


def draw(chunk: Chunk, renderer: SpectrogramRenderer) -> bytes:
    """A chunk's picture as a JPG."""
    return encode(renderer.render(chunk.samples), _origin(chunk, renderer))


def draw_and_look(chunk: Chunk, renderer: SpectrogramRenderer) -> tuple[bytes, Augmentation]:
    """A chunk's picture as a JPG, and the part of it that the network sees, see augmentation.sounding_part."""
    picture = renderer.render(chunk.samples)
    jpg = encode(picture, _origin(chunk, renderer))
    columns = renderer.columns(chunk.seconds)
    if sounding_part(picture, columns, renderer) == ORIGINAL:  # as nearly always
        return jpg, ORIGINAL
    return jpg, sounding_part(np.asarray(Image.open(io.BytesIO(jpg))), columns, renderer)


def _origin(chunk: Chunk, renderer: SpectrogramRenderer) -> Origin:
    return Origin(renderer.fingerprint, chunk.start_seconds, chunk.seconds)


def decode(data: bytes, path: Path) -> tuple[np.ndarray, Origin]:
    """The picture and the origin in a JPG's bytes; `path` names it in errors.

    The picture is uint8, PICTURE_SIZE x PICTURE_SIZE, x 3 if it is in colours.
    Raises UnusableInput for anything but a picture that audionet made.
    """
    fault = "is not a JPG, or a damaged one; delete it and run audionet prepare again"
    with _opened(data, path, FORMATS[:1], fault) as image:
        origin = None
        with suppress(Refused):
            origin = Origin.from_json(parse_json(image.info.get("comment", b"")))
        if image.size != (PICTURE_SIZE, PICTURE_SIZE) or origin is None:
            raise UnusableInput(path, "is not a picture that audionet prepare made")
        return np.asarray(image if image.mode == "L" else image.convert("RGB")), origin


def decode_any(data: bytes, path: Path) -> np.ndarray:
    """The picture (uint8, height x width x 3) in the bytes of a JPG, whoever made it.

    Raises UnusableInput for anything else.
    """
    with _opened(data, path, FORMATS, "is not a JPG, PNG, GIF or BMP, or a damaged one") as image:
        if image.width * image.height > LARGEST_PIXELS:
            raise UnusableInput(path, f"is too large a picture: {image.width} x {image.height} pixels")
        return np.asarray(image.convert("RGB"))


@contextmanager
def _opened(data: bytes, path: Path, formats: tuple[str, ...], fault: str) -> Iterator[Image.Image]:
    """The picture in the bytes of a file, to be read in here. Raises UnusableInput, with the fault, for a damaged one;
    and for a JPG that would take minutes to draw, in which nothing could be interrupted."""
    if data.startswith(JPEG_BEGIN) and data.count(SCAN_BEGIN) > MOST_SCANS:
        raise UnusableInput(path, f"is a picture of more than {MOST_SCANS} layers; save it anew with another program")
    try:
        with Image.open(io.BytesIO(data), formats=formats) as image:
            yield image
    except DAMAGED as error:
        raise UnusableInput(path, fault) from error


def enlarge(picture: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """A part of a picture (left, top, right, bottom, in pixels) at the size of the whole, interpolated linearly."""
    height, width = picture.shape[:2]
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR, box=box))
