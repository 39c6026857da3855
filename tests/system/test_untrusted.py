"""The gate for what comes from outside, and each file that goes through it: nothing is a traceback."""

import dataclasses
import functools
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from audionet.annotation.metadata import find_labelled_recordings
from audionet.audio.levels import Conditions
from audionet.dataset.digests import Digests
from audionet.dataset.manifest import FILE_NAME, ChunkEntry, PictureIndex, RecordingEntry
from audionet.errors import AudionetError, UnusableInput
from audionet.options import AnnotationOptions
from audionet.settings import PictureSettings, SoundChoice
from audionet.spectrogram import jpeg
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system import untrusted
from audionet.system.files import JSON_BYTES_PER_VALUE, LARGEST_JSON_BYTES, read_json
from audionet.system.untrusted import Refused
from audionet.training.unknown import RejectionThresholds

HUGE = "1" + "0" * 400  # which JSON takes, and no float
# Written as they stand into JSON.
NO_NUMBERS = ["NaN", "Infinity", "1e999", "-1e999", HUGE, f"-{HUGE}", "1" * 5000, '"7"', "true", "null", "[]", "{}"]
NO_TEXTS = ['"\\ud800"', '"\\udcff x"', "7", "null", "[]", '"' + "x" * 100_000 + '"']


@pytest.mark.parametrize(
    ("check", "values"), [(untrusted.number, NO_NUMBERS), (untrusted.whole, NO_NUMBERS), (untrusted.text, NO_TEXTS)]
)
def test_what_is_no_number_or_no_text_is_refused(check: Callable[[Any], object], values: list[str]) -> None:
    for value in values:
        with pytest.raises(Refused):
            check(untrusted.parse_json(value.encode()))


@pytest.mark.parametrize("value", ["../x", "/x", "a/../../x", "a\0b", "a" * 256, "a/" * 3000, "\ud800", 7, None, []])
def test_what_is_no_name_in_a_folder_is_refused(value: object) -> None:
    with pytest.raises(Refused):
        untrusted.inner_path(value)


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":' * 100_000, b"", b"\xff\xfe[", b"nul"])
def test_what_is_no_json_is_refused(content: bytes) -> None:
    with pytest.raises(Refused):
        untrusted.parse_json(content)


def test_whatever_goes_wrong_while_something_is_taken_apart_is_one_exception() -> None:
    empty: dict[str, int] = {}
    by_ours = functools.partial(SoundChoice, channel="nowhere")
    for wrong in (lambda: empty["x"], lambda: 1 / 0, lambda: int("x"), lambda: float(10**400), by_ours):
        with pytest.raises(Refused), untrusted.taking_apart():
            wrong()


def picture_with(comment: bytes) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.zeros((299, 299), np.uint8)).save(file, "JPEG", comment=comment)
    return file.getvalue()


COMMENT = '{"audionet": "f", "start_seconds": START, "seconds": SECONDS}'


@pytest.mark.parametrize(
    "comment",
    ["[" * 20_000, *(COMMENT.replace("START", "0").replace("SECONDS", n) for n in (*NO_NUMBERS, "-5", "1e300"))]
    + [COMMENT.replace("SECONDS", "1").replace("START", n) for n in (*NO_NUMBERS, "-5", "1e300")],
    ids=lambda comment: comment[:70],
)
def test_a_picture_whose_comment_cannot_be_used_is_none_of_ours(comment: str) -> None:
    with pytest.raises(UnusableInput, match="is not a picture that audionet prepare made"):
        jpeg.decode(picture_with(comment.encode()), Path("a.jpg"))


@pytest.fixture(scope="module")
def index() -> PictureIndex:
    chunks = (ChunkEntry("low/a_nohash_0000", 0.0, 1.0, -20.0, 0.0, None, None),)
    entry = RecordingEntry(7, 7, "0" * 64, chunks, "speaker", 1)
    return PictureIndex(SpectrogramRenderer.make(PictureSettings(1, 0)), {"low/a.wav": entry})


def changed(content: Any, path: tuple[Any, ...], mark: str) -> None:
    for key in path[:-1]:
        content = content[key]
    content[path[-1]] = mark


RECORDING: tuple[Any, ...] = ("recordings", "low/a.wav")
NUMBERS: list[tuple[Any, ...]] = [(*RECORDING, name) for name in ("size_bytes", "mtime_ns", "fold")]
NUMBERS += [(*RECORDING, "chunks", 0, name) for name in ("start_seconds", "seconds", "level_db", "clipped")]
NUMBERS += [("pictures", name) for name in ("chunk_seconds", "overlap_seconds", "dynamic_range_db")] + [("format",)]
TEXTS: list[tuple[Any, ...]] = [(*RECORDING, "sha256"), (*RECORDING, "group"), ("pictures", "colormap")]
TEXTS += [(*RECORDING, "chunks", 0, "name")]
MAY_BE_NULL = ("fold", "level_db", "clipped", "group")


@pytest.mark.parametrize("path", [*NUMBERS, *TEXTS], ids=str)
def test_an_index_with_a_value_that_cannot_be_used_is_a_sentence(
    index: PictureIndex, tmp_path: Path, path: tuple[Any, ...]
) -> None:
    index.save(tmp_path)
    original = (tmp_path / FILE_NAME).read_text(encoding="utf-8")
    for value in NO_NUMBERS if path in NUMBERS else NO_TEXTS:
        if (value == "null" and path[-1] in MAY_BE_NULL) or (path[-1] == "name" and "udcff" in value):
            continue
        content = json.loads(original)
        changed(content, path, "@@")
        (tmp_path / FILE_NAME).write_text(json.dumps(content).replace('"@@"', value), encoding="utf-8")
        with pytest.raises(AudionetError, match="audionet prepare --force"):
            PictureIndex.load(tmp_path)


