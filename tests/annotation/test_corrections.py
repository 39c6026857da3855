"""Corrections of parts of recordings, against a line of tenths of seconds that are painted over one by one."""

import math
from pathlib import Path

import numpy as np
import pytest

from audionet.annotation.corrections import corrected
from audionet.audio.chunks import Part
from audionet.dataset.folders import Recording

LENGTH = 300  # tenths of seconds


@pytest.fixture
def night(tmp_path: Path) -> Path:
    path = tmp_path / "data_audio" / "owl" / "night.wav"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"sound")
    return path


def learnt(night: Path, rows: list[str], parts: tuple[Part, ...] = ()) -> dict[str, tuple[Part, ...]]:
    """The parts of each class, of a recording of owls and what corrections say of it."""
    data_audio = night.parent.parent
    table = data_audio.parent / "corrections.csv"
    table.write_text("\n".join(["path,start,end,label", *rows]) + "\n")
    recordings, wrong = corrected([Recording("owl", "owl/night.wav", night, parts=parts)], table, data_audio)
    assert not wrong
    return {recording.class_name: recording.parts for recording in recordings}


@pytest.mark.parametrize("seed", range(10))
def test_each_second_is_of_the_last_correction_of_it(night: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    names = ["", "owl", "wren", "crow"]  # "": not to be learnt
    painted = np.zeros(LENGTH, int)
    painted[20:100] = painted[150:250] = 1
    rows = []
    for start, length, name in random.integers([0, 1, 0], [LENGTH - 60, 60, 4], (25, 3)).tolist():
        rows.append(f"owl/night.wav,{start / 10},{(start + length) / 10},{names[name]}")
        painted[start : start + length] = name
    found = learnt(night, rows, (Part(2, 10), Part(15, 25)))
    heard = np.zeros(LENGTH, int)
    for name, parts in found.items():
        for start, end in parts:
            heard[round(start * 10) : round(end * 10)] = names.index(name)
    assert (heard == painted).all()


def test_tens_of_thousands_of_corrections_of_one_recording_take_a_moment(night: Path) -> None:
    rows = [f"owl/night.wav,{n},{n + 1.5},{'wren' if n % 2 else 'crow'}" for n in range(30_000)]
    found = learnt(night, rows)
    assert [len(found[name]) for name in ("crow", "wren", "owl")] == [15_000, 15_000, 1]
    assert found["crow"][:2] == (Part(0, 1), Part(2, 3))
    assert found["owl"] == (Part(30_000.5, math.inf),)


def test_what_is_left_over_is_joined_before_it_is_too_short(night: Path) -> None:
    rows = [f"owl/night.wav,{n / 20},{n / 20 + 1},wren" for n in range(40)]
    found = learnt(night, [*rows, "owl/night.wav,3.05,10,crow"])
    assert found["wren"] == (Part(0, 2.95),)
    assert found["crow"] == (Part(3.05, 10),)
    assert found["owl"] == (Part(2.95, 3.05), Part(10, math.inf))


def test_a_path_that_no_file_can_have_is_named(night: Path) -> None:
    data_audio = night.parent.parent
    table = data_audio.parent / "corrections.csv"
    table.write_text(f"path,label\n{'x' * 5000}.wav,wren\n{'y/' * 3000},wren\nowl/night.wav,wren\n")
    recordings, wrong = corrected([Recording("owl", "owl/night.wav", night)], table, data_audio)
    assert [recording.class_name for recording in recordings] == ["wren"]
    assert len(wrong) == 2
