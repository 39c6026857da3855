import math
import re

import numpy as np
import pytest

from audionet.audio.levels import clipped_share, level_db
from audionet.dataset.checks import ClassData, check_data, class_data, mostly_repeats
from audionet.dataset.samples import Sample
from audionet.settings import PictureSettings
from tests.conftest import sample_of, tone


def pieces_of(**recordings: int) -> list[Sample]:
    """So many recordings of each class, of two chunks of 10 seconds, with nothing wrong with them."""
    return [
        sample_of(name, f"{n}.wav", 10.0 * chunk, 10.0 * chunk + 10)._replace(
            digest=f"{name} {n} {chunk}".encode(), level_db=-20.0, clipped=0.0
        )
        for name, count in recordings.items()
        for n in range(count)
        for chunk in range(2)
    ]


def spread(pieces: list[Sample]) -> np.ndarray:
    """Coordinates in which all pieces are equally far from each other."""
    return np.eye(len(pieces))


def test_good_data_give_no_warning() -> None:
    pieces = pieces_of(a=3, b=3)
    assert check_data(pieces, spread(pieces)) == []


def test_classes_that_are_short_of_recordings_are_named() -> None:
    pieces = pieces_of(a=2, b=3)
    (warning,) = check_data(pieces, spread(pieces))
    assert warning.startswith("class 'a' has fewer than 3 recordings: add some")
    pieces = pieces_of(a=2, b=2, c=2, d=2, e=3)
    (warning,) = check_data(pieces, spread(pieces))
    assert warning.startswith("classes 'a', 'b', 'c' and 1 more have fewer than 3 recordings")


def test_unequal_lengths_are_told_in_words() -> None:
    pieces = pieces_of(a=20, b=3)
    (warning,) = check_data(pieces, spread(pieces))
    assert warning.startswith("class 'a' has 7 min of sound, 'b' only 60 s")


def test_overlapping_chunks_count_their_sound_once() -> None:
    pieces = [sample_of("a", "1.wav", start, start + 2, digest=bytes([start])) for start in (0, 1, 2, 8)]
    assert class_data(pieces) == [ClassData("a", 1, 4, 6.0)]


@pytest.mark.parametrize(
    ("fault", "what"),
    [({"clipped": 0.01}, "clipped, in a/1.wav (2 times)"), ({"level_db": -61}, "silent, in a/1.wav (2 times)")],
)
def test_clipped_and_silent_chunks_are_named(fault: dict[str, float], what: str) -> None:
    pieces = [
        piece._replace(**fault) if piece.recording == "a/1.wav" else piece  # type: ignore[arg-type]
        for piece in pieces_of(a=3, b=3)
    ]
    (warning,) = check_data(pieces, spread(pieces))
    assert f"2 chunks are {what}" in warning


def test_the_same_sound_in_two_classes_is_found_by_its_picture() -> None:
    pieces = pieces_of(a=3, b=3)
    pieces[-1] = pieces[-1]._replace(digest=pieces[0].digest)
    (warning,) = check_data(pieces, spread(pieces))
    assert warning.startswith("a/0.wav and b/2.wav hold the same sound but lie in two classes")


def test_the_same_sound_encoded_twice_is_found_by_how_near_it_lies() -> None:
    pieces = pieces_of(a=3, b=3)
    coordinates = spread(pieces)
    coordinates[-1] = coordinates[0] + 0.1 * coordinates[1]
    (warning,) = check_data(pieces, coordinates)
    assert warning.startswith("a/0.wav and b/2.wav hold the same sound")


def test_silence_in_two_classes_is_no_copy() -> None:
    pieces = [piece._replace(level_db=-120.0, digest=b"black") for piece in pieces_of(a=3, b=3)]
    (warning,) = check_data(pieces, np.zeros((len(pieces), 2)))
    assert "12 chunks are silent" in warning


def test_levels_and_clipping_of_known_sounds() -> None:
    assert level_db(tone(1000, 1, amplitude=1.0)) == pytest.approx(20 * math.log10(math.sqrt(0.5)), abs=0.1)
    assert level_db(tone(1000, 1, amplitude=0.01)) == pytest.approx(-43.0, abs=0.1)
    assert level_db(np.zeros(100, np.int16)) == -120
    assert clipped_share(tone(1000, 1, amplitude=0.9)) == 0
    square = np.repeat(np.array([32767, -32768, 0, 0], np.int16), 100)
    assert clipped_share(square) == 0.5


@pytest.mark.parametrize(
    ("lengths", "wanted"),
    [
        ([5.0] * 40, ["--chunk-seconds 5 "]),
        ([0.3, 0.6] * 20, ["--chunk-seconds 1 "]),
        ([2.0] * 30 + [7.3] * 8, ["--chunk-seconds 2 "]),
        ([2.0] * 25 + [7.3] * 13, ["--chunk-seconds 8 "]),
        ([2.0] * 19, []),  # too few to say
        ([20.0] * 30 + [3.0] * 20, []),  # the ends of long recordings
        ([2.0] * 30 + [20.0] * 20, []),  # the long ones would be cut apart
        ([11.0] * 40, []),
    ],
)
def test_where_most_pictures_are_mostly_repeats_a_shorter_chunk_is_named(
    lengths: list[float], wanted: list[str]
) -> None:
    found = mostly_repeats(lengths, PictureSettings())
    assert [re.search(r"--chunk-seconds \d+ ", sentence)[0] for sentence in found] == wanted  # type: ignore[index]
    assert mostly_repeats(lengths, PictureSettings(1)) == []
