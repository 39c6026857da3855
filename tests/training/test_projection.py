import shutil
from pathlib import Path

import numpy as np
import pytest

from audionet.bottleneck.backbone import load_backbone
from audionet.bottleneck.extractor import BottleneckExtractor
from audionet.errors import AudionetError
from audionet.spectrogram.augmentation import ORIGINAL, Augmentation
from audionet.training import projection
from audionet.training.projection import SUFFIX, Coordinates, compute_coordinates
from audionet.training.subspace import PCA
from tests.bottleneck.test_extractor import RENDERER, paths  # noqa: F401

AUGMENTATIONS = [ORIGINAL, Augmentation(1.06)]


@pytest.fixture
def extractor(tmp_path: Path) -> BottleneckExtractor:
    return make_extractor(tmp_path)


def make_extractor(folder: Path) -> BottleneckExtractor:
    return BottleneckExtractor(load_backbone("rows", Path()), RENDERER, folder, AUGMENTATIONS)


def compute(paths: list[Path], folder: Path) -> Coordinates:  # noqa: F811
    return compute_coordinates(paths, make_extractor(folder))


def coordinates_of(found: Coordinates) -> np.ndarray:
    return found.subspace.coordinates


def test_they_are_the_bottlenecks_along_the_axes(
    paths: list[Path],  # noqa: F811
    extractor: BottleneckExtractor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(projection, "PICTURES_AT_ONCE", 2)
    features = extractor.extract(paths).features.reshape(6, -1)
    found = compute(paths, tmp_path)
    wanted = PCA.of(features).project(features)
    # Axes are known but for their signs, and the sample is in another order.
    assert np.allclose(np.abs(coordinates_of(found)), np.abs(wanted.coordinates), atol=1e-3)
    assert np.allclose(found.subspace.squared_residuals, wanted.squared_residuals, atol=1e-3)
    assert ([picture.position for picture in found.pictures], found.computed) == ([0, 1, 2], 0)


def test_a_second_time_neither_pictures_nor_bottlenecks_are_read(
    paths: list[Path],  # noqa: F811
    tmp_path: Path,
) -> None:
    first = compute(paths, tmp_path)
    archive = next(tmp_path.glob(f"*{SUFFIX}"))
    before = archive.read_bytes()
    next(tmp_path.glob("*.bottlenecks")).unlink()
    again = compute(paths[::-1], tmp_path)
    assert np.array_equal(coordinates_of(again).reshape(3, 2, -1), coordinates_of(first).reshape(3, 2, -1)[::-1])
    assert [p.digest for p in again.pictures] == [p.digest for p in first.pictures][::-1]
    assert (archive.read_bytes(), again.computed) == (before, 0)
    assert not list(tmp_path.glob("*.bottlenecks"))


def test_what_is_known_does_not_depend_on_what_came_before(
    paths: list[Path],  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same pictures have the same coordinates, to the bit, whichever were there in between."""
    monkeypatch.setattr(projection, "SAMPLE", 3)
    first = compute(paths, tmp_path)
    fewer = compute(paths[:2], tmp_path)
    assert coordinates_of(fewer).shape[0] == 4
    again = compute(paths, tmp_path)
    assert np.array_equal(coordinates_of(again), coordinates_of(first))


def test_what_is_no_picture_is_named_and_the_others_go_on(
    paths: list[Path],  # noqa: F811
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    paths[1].write_bytes(b"no picture")
    found = compute([*paths, tmp_path / "gone.jpg"], tmp_path)
    assert [picture.position for picture in found.pictures] == [0, 2]
    assert coordinates_of(found).shape[0] == 4
    assert len(found.skipped) == 2
    assert caplog.text.count("1.jpg") == 1
    assert caplog.text.count("gone.jpg") == 1
    for path in paths:
        path.write_bytes(b"no picture")
    with pytest.raises(AudionetError, match="none of its pictures can be used; make them anew"):
        compute(paths, tmp_path)


def test_copies_share_their_coordinates(paths: list[Path], tmp_path: Path) -> None:  # noqa: F811
    shutil.copy(paths[0], paths[2])
    for _ in range(2):
        found = compute(paths, tmp_path)
        rows = coordinates_of(found).reshape(3, 2, -1)
        assert np.array_equal(rows[0], rows[2])
        assert not np.array_equal(rows[0], rows[1])


@pytest.mark.parametrize("damage", ["flipped bit", "cut off", "another file"])
def test_a_damaged_archive_is_made_anew(
    damage: str,
    paths: list[Path],  # noqa: F811
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = compute(paths, tmp_path)
    archive = next(tmp_path.glob(f"*{SUFFIX}"))
    content = archive.read_bytes()
    middle = len(content) // 2
    damaged = {
        "flipped bit": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
        "cut off": content[:middle],
        "another file": b"something else",
    }
    archive.write_bytes(damaged[damage])
    again = compute(paths, tmp_path)
    assert "damaged; it is made anew" in caplog.text
    assert np.array_equal(coordinates_of(again), coordinates_of(first))
    assert archive.read_bytes() == content
