from collections import Counter, defaultdict

import numpy as np
import pytest

from audionet.dataset.samples import Sample
from audionet.training.folds import folds
from audionet.training.split import (
    PARTS,
    TEST,
    TRAIN,
    VALIDATION,
    non_overlapping_train_mask,
    percentage_hash,
    split,
)
from tests.conftest import sample_of


def items(class_name: str, recordings: int, chunks: int = 3, seconds: float = 20, overlap: float = 0) -> list[Sample]:
    step = seconds - overlap
    return [
        sample_of(class_name, f"{class_name}-{r}", c * step, c * step + seconds)
        for r in range(recordings)
        for c in range(chunks)
    ]


def recordings_in(all_items: list[Sample], parts: list[str | None]) -> dict[str, set[str]]:
    found = defaultdict(set)
    for item, part in zip(all_items, parts, strict=True):
        found[str(part)].add(item.group)
    return found


def test_a_recording_is_never_on_two_sides() -> None:
    all_items = items("a", 40) + items("b", 25)
    found = recordings_in(all_items, split(all_items, 10, 10).parts)
    assert not found[TRAIN] & found[TEST]
    assert not found[TRAIN] & found[VALIDATION]
    assert not found[VALIDATION] & found[TEST]


@pytest.mark.parametrize("seed", range(30))
def test_a_recording_with_several_classes_is_on_one_side_for_all_of_them(seed: int) -> None:
    """As talks are in which several people are marked: each of them must still be in every part."""
    random = np.random.default_rng(seed)
    talks = [f"talk {seed} {n}" for n in range(8)]
    given = [
        sample_of(who, talk, 10 * n, 10 * n + 5)
        for who, share in [("anna", 0.9), ("ben", 0.6), ("carl", 0.4), ("dora", 0.0)]
        for n, talk in enumerate([*talks[:3], *(talk for talk in talks[3:] if random.random() < share)])
    ]
    divided = split(given, 10, 10)
    sides = defaultdict(set)
    for sample, part in zip(given, divided.parts, strict=True):
        sides[sample.group].add(part)
    assert {len(side) for side in sides.values()} == {1}
    assert divided.notes == []
    for name in ("anna", "ben", "carl", "dora"):
        assert {part for sample, part in zip(given, divided.parts, strict=True) if sample.class_name == name} == set(
            PARTS
        )


def test_a_class_that_can_have_no_recording_to_itself_is_named() -> None:
    """Two classes of three recordings each share two: who gets the third to test on leaves the other without."""
    given = [sample_of(who, talk, 0, 5) for who, talks in [("anna", "abc"), ("ben", "abd")] for talk in talks]
    given += [sample_of(who, talk, 9, 14) for who in ("carl", "dora") for talk in "cde"]
    divided = split(given, 10, 10)
    left = {
        name: set(PARTS)
        - {part for sample, part in zip(given, divided.parts, strict=True) if sample.class_name == name}
        for name in ("anna", "ben", "carl", "dora")
    }
    assert 0 < len(divided.notes) == sum(map(bool, left.values()))
    for note, name in zip(divided.notes, [name for name, parts in left.items() if parts], strict=True):
        assert f"class '{name}' has no recording for {left[name].pop()}" in note


@pytest.mark.parametrize("seed", range(40))
def test_every_class_has_something_to_learn_from_whatever_recordings_it_shares(seed: int) -> None:
    random = np.random.default_rng(seed)
    given = [
        sample_of(f"class {n}", f"talk {seed} {talk}", 10 * n, 10 * n + 5)
        for n in range(5)
        for talk in random.choice(6, 3, replace=False)
    ]
    parts = split(given, 40, 50).parts
    learnt = {sample.class_name for sample, part in zip(given, parts, strict=True) if part == TRAIN}
    assert learnt == {f"class {n}" for n in range(5)}


def test_what_sounds_together_with_a_part_held_out_is_not_learnt() -> None:
    """Anna has one recording, which is split by time; ben speaks at the same time as she does."""
    anna = [sample_of("anna", "talk", start, start + 5) for start in range(0, 100, 5)]
    ben = [sample_of("ben", "talk", start + 1, start + 4) for start in (0, 80, 95)]
    ben += [sample_of("ben", f"other {n}", 0, 5) for n in range(9)]
    divided = split([*anna, *ben], 10, 10)
    held_out = [s for s, part in zip([*anna, *ben], divided.parts, strict=True) if part in (VALIDATION, TEST)]
    for sample, part in zip([*anna, *ben], divided.parts, strict=True):
        if part == TRAIN:
            assert not any(
                sample.group == other.group
                and sample.start_seconds < other.end_seconds
                and other.start_seconds < sample.end_seconds
                for other in held_out
            )


