"""Mutated recordings, pictures and JSON: used, or refused with a sentence; no crash, no hang, no traceback.

The suite tries a few of each, always the same. AUDIONET_FUZZ_SECONDS=600 (`make fuzz`) tries new ones for so long; what
fails is printed, and belongs into tests/corpus/ once it is mended.
"""

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, seed, settings
from hypothesis import strategies as st

from audionet.audio import ffmpeg
from audionet.audio.chunks import cut
from audionet.audio.decoding import decode
from audionet.commands.prepare import prepare
from audionet.dataset.manifest import PictureIndex
from audionet.errors import AudionetError, UnusableInput
from audionet.model.bundle import load_model
from audionet.options import LabelOptions, PrepareOptions
from audionet.settings import PictureSettings
from audionet.spectrogram import jpeg as pictures
from audionet.spectrogram.transform import SpectrogramRenderer
from tests.conftest import ROOT, chirps, make_untrained_model, write_wav

CORPUS = ROOT / "tests" / "corpus"
FUZZ_SECONDS = float(os.environ.get("AUDIONET_FUZZ_SECONDS", "0"))
FIRST_SEED = int(os.environ.get("AUDIONET_FUZZ_SEED", "0"))
EXAMPLES_A_ROUND = 200
HANG_SECONDS = 30  # for files of a few kilobytes
HEADER_BYTES = 128  # where most edits go

Edit = tuple[str, int, bytes]
TELLING_BYTES = st.sampled_from(
    [b"\0", b"\xff", b"\x7f", b"\x80", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f"]
)
PLACES = st.one_of(st.integers(0, HEADER_BYTES), st.integers(0, 1 << 16))
EDITS = st.tuples(
    st.sampled_from(["set", "insert", "delete", "repeat", "cut off"]),
    PLACES,
    st.one_of(TELLING_BYTES, st.binary(min_size=1, max_size=8)),
)


def edited(content: bytes, edits: list[Edit]) -> bytes:
    for kind, place, data in edits:
        place %= len(content) + 1
        before, behind = content[:place], content[place:]
        length = 1 + data[0]
        content = {
            "set": before + data + behind[len(data) :],
            "insert": before + data + behind,
            "delete": before + behind[length:],
            "repeat": before + behind[:length] * 2 + behind[length:],
            "cut off": before,
        }[kind]
    return content


def mutants(pattern: str) -> st.SearchStrategy[bytes]:
    """Files of the corpus with edits, most of them near the beginning."""
    files = [path.read_bytes() for path in sorted(CORPUS.glob(pattern))]
    assert files
    return st.builds(edited, st.sampled_from(files), st.lists(EDITS, min_size=1, max_size=6))


def fuzz(inputs: st.SearchStrategy[bytes], test: Callable[[bytes], None], examples: int) -> None:
    """So many examples, always the same; or, with AUDIONET_FUZZ_SECONDS, new ones until the time is over."""
    common = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
    if not FUZZ_SECONDS:
        settings(common, max_examples=examples, derandomize=True)(given(inputs)(test))()
        return
    started, rounds = time.monotonic(), 0
    while time.monotonic() - started < FUZZ_SECONDS:
        seed(FIRST_SEED + rounds)(settings(common, max_examples=EXAMPLES_A_ROUND)(given(inputs)(test)))()
        rounds += 1
    print(f"{rounds * EXAMPLES_A_ROUND} examples in {time.monotonic() - started:.0f} s, seeds from {FIRST_SEED}")


def hear(path: Path, renderer: SpectrogramRenderer) -> None:
    """A recording to its pictures, as prepare and label do it."""
    try:
        for chunk in cut(decode(path), renderer.settings):
            picture = renderer.render(chunk.samples)
            assert picture.shape == (299, 299)
    except UnusableInput as error:
        note(str(error))
        if "busy" in error.reason:
            raise AssertionError(error.reason) from error


@pytest.mark.parametrize("ending", ["mp3", "wav"])
def test_a_mutated_recording_is_heard_or_refused(tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg, "WAIT_SECONDS", HANG_SECONDS)
    renderer = SpectrogramRenderer.make(PictureSettings(0.5, 0))
    path = tmp_path / f"mutant.{ending}"

    def test(content: bytes) -> None:
        path.write_bytes(content)
        hear(path, renderer)

    fuzz(mutants(f"*.{ending}"), test, 25)


def test_a_mutated_picture_is_seen_or_refused() -> None:
    def see(content: bytes) -> np.ndarray:
        return pictures.decode(content, Path("a.jpg"))[0]

    def test(content: bytes) -> None:
        for look in (see, lambda content: pictures.decode_any(content, Path("a.jpg"))):
            try:
                assert look(content).shape[2] == 3
            except UnusableInput as error:
                note(str(error))

    fuzz(mutants("*.jpg"), test, 200)


STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([-1, 2**63, 2**64, 10**400, -(10**400), float("nan"), float("inf"), -float("inf"), 1e308, -0.0]),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["", "..", "../../x", "/etc/passwd", "a\0b", "\ud800", "\udcff", "a/" * 3000, "CON", "\n", "C:\\x"]
    ),
    st.sampled_from([[], {}, [[]], {"": {}}, [None], {"name": 1}]),
)