def test_an_index_that_can_be_loaded_can_be_saved_again(index: PictureIndex, tmp_path: Path) -> None:
    name = b"low/\xff_nohash_0000".decode(errors="surrogateescape")  # bytes that are no Unicode, as Linux has them
    entry = index.recordings["low/a.wav"]
    of_1601, of_2446 = -11_644_473_600 * 10**9, 15_032_385_535 * 10**9
    chunk = ChunkEntry(name, 0.0, 1.0, None, None, None, None)
    odd = RecordingEntry(7, of_1601, "0" * 64, (chunk,), None, None)
    entry = dataclasses.replace(entry, mtime_ns=of_2446)
    PictureIndex(index.renderer, {"low/a.wav": entry, "low/b.wav": odd}).save(tmp_path)
    loaded = PictureIndex.load(tmp_path)
    assert loaded is not None
    loaded.save(tmp_path)
    again = PictureIndex.load(tmp_path)
    assert again is not None
    assert again.recordings == loaded.recordings == {"low/a.wav": entry, "low/b.wav": odd}


@pytest.mark.parametrize(
    "entry", [*NO_NUMBERS, '[1, 2, "aa"]', f'[1e999, 2, "{"0" * 64}"]', f'[1, 2, "{"0" * 64}", 4]']
)
def test_a_list_of_checksums_keeps_what_can_be_saved_again(tmp_path: Path, entry: str) -> None:
    path, picture = tmp_path / "list.json", tmp_path / "a.jpg"
    good = f'[1, 2, "{"0" * 64}"]'
    if entry not in ("NaN", "Infinity"):
        path.write_text(f'{{"/x": {entry}, "\\ud800": {good}, "/y": {good}}}', encoding="utf-8")
    picture.write_bytes(b"content")
    digests = Digests(path)
    assert digests.remembered(picture) is None
    os.utime(picture, (1, 1))
    digests.read(picture)
    digests.save()
    assert Digests(path).remembered(picture) is not None


@pytest.mark.parametrize("value", [*NO_NUMBERS, "-1"])
def test_thresholds_that_are_no_numbers_are_refused(value: str) -> None:
    for name, other in (("lowest_score", "longest_distance"), ("longest_distance", "lowest_score")):
        with pytest.raises(Refused):
            RejectionThresholds.of_classes(untrusted.parse_json(f'{{"{name}": {value}, "{other}": 0.5}}'.encode()), 2)


@pytest.mark.parametrize("fold", ["1" * 5000, "1" * 400, "1e5", "-1"])
def test_a_fold_that_is_no_number_is_a_sentence(tmp_path: Path, fold: str) -> None:
    (tmp_path / "a.wav").write_bytes(b"x")
    (tmp_path / "t.csv").write_text(f"path,label,fold\na.wav,low,{fold}\n", encoding="utf-8")
    with pytest.raises(AudionetError, match=r"line 2 has the fold .*; it should be a whole number") as raised:
        find_labelled_recordings(tmp_path, AnnotationOptions(metadata=tmp_path / "t.csv"))
    assert len(str(raised.value)) < len(str(tmp_path)) + 200


@pytest.mark.parametrize("value", ["[]", "{}", '{"a":0}', "0", "[[[]]]"])
def test_json_that_would_fill_the_memory_is_refused_before_it_is_taken_apart(tmp_path: Path, value: str) -> None:
    content = "[" + f"{value}," * 6_000_000 + "0]"
    (tmp_path / "model.json").write_text(content)
    with pytest.raises(Refused, match="values"):
        read_json(tmp_path / "model.json", 64 << 20)
    with pytest.raises(Refused, match="values"):
        untrusted.parse_json(content.encode())


def test_text_that_would_take_four_times_its_bytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untrusted, "LARGEST_TEXT_BYTES", 4000)
    for name, fits in (("o" * 2000, True), ("\N{OWL}" + "o" * 2000, False), ("\N{OWL}", True)):
        if fits:
            assert untrusted.parse_json(json.dumps([name], ensure_ascii=False).encode()) == [name]
            continue
        with pytest.raises(Refused):
            untrusted.parse_json(json.dumps([name], ensure_ascii=False).encode())


def test_a_million_recordings_of_one_chunk_each_are_within_the_bounds(tmp_path: Path) -> None:
    count = 1000
    index = PictureIndex(SpectrogramRenderer.make(PictureSettings()))
    conditions = Conditions(-20.5, -50.0, 0.0001, -52.9, 4290.0)
    for n in range(count):
        name = f"a class, or species/recording of {n:07d}, north"
        chunk = ChunkEntry(f"{name}_nohash_0000", 0.0, 20.0, -19.9, 0.0, 43198, 640044)
        entry = RecordingEntry(293397, 1795668485322374251, "5" * 64, (chunk,), "group", 1, conditions=conditions)
        index.recordings[f"{name}.wav"] = entry
    index.save(tmp_path)
    content = (tmp_path / FILE_NAME).read_bytes()
    assert len(content) * 1_000_000 / count < LARGEST_JSON_BYTES
    assert untrusted.values_at_most(content) * 1_000_000 / count < LARGEST_JSON_BYTES // JSON_BYTES_PER_VALUE