def test_the_shares_are_about_those_asked_for() -> None:
    all_items = items("a", 2000, 1)
    counts = Counter(split(all_items, 10, 20).parts)
    assert counts[TEST] / 2000 == pytest.approx(0.2, abs=0.03)
    assert counts[VALIDATION] / 2000 == pytest.approx(0.1, abs=0.02)


def test_the_part_of_a_recording_follows_from_its_hash_alone() -> None:
    all_items = items("a", 200, 1)
    for item, part in zip(all_items, split(all_items, 10, 10).parts, strict=True):
        position = percentage_hash(item.group)
        assert part == (TEST if position < 10 else VALIDATION if position < 20 else TRAIN)


def test_adding_recordings_moves_none() -> None:
    before, after = items("a", 100), items("a", 150)
    parts = dict(zip(after, split(after, 10, 10).parts, strict=True))
    assert [parts[item] for item in before] == split(before, 10, 10).parts


def test_the_order_of_files_does_not_matter() -> None:
    all_items = items("a", 7) + items("b", 2) + items("c", 1, 10)
    there = dict(zip(all_items, split(all_items, 10, 10).parts, strict=True))
    back = dict(zip(all_items[::-1], split(all_items[::-1], 10, 10).parts, strict=True))
    assert there == back


@pytest.mark.parametrize("recordings", [3, 4, 5, 6, 10])
@pytest.mark.parametrize("name", ["a", "b", "c", "d", "e"])
def test_every_class_is_in_every_part_from_three_recordings_on(recordings: int, name: str) -> None:
    all_items = items(name, recordings)
    divided = split(all_items, 10, 10)
    assert {len(v) > 0 for v in recordings_in(all_items, divided.parts).values()} == {True}
    assert set(divided.parts) == set(PARTS)
    assert divided.notes == []


def test_a_class_short_of_recordings_is_split_by_time_and_named() -> None:
    all_items = items("many", 5) + items("few", 1, 20)
    divided = split(all_items, 10, 10)
    few = [part for item, part in zip(all_items, divided.parts, strict=True) if item.class_name == "few"]
    assert few == [TRAIN] * 16 + [VALIDATION] * 2 + [TEST] * 2
    (note,) = divided.notes
    assert "class 'few' has 1 of the 3 recordings" in note
    assert "2 more recordings" in note
    assert "split by time" in note


def test_a_split_by_time_leaves_out_chunks_that_share_sound() -> None:
    all_items = items("a", 1, 10, seconds=4, overlap=1)
    parts = split(all_items, 10, 10).parts
    assert parts == [TRAIN] * 7 + [None, None, TEST] or parts == [TRAIN] * 7 + [None, VALIDATION, TEST]
    for i, item in enumerate(all_items):
        for j, other in enumerate(all_items):
            if parts[i] and parts[j] and parts[i] != parts[j]:
                assert item.end_seconds <= other.start_seconds or other.end_seconds <= item.start_seconds


def test_what_shares_sound_with_all_that_is_held_out_of_its_class_is_learnt_and_not_measured() -> None:
    """One recording of two chunks that overlap: if one is held out, the other can't be learnt."""
    divided = split([*items("many", 9), *items("two", 1, 2, seconds=20, overlap=5)], 10, 10)
    assert divided.parts[-2:] == [TRAIN, TRAIN]
    assert "too few chunks for test and validation" in divided.notes[0]


@pytest.mark.parametrize(("chunks", "expected"), [(1, [TRAIN]), (2, [TRAIN, TEST]), (3, [TRAIN, VALIDATION, TEST])])
def test_with_too_few_chunks_training_comes_first_then_test(chunks: int, expected: list[str]) -> None:
    divided = split(items("a", 1, chunks), 10, 10)
    assert divided.parts == expected
    assert ("too few chunks for" in divided.notes[0]) == (chunks < 3)


def test_a_percentage_of_zero_holds_nothing_out() -> None:
    all_items = items("a", 30) + items("b", 1)
    assert set(split(all_items, 0, 0).parts) == {TRAIN}
    assert VALIDATION not in split(all_items, 0, 10).parts


