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
    assert picture.shape == (PICTURE_SIZE, PICTURE_SIZE, 3)
    assert np.abs(picture.astype(int) - gradient()[:, :, None]).max() <= 3


def test_any_program_can_open_it() -> None:
    with Image.open(io.BytesIO(pictures.encode(gradient(), ORIGIN))) as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (299, 299), "L")


def test_a_picture_from_elsewhere_is_refused() -> None:
    file = io.BytesIO()
    Image.fromarray(gradient()).save(file, "JPEG")
    with pytest.raises(UnusableInput, match=r"a.jpg: is not a picture that audionet prepare made"):
        pictures.decode(file.getvalue(), Path("a.jpg"))


def test_a_picture_of_another_size_is_refused() -> None:
    with pytest.raises(UnusableInput, match="is not a picture that audionet prepare made"):
        pictures.decode(pictures.encode(gradient()[:100], ORIGIN), Path("a.jpg"))


@pytest.mark.parametrize("damage", [b"", b"no picture", pictures.encode(gradient(), ORIGIN)[:3000]])
def test_a_damaged_picture_is_named(damage: bytes) -> None:
    with pytest.raises(UnusableInput, match=r"a.jpg: is not a JPG, or a damaged one"):
        pictures.decode(damage, Path("a.jpg"))