def places(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values in JSON."""
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    return [path] + [place for key, value in items for place in places(value, (*path, key))]


def replaced(content: Any, path: tuple[Any, ...], how: str, value: Any) -> Any:
    """JSON in which the value at a path is another, is gone, or has another key."""
    if not path:
        return value
    copy = content.copy()
    key, *rest = path
    if rest:
        copy[key] = replaced(copy[key], tuple(rest), how, value)
    elif how == "delete":
        del copy[key]
    elif how == "rename" and isinstance(copy, dict):
        copy[str(value)] = copy.pop(key)
    else:
        copy[key] = value
    return copy


def json_mutants(original: Any) -> st.SearchStrategy[bytes]:
    changes = st.tuples(st.integers(0, 1 << 16), st.sampled_from(["replace", "delete", "rename"]), STRANGE)

    def changed(changes: list[tuple[int, str, Any]]) -> bytes:
        content = original
        for number, how, value in changes:
            paths = places(content)
            content = replaced(content, paths[number % len(paths)], how, value)
        return json.dumps(content, ensure_ascii=False).encode(errors="surrogatepass")

    whole = json.dumps(original).encode()
    return st.one_of(
        st.builds(changed, st.lists(changes, min_size=1, max_size=3)),
        st.builds(edited, st.just(whole), st.lists(EDITS, min_size=1, max_size=4)),
    )


def test_a_mutated_audionet_json_is_used_or_refused(tmp_path: Path) -> None:
    data, pictures_of = tmp_path / "data", tmp_path / "pictures"
    write_wav(data / "low" / "x.wav", chirps(0, 200, 400, 0.5))
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(b"not ours")
    options = PrepareOptions(pictures_of, PictureSettings(0.5, 0, "spectrogram"), jobs=1, keep_wav=False, prune=True)
    prepare(data, options)
    (key,) = ("low/x.wav",)
    index = json.loads((pictures_of / "audionet.json").read_text())
    assert key in index["recordings"]
    first = json.loads((CORPUS / "index.json").read_text())
    index["recordings"] |= first["recordings"]
    index["unfinished"] = ["low/x", "low/gone"]

    def test(content: bytes) -> None:
        shutil.rmtree(pictures_of, ignore_errors=True)
        pictures_of.mkdir()
        (pictures_of / "audionet.json").write_bytes(content)
        try:
            assert PictureIndex.load(pictures_of) is not None
            report = prepare(data, options)
        except AudionetError as error:
            note(str(error))
        else:
            assert report.made + report.kept == 1
            assert PictureIndex.load(pictures_of) is not None
        assert outside.read_bytes() == b"not ours"
        assert {path.name for path in tmp_path.iterdir()} == {"data", "pictures", "outside.jpg"}

    fuzz(json_mutants(index), test, 60)


def test_a_mutated_description_of_a_model_is_used_or_refused(tmp_path: Path) -> None:
    files = make_untrained_model(tmp_path, PictureSettings(0.5, 0, "spectrogram"))
    original = json.loads(files.description.read_text())

    def test(content: bytes) -> None:
        files.description.write_bytes(content)
        try:
            model = load_model(LabelOptions(files.graph, files.labels))
        except AudionetError as error:
            note(str(error))
        else:
            assert model.labels == ["high", "low"]

    fuzz(json_mutants(original), test, 40)
