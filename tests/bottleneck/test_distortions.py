"""The distortions of 2017, on pictures of which the outcome is known."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from audionet.bottleneck.backbone import load_backbone
from audionet.bottleneck.distortions import COPIES, Distortions, distorted_bottlenecks
from audionet.settings import PICTURE_SIZE
from tests.conftest import make_model

RAMP = np.linspace(50, 150, PICTURE_SIZE).astype(np.uint8)
BRIGHTER_TO_THE_RIGHT = np.repeat(np.repeat(RAMP[None], PICTURE_SIZE, axis=0)[:, :, None], 3, axis=2)


def copies(distortions: Distortions, picture: np.ndarray, count: int = 200) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [distortions.apply(picture, random) for _ in range(count)]


def test_half_are_mirrored_and_the_others_left_alone() -> None:
    mirrored = BRIGHTER_TO_THE_RIGHT[:, ::-1]
    found = copies(Distortions(flip_left_right=True), BRIGHTER_TO_THE_RIGHT)
    count = sum(np.array_equal(copy, mirrored) for copy in found)
    assert sum(np.array_equal(copy, BRIGHTER_TO_THE_RIGHT) for copy in found) == len(found) - count
    assert 70 < count < 130


def test_brightness_is_multiplied_within_its_percentage_either_way() -> None:
    grey = np.full((PICTURE_SIZE, PICTURE_SIZE, 3), 100, np.uint8)
    levels = [int(copy[0, 0, 0]) for copy in copies(Distortions(random_brightness=20), grey)]
    assert all((copy == copy[0, 0, 0]).all() for copy in copies(Distortions(random_brightness=20), grey, 5))
    assert min(levels) == pytest.approx(80, abs=2)
    assert max(levels) == pytest.approx(120, abs=2)
    assert copies(Distortions(random_brightness=100), np.full_like(grey, 250))[0].max() <= 255


def test_a_crop_keeps_its_share_of_the_picture_at_random_places() -> None:
    found = copies(Distortions(random_crop=25), BRIGHTER_TO_THE_RIGHT)
    widths = [int(copy[0, -1, 0]) - int(copy[0, 0, 0]) for copy in found]
    assert set(widths) <= {79, 80, 81}  # 100 / 1.25
    starts = [int(copy[0, 0, 0]) for copy in found]
    assert min(starts) < 53
    assert max(starts) > 67


def test_a_scale_is_anything_up_to_its_percentage() -> None:
    found = copies(Distortions(random_scale=100), BRIGHTER_TO_THE_RIGHT)
    widths = [int(copy[0, -1, 0]) - int(copy[0, 0, 0]) for copy in found]
    assert 50 <= min(widths) < 53
    assert 97 < max(widths) <= 100


@pytest.mark.usefixtures("one_copy")
def test_training_with_distortions_learns_from_copies_that_no_cache_holds(low_and_high: Path, tmp_path: Path) -> None:
    shutil.copytree(low_and_high, tmp_path, dirs_exist_ok=True)
    network, bottlenecks = tmp_path / "tf_files" / "retrained_graph.tflite", tmp_path / "tf_files" / "bottlenecks"
    cached = {path: path.stat().st_size for path in bottlenecks.glob("*.bottlenecks")}
    before = network.read_bytes()
    assert make_model(tmp_path, all_speeds=True, random_brightness=20.0, write_report=False).trained
    assert network.read_bytes() != before
    assert {path: path.stat().st_size for path in bottlenecks.glob("*.bottlenecks")} == cached


def test_each_picture_has_copies_of_its_own(tmp_path: Path) -> None:
    from audionet.spectrogram.jpeg import Origin, encode

    paths = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    for path in paths:
        path.write_bytes(encode(BRIGHTER_TO_THE_RIGHT, Origin("", 0, 1)))
    found = distorted_bottlenecks(paths, load_backbone("rows", Path()), Distortions(random_crop=10), seed=0)
    assert found.shape == (2, COPIES, 37758)
    again = distorted_bottlenecks(paths, load_backbone("rows", Path()), Distortions(random_crop=10), seed=0)
    assert np.array_equal(found, again)
    rows = found.reshape(2 * COPIES, -1)
    assert len({row.tobytes() for row in rows}) == 2 * COPIES