def test_folds_deal_out_recordings_and_cut_a_single_one_by_time() -> None:
    many, single = items("a", 10, 3), items("b", 1, 10)
    found = folds([*many, *single], 5)
    for item, fold in zip(many, found, strict=False):
        assert {f for i, f in zip(many, found, strict=False) if i.group == item.group} == {fold}
    assert sorted(found[:30]) == sorted([0, 1, 2, 3, 4] * 6)
    assert found[30:] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_all_recordings_of_a_class_that_shares_them_do_not_lie_in_one_fold() -> None:
    given = [sample_of("all", f"{n}", 0, 5) for n in range(20)]
    for i in range(20):
        for j in range(i):
            pair = [sample_of("few", f"{n}", 7, 12) for n in (i, j)]
            found = folds([*given, *pair], 5)
            assert found[20] != found[21]
            assert (found[i], found[j]) == (found[20], found[21])


def test_more_folds_than_recordings_hold_out_each_alone_and_cost_nothing() -> None:
    all_items = items("a", 4) + items("b", 6) + items("c", 1, chunks=9)
    most = folds(all_items, 2**31 - 1)
    assert most == folds(all_items, 11)
    assert [len({most[i] for i, item in enumerate(all_items) if item.class_name == name}) for name in "abc"] == [
        4,
        6,
        9,
    ]


def test_folds_do_not_depend_on_the_order_of_the_files() -> None:
    given = [*items("a", 7, 2), *items("b", 4, 3)]
    backwards = folds(given[::-1], 3)[::-1]
    assert folds(given, 3) == backwards


def test_what_shares_sound_with_the_held_out_is_not_trained_on() -> None:
    given = items("a", 1, 6, seconds=4, overlap=2)
    kept = non_overlapping_train_mask(given, np.arange(6) == 3)
    assert kept.tolist() == [True, True, False, False, False, True]
    kept = non_overlapping_train_mask(items("a", 2, 3), np.arange(6) < 3)
    assert kept.tolist() == [False] * 3 + [True] * 3


@pytest.mark.parametrize("seed", range(20))
def test_the_sweep_finds_what_comparing_all_pairs_finds(seed: int) -> None:
    random = np.random.default_rng(seed)
    given = [
        sample_of("ab"[n % 2], f"{n % 3}", start, start + random.uniform(0.5, 3))
        for n, start in enumerate(random.uniform(0, 20, 60).round(1).tolist())
    ]
    held_out = random.random(60) < 0.2
    kept = non_overlapping_train_mask(given, held_out)
    for sample, out, keep in zip(given, held_out, kept, strict=True):
        shared = any(
            other.group == sample.group
            and other.start_seconds < sample.end_seconds - 1e-4
            and sample.start_seconds < other.end_seconds - 1e-4
            for other, other_out in zip(given, held_out, strict=True)
            if other_out
        )
        assert keep == (not out and not shared)


def test_a_recording_of_twenty_thousand_chunks_is_split_in_a_moment() -> None:
    """All pairs of them would take minutes; a hundred times as many as in the tests above take a tenth of a second."""
    given = items("a", 1, 20_000, seconds=2, overlap=1)
    assert Counter(split(given, 10, 10).parts)[TEST] == 2000
    assert non_overlapping_train_mask(given, np.arange(20_000) % 5 == 0).sum() == 8_001


def test_a_speaker_of_several_words_is_in_one_fold() -> None:
    speakers = {"yes": "abcdefg", "no": "cdefgh", "left": "gaxyz"}
    given = [sample_of(word, who, 0, 1, sha256=f"{word} {who}") for word, names in speakers.items() for who in names]
    found: dict[str, set[int]] = {}
    for sample, fold in zip(given, folds(given, 3), strict=True):
        found.setdefault(sample.group, set()).add(fold)
    assert all(len(numbers) == 1 for numbers in found.values())
    for word, names in speakers.items():
        assert len(set.union(*(found[who] for who in names))) == 3, word


def test_recordings_of_one_group_are_not_called_one_recording() -> None:
    """Five of them, at one place."""
    low = [sample_of("low", "garden", 0, 1, sha256=str(n), recording=f"low/{n}") for n in range(5)]
    high = [sample_of("high", str(n), 0, 1) for n in range(5)]
    (note,) = split([*low, *high], 10, 10).notes
    assert note.startswith("class 'low' has 1 of the 3 groups that an honest split needs (add 2 more groups)")
