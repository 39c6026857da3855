import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from audionet.errors import UnusableInput
from audionet.settings import PICTURE_SIZE
from audionet.spectrogram import jpeg as pictures
from audionet.spectrogram.jpeg import Origin

ORIGIN = Origin("0123456789abcdef", 40.0, 12.5)


def gradient() -> np.ndarray:
    rows, columns = np.mgrid[:PICTURE_SIZE, :PICTURE_SIZE]
    return np.asarray((rows + columns) * 255 // (2 * PICTURE_SIZE), np.uint8)


def test_a_picture_and_its_origin_come_back() -> None:
    picture, origin = pictures.decode(pictures.encode(gradient(), ORIGIN), Path("a.jpg"))
    assert origin == ORIGIN
    assert picture.shape == (PICTURE_SIZE, PICTURE_SIZE)
    assert np.abs(picture.astype(int) - gradient()).max() <= 3


def test_a_picture_in_colors_keeps_them() -> None:
    colored = np.stack([gradient(), gradient()[::-1], gradient()[:, ::-1]], axis=2)
    picture, _ = pictures.decode(pictures.encode(colored, ORIGIN), Path("a.jpg"))
    assert np.abs(picture.astype(int) - colored).max() <= 12


def test_any_program_can_open_it() -> None:
    with Image.open(io.BytesIO(pictures.encode(gradient(), ORIGIN))) as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (299, 299), "L")


def test_a_picture_from_elsewhere_or_of_another_size_is_refused() -> None:
    file = io.BytesIO()
    Image.fromarray(gradient()).save(file, "JPEG")
    for content in (file.getvalue(), pictures.encode(gradient()[:100], ORIGIN)):
        with pytest.raises(UnusableInput, match=r"a.jpg: is not a picture that audionet prepare made"):
            pictures.decode(content, Path("a.jpg"))


@pytest.mark.parametrize("damage", [b"", b"no picture", pictures.encode(gradient(), ORIGIN)[:3000]])
def test_a_damaged_picture_is_named(damage: bytes) -> None:
    with pytest.raises(UnusableInput, match=r"a.jpg: is not a JPG, or a damaged one"):
        pictures.decode(damage, Path("a.jpg"))


def test_a_picture_from_anyone_has_so_many_pixels_at_most() -> None:
    for side, fits in ((4000, True), (4200, False)):
        file = io.BytesIO()
        Image.new("L", (side, side)).save(file, "PNG")
        if fits:
            assert pictures.decode_any(file.getvalue(), Path("a.png")).shape == (side, side, 3)
        else:
            with pytest.raises(UnusableInput, match="is too large a picture: 4200 x 4200 pixels"):
                pictures.decode_any(file.getvalue(), Path("a.png"))


def test_a_jpg_that_is_drawn_thousands_of_times_is_refused() -> None:
    file = io.BytesIO()
    Image.fromarray(gradient()).save(file, "JPEG", progressive=True)
    last, end = file.getvalue().rfind(b"\xff\xda"), file.getvalue().rfind(b"\xff\xd9")
    content = file.getvalue()[:end] + 500 * file.getvalue()[last:end] + b"\xff\xd9"
    assert pictures.decode_any(file.getvalue(), Path("a.jpg")).shape == (299, 299, 3)
    for decode in (pictures.decode, pictures.decode_any):
        with pytest.raises(UnusableInput, match=r"a.jpg: is a picture of more than 500 layers"):
            decode(content, Path("a.jpg"))
