import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from audionet.bottleneck.backbone import Backbone, Interpreter, load_backbone
from audionet.bottleneck.cache import HEADER, Cache, cache_path
from audionet.bottleneck.extractor import DIGESTS_NAME, BottleneckExtractor, Bottlenecks
from audionet.errors import AudionetError
from audionet.settings import PictureSettings
from audionet.spectrogram import jpeg as pictures
from audionet.spectrogram.augmentation import ORIGINAL, Augmentation, augment, number_rows
from audionet.spectrogram.jpeg import Origin
from audionet.spectrogram.transform import SpectrogramRenderer

RENDERER = SpectrogramRenderer.make(PictureSettings())
FINGERPRINT = RENDERER.fingerprint


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return load_backbone("rows", Path())


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Three pictures of noise."""
    random = np.random.default_rng(0)
    found = []
    for n in range(3):
        path = tmp_path / f"{n}.jpg"
        noise = random.integers(0, 255, (299, 299)).astype(np.uint8)
        path.write_bytes(pictures.encode(noise, Origin(FINGERPRINT, 0, 20)))
        found.append(path)
    return found


def positions(found: Bottlenecks) -> list[int]:
    return [picture.position for picture in found.pictures]


def compute(paths: list[Path], backbone: Backbone, folder: Path) -> Bottlenecks:
    return BottleneckExtractor(backbone, RENDERER, folder).extract(paths)


def test_they_are_the_trunks_output(paths: list[Path], backbone: Backbone, tmp_path: Path) -> None:
    found = compute(paths, backbone, tmp_path)
    picture, _ = pictures.decode(paths[1].read_bytes(), paths[1])
    expected = Interpreter(backbone.flatbuffer).run(picture)[0].ravel().astype(np.float16)
    assert np.array_equal(found.features[1], expected)
    assert (positions(found), found.computed) == ([0, 1, 2], 3)


def test_of_a_picture_seen_in_part_they_are_those_of_the_part(
    paths: list[Path], backbone: Backbone, tmp_path: Path
) -> None:
    whole = compute(paths, backbone, tmp_path)
    part = Augmentation(part=0.25, start=0.5)
    augmentations = [ORIGINAL, Augmentation(part=0.5, start=0.5)]
    seen = BottleneckExtractor(backbone, RENDERER, tmp_path, augmentations, parts={paths[1]: part}).extract(paths)
    picture, _ = pictures.decode(paths[1].read_bytes(), paths[1])
    for number, expected in enumerate((part, Augmentation(part=0.125, start=0.625))):
        alone = Interpreter(backbone.flatbuffer).run(augment(picture, 299, RENDERER, expected))[0].ravel()
        assert np.array_equal(seen.features[2 + number], alone.astype(np.float16))
    assert np.array_equal(seen.features[[0, 4]], whole.features[[0, 2]])
    # Seen as a whole again, it is what it was.
    assert np.array_equal(compute(paths, backbone, tmp_path).features, whole.features)


def test_a_second_time_nothing_is_computed(paths: list[Path], backbone: Backbone, tmp_path: Path) -> None:
    first = compute(paths, backbone, tmp_path)
    cache = cache_path(tmp_path, backbone, FINGERPRINT)
    before = cache.read_bytes()
    again = compute(paths[::-1], backbone, tmp_path)
    assert again.computed == 0
    assert np.array_equal(again.features, first.features[::-1])
    assert cache.read_bytes() == before


def test_augmentations_are_cached_beside_the_pictures(paths: list[Path], backbone: Backbone, tmp_path: Path) -> None:
    first = compute(paths, backbone, tmp_path)
    faster = BottleneckExtractor(backbone, RENDERER, tmp_path, [ORIGINAL, Augmentation(1.06)]).extract(paths)
    assert faster.computed == 3
    assert np.array_equal(faster.features[::2], first.features)
    assert not np.array_equal(faster.features[1::2], first.features)
    again = BottleneckExtractor(backbone, RENDERER, tmp_path, [Augmentation(1.06)]).extract(paths)
    assert again.computed == 0
    assert np.array_equal(again.features, faster.features[1::2])


def test_an_augmentation_may_be_made_of_some_pictures_alone(
    paths: list[Path], backbone: Backbone, tmp_path: Path
) -> None:
    digests = [hashlib.sha256(path.read_bytes()).digest() for path in paths]
    every = next(n for n in range(2, 256) if sum(digest[-1] % n == 0 for digest in digests) in (1, 2))
    faster = [ORIGINAL, Augmentation(1.06), Augmentation(0.94)]
    some = [ORIGINAL, Augmentation(1.06, every=every), Augmentation(0.94)]
    of_all, of_some = (
        BottleneckExtractor(backbone, RENDERER, tmp_path, each).extract(paths) for each in (faster, some)
    )
    rows = number_rows(some, digests)
    assert len(of_some.features) == (rows >= 0).sum() < 9
    for row, expected in zip(rows.ravel(), of_all.features, strict=True):
        assert row < 0 or np.array_equal(of_some.features[row], expected)


def test_only_a_changed_picture_is_computed_anew(paths: list[Path], backbone: Backbone, tmp_path: Path) -> None:
    first = compute(paths, backbone, tmp_path)
    paths[1].write_bytes(pictures.encode(np.zeros((299, 299), np.uint8), Origin(FINGERPRINT, 0, 20)))
    again = compute(paths, backbone, tmp_path)
    assert again.computed == 1
    assert np.array_equal(again.features[[0, 2]], first.features[[0, 2]])
    assert not np.array_equal(again.features[1], first.features[1])


def test_other_settings_or_weights_have_their_own_cache(backbone: Backbone, tmp_path: Path) -> None:
    other = Backbone(backbone.name, backbone.flatbuffer + b"\0")
    caches = {
        cache_path(tmp_path, backbone, "a"),
        cache_path(tmp_path, backbone, "b"),
        cache_path(tmp_path, other, "a"),
    }
    assert len(caches) == 3


@pytest.mark.parametrize("cut", [1, 5000, 26_000])
def test_a_half_written_record_is_made_anew_with_a_note(
    paths: list[Path], backbone: Backbone, tmp_path: Path, cut: int, caplog: pytest.LogCaptureFixture
) -> None:
    first = compute(paths, backbone, tmp_path)
    cache = cache_path(tmp_path, backbone, FINGERPRINT)
    whole = cache.read_bytes()
    cache.write_bytes(whole[:-cut])
    again = compute(paths, backbone, tmp_path)
    assert again.computed == 1
    assert np.array_equal(again.features, first.features)
    assert cache.read_bytes() == whole
    assert caplog.text.count("ends within a bottleneck") == 1
    compute(paths, backbone, tmp_path)
    assert caplog.text.count("ends within a bottleneck") == 1


def test_what_is_added_after_a_half_written_record_is_found_at_once(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    given = [(bytes([n]) * 32, random.random(7).astype(np.float16)) for n in range(3)]
    path = tmp_path / "c"
    Cache(path, 7).append(given[:2])
    path.write_bytes(path.read_bytes()[:-3])
    cache = Cache(path, 7)
    assert cache.find(given[1][0]) is None
    cache.append(given[1:])
    for one in (cache, Cache(path, 7)):
        assert all(np.array_equal(one.find(digest), features) for digest, features in given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "note"),
    [(b"", ""), (HEADER, ""), (b"0.1,0.2,0.3" * 10000, "not a bottleneck cache of this version")],
)
def test_a_cache_of_nothing_is_begun_and_a_file_of_another_kind_is_replaced_with_a_note(
    paths: list[Path], backbone: Backbone, tmp_path: Path, content: bytes, note: str, caplog: pytest.LogCaptureFixture
) -> None:
    cache_path(tmp_path, backbone, FINGERPRINT).write_bytes(content)
    assert compute(paths, backbone, tmp_path).computed == 3
    assert note in caplog.text if note else not caplog.text
    assert compute(paths, backbone, tmp_path).computed == 0


def test_the_picture_as_it_is_goes_by_its_own_digest(backbone: Backbone, tmp_path: Path) -> None:
    """So that what was cached before there were augmentations is found."""
    extractor = BottleneckExtractor(backbone, RENDERER, tmp_path, [Augmentation(1.06), ORIGINAL, Augmentation(0.94)])
    keys = extractor.keys(b"x" * 32)
    assert keys[1] == b"x" * 32
    assert len({*keys, *extractor.keys(b"y" * 32)}) == 6


def test_progress_begins_at_none_and_ends_with_all(paths: list[Path], backbone: Backbone, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    extractor = BottleneckExtractor(backbone, RENDERER, tmp_path)
    extractor.extract(paths, lambda *said: told.append(said))
    assert told[0] == ("bottlenecks", 0, 3)
    assert told[-1] == ("bottlenecks", 3, 3)


def test_a_picture_that_has_gone_is_skipped_and_named(paths: list[Path], backbone: Backbone, tmp_path: Path) -> None:
    gone, folder = tmp_path / "gone.jpg", tmp_path / "folder.jpg"
    folder.mkdir()
    extractor = BottleneckExtractor(backbone, RENDERER, tmp_path)
    found = extractor.extract([gone, paths[0], folder])
    assert positions(found) == [1]
    assert [(Path(error.path).name, error.reason) for error in found.skipped] == [
        ("gone.jpg", "cannot be read (No such file or directory)"),
        ("folder.jpg", "is a folder; run audionet prepare again"),
    ]
    identified = [extractor.identify(path) for path in (gone, paths[0])]
    assert str(identified[0]) == str(found.skipped[0])
    assert identified[1] == found.pictures[0].digest


def test_a_flipped_bit_is_noticed(
    paths: list[Path], backbone: Backbone, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = compute(paths, backbone, tmp_path)
    cache = cache_path(tmp_path, backbone, FINGERPRINT)
    content = bytearray(cache.read_bytes())
    content[len(HEADER) + 1000] ^= 4
    cache.write_bytes(content)
    again = compute(paths, backbone, tmp_path)
    assert again.computed == 1
    assert np.array_equal(again.features, first.features)
    assert "a damaged bottleneck is made anew" in caplog.text
    assert compute(paths, backbone, tmp_path).computed == 0


def test_a_damaged_or_foreign_picture_is_skipped_and_named(
    paths: list[Path], backbone: Backbone, tmp_path: Path
) -> None:
    paths[0].write_bytes(paths[0].read_bytes()[:100])
    paths[2].write_bytes(pictures.encode(np.zeros((299, 299), np.uint8), Origin("another", 0, 20)))
    found = compute(paths, backbone, tmp_path)
    assert positions(found) == [1]
    assert [Path(error.path).name for error in found.skipped] == ["0.jpg", "2.jpg"]
    assert "other settings" in found.skipped[1].reason


def test_unchanged_pictures_are_not_read_again(paths: list[Path], backbone: Backbone, tmp_path: Path) -> None:
    for n, path in enumerate(paths):
        os.utime(path, (1_700_000_000 + n, 1_700_000_000 + n))
    first = compute(paths, backbone, tmp_path)
    size, times = paths[0].stat().st_size, (paths[0].stat().st_atime_ns, paths[0].stat().st_mtime_ns)
    paths[0].write_bytes(b"?" * size)  # no picture any more, which shows only to who reads it
    os.utime(paths[0], ns=times)
    again = compute(paths, backbone, tmp_path)
    assert (again.computed, again.pictures) == (0, first.pictures)
    assert np.array_equal(again.features, first.features)
    os.utime(paths[0])
    assert positions(compute(paths, backbone, tmp_path)) == [1, 2]


def test_a_picture_that_has_just_changed_is_read_again(paths: list[Path], backbone: Backbone, tmp_path: Path) -> None:
    compute(paths, backbone, tmp_path)
    status = paths[0].stat()
    paths[0].write_bytes(b"?" * status.st_size)
    os.utime(paths[0], ns=(status.st_atime_ns, status.st_mtime_ns))  # as within one tick of a coarse clock
    assert positions(compute(paths, backbone, tmp_path)) == [1, 2]


@pytest.mark.parametrize(
    "damage", ["cut off", "a list", "null", "3", "[1, 2]", "[SIZE, TIME, 3]", '[SIZE, TIME, "ab"]']
)
def test_a_damaged_list_of_pictures_is_begun_anew(
    paths: list[Path], backbone: Backbone, tmp_path: Path, damage: str
) -> None:
    for n, path in enumerate(paths):
        os.utime(path, (1_700_000_000 + n, 1_700_000_000 + n))
    first = compute(paths, backbone, tmp_path)
    known = tmp_path / DIGESTS_NAME
    before = known.read_bytes()
    status = paths[1].stat()
    if damage == "cut off":
        known.write_text('{"x": 3')
    elif damage == "a list":
        known.write_text("[1]")
    else:
        entry = damage.replace("SIZE", str(status.st_size)).replace("TIME", str(status.st_mtime_ns))
        known.write_text(json.dumps(json.loads(before) | {str(paths[1]): json.loads(entry)}))
    again = compute(paths, backbone, tmp_path)
    assert (again.pictures, again.computed) == (first.pictures, 0)
    assert json.loads(known.read_bytes()) == json.loads(before)


def test_a_recording_in_place_of_the_folder_is_not_said_to_be_deleted(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    with pytest.raises(AudionetError, match=r"a\.wav.c: cannot be written \(Not a directory\); name another place"):
        Cache(tmp_path / "a.wav" / "c", 7)
