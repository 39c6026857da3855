from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

from audionet.dataset.samples import Dataset, Sample
from audionet.errors import AudionetError
from audionet.options import SplitOptions
from audionet.settings import OWN_FOLDS
from audionet.training.folds import cluster_groups, folds, plan_evaluation
from tests.conftest import sample_of


def samples_of(recordings: list[str]) -> list[Sample]:
    return [sample_of("a", recording, n, n + 1) for n, recording in enumerate(recordings)]


def test_it_finds_the_voices_behind_the_words() -> None:
    """Words are the classes; four voices, which differ much more than the words, are to be found."""
    random = np.random.default_rng(0)
    words, voices = random.normal(0, 1, (10, 40)), random.normal(0, 2, (4, 40))
    word, voice = (grid.ravel() for grid in np.meshgrid(np.arange(10), np.arange(4)))
    sounds = words[word] + voices[voice] + random.normal(0, 0.3, (40, 40))
    found = cluster_groups(sounds, word.astype(np.int32), samples_of([str(n) for n in range(40)]), [0] * 40)
    for group in set(found):
        assert len({v for v, g in zip(voice.tolist(), found, strict=True) if g == group}) == 1


def test_pictures_of_a_recording_stay_together() -> None:
    random = np.random.default_rng(1)
    recordings = [str(n // 3) for n in range(60)]
    found = cluster_groups(
        random.normal(0, 1, (60, 8)), np.arange(60, dtype=np.int32) // 30, samples_of(recordings), [0] * 60
    )
    assert all(len(set(found[n : n + 3])) == 1 for n in range(0, 60, 3))


def test_a_class_in_one_group_takes_its_fallback() -> None:
    sounds = np.zeros((8, 4))
    sounds[:4, 0] = [1, -1, 2, -2]
    found = cluster_groups(
        sounds, np.repeat(np.arange(2, dtype=np.int32), 4), samples_of([str(n) for n in range(8)]), [0, 1, 2, 3] * 2
    )
    assert found[4:].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(("recordings", "count"), [(10, 5), (29, 5), (30, None)])
def test_where_a_class_has_few_recordings_there_are_folds(recordings: int, count: int | None) -> None:
    """One of ten held out would say next to nothing."""
    classes = {"a": recordings, "b": 40}
    samples = [sample_of(name, f"{name} {n}", 0, 1) for name, many in classes.items() for n in range(many)]
    found = plan_evaluation(Dataset(samples), SplitOptions()).folds
    assert count == (None if found is None else len(set(found)))


def test_recordings_of_one_group_are_not_called_one_recording() -> None:
    many = [sample_of("ben", str(n), 0, 1) for n in range(3)]
    segments = [sample_of("anna", "debate", n, n + 1, sha256=f"segment {n}") for n in range(3)]
    for of_anna, said in (
        (segments, "class 'anna' has recordings of one group alone: what is measured on other parts of the same group"),
        (
            [sample._replace(sha256="debate") for sample in segments],
            "class 'anna' has one recording: what is measured on other parts of the same recording",
        ),
        (
            [sample._replace(sha256="debate", recording=f"anna/{n}.wav") for n, sample in enumerate(segments)],
            "class 'anna' has copies of one recording alone: what is measured on other parts of the same recording",
        ),
        (segments[:1], "class 'anna' has one picture, which cannot be held out"),
    ):
        (note,) = plan_evaluation(Dataset([*of_anna, *many]), SplitOptions()).split.notes
        assert note.startswith(said)


def test_a_class_is_not_left_in_one_fold_by_the_groups_that_it_shares() -> None:
    """Species that were heard at two of ten places each, as others were."""
    random = np.random.default_rng(0)
    places = [(f"species {n}", str(place)) for n in range(20) for place in random.choice(10, 2, replace=False)]
    samples = [
        sample_of(species, place, n, n + 1, sha256=f"{species} {place}") for species, place in places for n in (0, 1)
    ]
    found = folds(samples, 5)
    assert sorted(set(found)) == [0, 1, 2, 3, 4]
    for place in range(10):
        assert len({fold for fold, sample in zip(found, samples, strict=True) if sample.group == str(place)}) <= 1
    for species in range(20):
        of_species = {
            fold for fold, sample in zip(found, samples, strict=True) if sample.class_name == f"species {species}"
        }
        assert len(of_species) == 2
    assert not plan_evaluation(Dataset(samples), SplitOptions()).split.notes


def test_a_class_that_lies_in_one_fold_is_said_to_be_unmeasured() -> None:
    """In the data set's own folds: one of several recordings, and one of a single recording."""
    spread = [sample_of("anna", str(n), 0, 1, fold=n) for n in range(3)]
    several = [sample_of("ben", f"b{n}", 0, 1, fold=1) for n in range(3)]
    alone = [sample_of("carl", "c", n, n + 1, fold=2) for n in range(3)]
    (note,) = plan_evaluation(Dataset([*spread, *several, *alone]), SplitOptions(folds=OWN_FOLDS)).split.notes
    assert note.startswith("2 classes have all recordings in one fold ('ben', 'carl'), which cannot be held out then")
    (note,) = plan_evaluation(Dataset([*spread, *several]), SplitOptions(folds=OWN_FOLDS)).split.notes
    assert note.startswith("class 'ben' has all recordings in one fold")


@pytest.mark.parametrize(
    ("numbers", "asked", "said"),
    [
        (
            [None] * 6,
            OWN_FOLDS,
            "the recordings come without folds of their own; say how many folds to make",
        ),
        ([1] * 6, OWN_FOLDS, "all recordings have the same fold; say how many folds to make"),
        ([1, 2, None, 1, 2, 3], OWN_FOLDS, "1 recording without a fold, such as a/2; say how many folds to make"),
        ([1, 2, None, 1, 2, 3], 3, "folds are made, and those of the table not used: 1 recording without a fold"),
        ([1, 2, 3, 1, 2, 3], 5, "not 5 folds, but 3: these are the data set's own"),
        ([None] * 6, 10, "not 10 folds, but 3: no class has more recordings, or groups of them"),
        ([None] * 6, 3, ""),
    ],
)
def test_folds_that_are_not_those_asked_for_are_told_of(
    numbers: list[int | None], asked: int, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    samples = [sample_of("ab"[n // 3], f"{n}", 0, 1, fold=number) for n, number in enumerate(numbers)]
    refused: Any = pytest.raises(AudionetError, match=said) if asked == OWN_FOLDS else nullcontext()
    with refused:
        plan_evaluation(Dataset(samples), SplitOptions(folds=asked))
    assert [message.startswith(said) for message in caplog.messages] == [True] * (asked != OWN_FOLDS and bool(said))
