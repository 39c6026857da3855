from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from audionet.dataset.folders import find_pictures
from audionet.inference.clips import find_clips
from audionet.plots.contact_sheet import CAPTION, GAP, LEFT, MOST_PICTURES, SIZE, TOP
from tests.conftest import Run, chirps, write_wav


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where data_audio/ holds three seconds of low tones, and too many seconds of high ones for one sheet."""
    write_wav(tmp_path / "data_audio" / "low" / "low.wav", chirps(1, 200, 400, 3))
    write_wav(tmp_path / "data_audio" / "high" / "high.wav", chirps(2, 2000, 3000, MOST_PICTURES + 5))
    return tmp_path


def small_picture(sheet: Path, row: int, column: int) -> np.ndarray:
    left, top = LEFT + column * (SIZE + GAP), TOP + row * (SIZE + CAPTION)
    with Image.open(sheet) as image:
        return np.asarray(image.convert("L"), int)[top : top + SIZE, left : left + SIZE]


def test_each_class_gets_a_sheet_of_its_pictures(folder: Path, audionet_here: Run) -> None:
    assert "contact sheets: high-contact-sheet.png, low-contact-sheet.png" in audionet_here.done(
        "prepare", "data_audio", "--chunk-seconds", 1, "--overlap", 0, "--contact-sheet"
    )
    image_dir = folder / "tf_files" / "data_image"
    low = image_dir / "low-contact-sheet.png"
    for column in range(3):
        with Image.open(image_dir / "low" / f"low_nohash_{column:04d}.jpg") as image:
            whole = np.asarray(image.convert("L"), int)[: 2 * SIZE, : 2 * SIZE]
        expected = whole.reshape(SIZE, 2, SIZE, 2).mean(axis=(1, 3))
        difference = np.abs(small_picture(low, 0, column) - expected)
        assert difference[2:-2, 2:-2].max() <= 1  # but for the ticks at its borders
    assert small_picture(low, 0, 3).min() == 255, "a class of three has nothing in the fourth place"
    last = small_picture(image_dir / "high-contact-sheet.png", MOST_PICTURES // 6 - 1, 5)
    assert last.min() < 128


def test_sheets_are_no_pictures_to_learn_from_or_label(folder: Path, audionet_here: Run) -> None:
    image_dir = folder / "tf_files" / "data_image"
    audionet_here("prepare", "data_audio", "--chunk-seconds", 1, "--overlap", 0)
    pictures, clips = find_pictures(image_dir), list(find_clips([image_dir]))
    assert len(pictures) == len(clips) == MOST_PICTURES + 5 + 3
    audionet_here("prepare", "data_audio", "--chunk-seconds", 1, "--overlap", 0, "--contact-sheet")
    assert len(list(image_dir.glob("*.png"))) == 2
    assert (find_pictures(image_dir), list(find_clips([image_dir]))) == (pictures, clips)


def test_a_damaged_picture_is_left_out_and_named(folder: Path, audionet_here: Run) -> None:
    audionet_here("prepare", "data_audio", "--chunk-seconds", 1, "--overlap", 0)
    picture = folder / "tf_files" / "data_image" / "low" / "low_nohash_0001.jpg"
    picture.write_bytes(bytes(picture.stat().st_size))  # of another size, prepare would draw it again
    damaged = audionet_here("prepare", "data_audio", "--chunk-seconds", 1, "--overlap", 0, "--contact-sheet")
    assert "low_nohash_0001.jpg: is not a JPG, or a damaged one" in damaged.stderr
    assert "left out of the contact sheet" in damaged.stderr


def test_a_short_recording_is_shown_once_and_a_gone_class_has_no_sheet(tmp_path: Path, audionet_here: Run) -> None:
    for name, seconds in (("short", 0.5), ("whole", 2)):
        write_wav(tmp_path / "data_audio" / name / "a.wav", chirps(1, 200, 400, seconds))
    command = ["prepare", "data_audio", "--chunk-seconds", 2, "--overlap", 0, "--contact-sheet"]
    audionet_here(*command)
    sheets = tmp_path / "tf_files" / "data_image"
    short = small_picture(sheets / "short-contact-sheet.png", 0, 0)[2:-2, 2:-2]
    assert short[:, : SIZE // 4 - 4].min() < 128
    assert short[:, SIZE // 4 + 1 :].min() == 255
    assert small_picture(sheets / "whole-contact-sheet.png", 0, 0)[2:-2, SIZE // 2 :].min() < 128
    (tmp_path / "data_audio" / "short").rename(tmp_path / "data_audio" / "brief")
    audionet_here(*command)
    assert sorted(path.name for path in sheets.glob("*.png")) == ["brief-contact-sheet.png", "whole-contact-sheet.png"]
