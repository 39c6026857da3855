"""Files that are almost right: used, or refused with a sentence; no crash, no hang, no traceback.

The suite tries a few of each, always the same. AUDIONET_FUZZ_SECONDS=600 (`make fuzz`) tries new ones for so long; what
fails is printed, and belongs into tests/corpus/ once it is mended.
"""

import contextlib
import io
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, seed, settings
from hypothesis import strategies as st
from PIL import Image

from audionet.annotation.metadata import find_labelled_recordings
from audionet.annotation.readers import kind_of, read_annotations
from audionet.audio import ffmpeg
from audionet.audio.chunks import cut
from audionet.audio.decoding import decode
from audionet.bottleneck.backbone import Network
from audionet.commands.prepare import prepare
from audionet.dataset.digests import Digests
from audionet.dataset.manifest import PictureIndex
from audionet.errors import AudionetError, UnusableInput
from audionet.hub.archives import MOST_FILES, extract
from audionet.model.bundle import Model, load_model, read_card
from audionet.model.description import ModelDescription
from audionet.model.frozen_graph import FrozenGraph
from audionet.options import AnnotationOptions, LabelOptions, PrepareOptions
from audionet.parallel import sandbox
from audionet.parallel.sandbox import SandboxedNetwork
from audionet.settings import PICTURE_SIZE, PictureSettings
from audionet.spectrogram import jpeg as pictures
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.files import json_bytes
from audionet.system.untrusted import Refused, parse_json
from tests import mutants
from tests.conftest import ROOT, chirps, make_untrained_model, write_wav
from tests.strange_files import small_graph, small_network

pytestmark = pytest.mark.slow

CORPUS = ROOT / "tests" / "corpus"
FUZZ_SECONDS = float(os.environ.get("AUDIONET_FUZZ_SECONDS", "0"))
FIRST_SEED = int(os.environ.get("AUDIONET_FUZZ_SEED", "0"))
EXAMPLES_A_ROUND = 50
HANG_SECONDS = 30  # for files of a few kilobytes
WHITE = np.full((PICTURE_SIZE, PICTURE_SIZE, 3), 255, np.uint8)


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


@contextlib.contextmanager
def or_refused(*kinds: type[Exception]) -> Iterator[None]:
    """What is done in here works, or an error of some kinds says in a sentence why not."""
    sentence = ""
    try:
        yield
    except kinds as error:
        sentence = str(error)
        note(sentence)
    assert len(sentence) < 5000
    assert "busy" not in sentence, "it takes too long"


@pytest.mark.parametrize("ending", ["mp3", "wav"])
def test_a_mutated_recording_is_heard_or_refused(tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg, "WAIT_SECONDS", HANG_SECONDS)
    renderer = SpectrogramRenderer.make(PictureSettings(0.5, 0))
    path = tmp_path / f"mutant.{ending}"

    def test(content: bytes) -> None:
        """A recording to its pictures, as prepare and label do it."""
        path.write_bytes(content)
        with or_refused(UnusableInput):
            for chunk in cut(decode(path), renderer.settings):
                assert renderer.render(chunk.samples).shape == (299, 299)

    fuzz(mutants.of_files(CORPUS, f"*.{ending}"), test, 25)


def pictures_of_all_formats() -> list[bytes]:
    """A small one of each format that is read."""
    found = []
    for name in ("PNG", "GIF", "BMP", "JPEG"):
        for mode in ("RGB", "P", "L"):
            file = io.BytesIO()
            with contextlib.suppress(OSError):  # JPG has no palettes
                Image.new(mode, (20, 10), 7).save(file, name)
                found.append(file.getvalue())
    return found


def with_comment(comment: bytes) -> bytes:
    """A JPG of ours with another comment."""
    file = io.BytesIO()
    Image.fromarray(WHITE[:, :, 0]).save(file, "JPEG", comment=comment[:65_000])
    return file.getvalue()


def test_a_mutated_picture_is_seen_or_refused() -> None:
    comment = {"audionet": "0123456789abcdef", "start_seconds": 0.0, "seconds": 0.5}

    def see(content: bytes) -> np.ndarray:
        return pictures.decode(content, Path("a.jpg"))[0]

    def test(content: bytes) -> None:
        for look in (see, lambda content: pictures.decode_any(content, Path("a.jpg"))):
            with or_refused(UnusableInput):
                assert look(content).shape[2:] in ((), (3,))  # grey, or in colours

    others = st.sampled_from(pictures_of_all_formats()).flatmap(mutants.of_bytes)
    ours = st.builds(with_comment, mutants.of_json(comment))
    fuzz(st.one_of(mutants.of_files(CORPUS, "*.jpg"), others, ours), test, 100)


def test_a_mutated_audionet_json_is_used_or_refused(tmp_path: Path) -> None:
    data, pictures_of = tmp_path / "data", tmp_path / "pictures"
    write_wav(data / "low" / "x.wav", chirps(0, 200, 400, 0.5))
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(b"not ours")
    options = PrepareOptions(pictures_of, PictureSettings(0.5, 0, "spectrogram"), jobs=1, keep_wav=False, prune=True)
    prepare(data, options)
    index = json.loads((pictures_of / "audionet.json").read_text())
    assert "low/x.wav" in index["recordings"]
    index["recordings"] |= json.loads((CORPUS / "index.json").read_text())["recordings"]
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

    fuzz(mutants.of_json(index), test, 40)


@pytest.mark.usefixtures("models_at_rest")
def test_a_mutated_description_of_a_model_is_used_or_refused(tmp_path: Path) -> None:
    files = make_untrained_model(tmp_path, PictureSettings(0.5, 0, "spectrogram"))
    original = json.loads(files.description.read_text())

    def test(content: bytes) -> None:
        files.description.write_bytes(content)
        with or_refused(AudionetError):
            assert load_model(LabelOptions(files.graph, files.labels)).labels == ["high", "low"]

    fuzz(mutants.of_json(original), test, 25)


def test_a_mutated_card_and_training_are_used_or_left_out(tmp_path: Path) -> None:
    original = json.loads((ROOT / "tests" / "golden" / "retrained_graph.json").read_text())
    path = tmp_path / "retrained_graph.json"

    def test(content: bytes) -> None:
        path.write_bytes(content)
        card = read_card(LabelOptions(path.with_suffix(".pb"), None))
        if card is not None:
            assert all(card.for_people().values())
        try:
            description = ModelDescription.from_json(parse_json(content))
        except Refused as error:
            note(str(error))
        else:  # what is read can be written and read again
            assert ModelDescription.from_json(parse_json(json_bytes(description.to_json()))).labels

    # The filter bank is kilobytes in which a change would be lost; it goes through the test above.
    parts = {name: value for name, value in original.items() if name in ("card", "training")}
    changed = mutants.of_json(parts).map(lambda content: _joined(original, content))
    fuzz(changed, test, 60)


def _joined(original: dict[str, Any], parts: bytes) -> bytes:
    """The JSON with other parts, as they are written."""
    rest = {name: value for name, value in original.items() if name not in ("card", "training")}
    beginning, end = parts.find(b"{"), parts.rfind(b"}")
    return json.dumps(rest).encode()[:-1] + b"," + parts[beginning + 1 : end] + b"}"


def test_a_mutated_list_of_checksums_costs_time_and_nothing_else(tmp_path: Path) -> None:
    path, picture = tmp_path / "list.json", tmp_path / "a.jpg"
    picture.write_bytes(b"content")
    os.utime(picture, (1, 1))
    original: dict[str, Any] = {str(picture): [7, 10**9, "0" * 64], "/x/y.jpg": [1, 2, "f" * 64]}

    def test(content: bytes) -> None:
        path.write_bytes(content)
        digests = Digests(path)
        remembered = digests.remembered(picture)
        assert remembered is None or len(remembered) == 32
        digests.read(picture)
        digests.save()
        assert Digests(path).remembered(picture) == digests.remembered(picture)

    fuzz(mutants.of_json(original), test, 40)


TABLES = [
    "path,label,group,fold\nlow/a.wav,low,one,1\nhigh/b.wav,high,two,2\n",
    'path;label\nlow/a.wav;"low"\nhigh/b.wav;high\n',
    "slice_file_name,fsID,start,end,salience,fold,classID,class\na.wav,1,0.0,4.0,1,1,3,low\nb.wav,2,0,4,1,2,1,high\n",
    "filename,fold,target,category,esc10,src_file,take\na.wav,1,0,low,True,100032,A\nb.wav,2,3,high,False,3,B\n",
    "sep=,\nfile,start,end,label\nlow/a.wav,0,1,low\nlow/a.wav,1,2.5,high\n",
]


def test_a_mutated_table_is_read_or_refused(tmp_path: Path) -> None:
    data, path = tmp_path / "data", tmp_path / "t.csv"
    for name in ("low/a.wav", "high/b.wav", "fold1/a.wav"):
        write_wav(data / name, chirps(0, 200, 400, 0.1))

    def test(content: bytes) -> None:
        path.write_bytes(content)
        with or_refused(AudionetError):
            recordings, wrong = find_labelled_recordings(data, AnnotationOptions(metadata=path))
            assert all(recording.path.resolve().is_relative_to(data) for recording in recordings)
            assert all(isinstance(one, UnusableInput) for one in wrong)

    fuzz(st.sampled_from(TABLES).flatmap(mutants.of_table), test, 70)


ANNOTATIONS = [
    "start,end,label,path\n0.5,1.5,low,a.wav\n1,2,high,b.wav\n",
    "0.500000\t1.500000\tlow\n1\t2\thigh\n\\\t100\t2000\n",
    "SPEAKER a 1 0.50 1.00 <NA> <NA> low <NA> <NA>\n;; a comment\nSPEAKER b 1 1 2 <NA> <NA> high <NA> <NA>\n",
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tBegin Path\tFile Offset (s)\tLabel\n"
    "1\tSpectrogram 1\t1\t0.5\t1.5\ta.wav\t0.5\tlow\n1\tWaveform 1\t1\t0.5\t1.5\ta.wav\t0.5\tlow\n",
    'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = 3\ntiers? <exists>\nsize = 1\nitem []:\n'
    '    item [1]:\n        class = "IntervalTier"\n        name = "a"\n        xmin = 0\n        xmax = 3\n'
    "        intervals: size = 2\n        intervals [1]:\n            xmin = 0\n            xmax = 1.5\n"
    '            text = "low"\n        intervals [2]:\n            xmin = 1.5\n            xmax = 3\n'
    '            text = "hi ""g"" h"\n',
    "birds\t\t00:00:00.500\t0.5\t00:00:01.500\t1.5\t00:00:01.000\t1.0\tlow\nbirds\tx\t1.0\t2.0\t1.0\thigh\n",
    '<ANNOTATION_DOCUMENT><TIME_ORDER><TIME_SLOT TIME_SLOT_ID="a" TIME_VALUE="500"/><TIME_SLOT TIME_SLOT_ID="b" '
    'TIME_VALUE="1500"/></TIME_ORDER><TIER TIER_ID="t"><ANNOTATION><ALIGNABLE_ANNOTATION TIME_SLOT_REF1="a" '
    'TIME_SLOT_REF2="b"><ANNOTATION_VALUE>low</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>\n'
    "</ANNOTATION_DOCUMENT>\n",
    '[{"clip": "a.wav", "events": [{"start_seconds": 0.5, "end_seconds": 1.5, "label": "low", "score": 0.9}]},\n'
    '{"data": {"audio": "b.wav"}, "annotations": [{"result": [{"value": {"start": 1, "end": 2, "labels": ["high"]}}]}]}'
    "]\n",
    '[{"Operator": "a", "Duration": 3}, [0.5, 1.5, 0, 900, [{"species": "low"}, {"species": "Don\'t Know"}]]]\n',
    "WEBVTT\n\n00:00.500 --> 00:01.500\n<v low>Oh &amp; <i>ah</i>\n\n2\n0:00:01,000 --> 00:00:02,000\nhigh: hm\n",
    ";; a comment\na 1 0.0 300.0\nb.wav NA 0:05 1:00:00\n",
]


def test_a_mutated_annotation_is_read_or_refused(tmp_path: Path) -> None:
    suffixes = {b"W": ".vtt", b";": ".uem"}  # by what their files begin with

    def test(content: bytes) -> None:
        path = tmp_path / f"marks{suffixes.get(content[:1], '.txt')}"
        path.write_bytes(content)
        with or_refused(AudionetError):
            found = read_annotations(path)
            assert all(0 <= one.start_seconds <= one.end_seconds <= 1e9 for one in found)
            assert len({one.label == "" for one in found}) < 2, "some have a label"
        kind_of(path)

    fuzz(st.sampled_from(ANNOTATIONS).flatmap(mutants.of_table), test, 70)


def answers(make: Callable[[], Any]) -> None:
    """A network that is given a picture: two labels and their scores, or a sentence."""
    with or_refused(AudionetError, ValueError):
        network = make()
        if network.output_shapes == [(2,), ()]:
            scores, distance = Model(["a", "b"], RENDERER, network, _NO_THRESHOLDS).score(WHITE)
            assert scores.shape == (2,)
            assert np.isfinite(scores).all()
            assert np.isfinite(distance)


RENDERER = SpectrogramRenderer.make(PictureSettings(0.5, 0))
_NO_THRESHOLDS: Any = None


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "LOAD_SECONDS", 20.0)
    monkeypatch.setattr(sandbox, "ANSWER_SECONDS", 10.0)


@pytest.mark.usefixtures("short_limits")
def test_a_mutated_network_answers_or_is_refused() -> None:
    def test(content: bytes) -> None:
        # In the suite, the same few examples, which are known to do no harm, need no process each.
        sandboxed = partial(SandboxedNetwork, "audionet.bottleneck.backbone", content, Path("m.tflite"))
        answers(sandboxed if FUZZ_SECONDS else partial(Network, content))

    parse, write, content = small_network()
    fuzz(st.one_of(mutants.of_object(parse, write), mutants.of_bytes(content)), test, 20)


@pytest.mark.usefixtures("short_limits")
def test_a_mutated_graph_answers_or_is_refused(tmp_path: Path) -> None:
    path, labels = tmp_path / "g.pb", tmp_path / "g_labels.txt"
    labels.write_text("a\nb\n")

    def test(content: bytes) -> None:
        path.write_bytes(content)
        if FUZZ_SECONDS:
            with contextlib.suppress(AudionetError):
                load_model(LabelOptions(path, labels)).score(WHITE)
        else:
            answers(lambda: FrozenGraph(content, path))

    parse, write, content = small_graph()
    fuzz(st.one_of(mutants.of_object(parse, write), mutants.of_bytes(content)), test, 4)


def test_a_mutated_archive_is_unpacked_into_its_folder_or_refused(tmp_path: Path) -> None:
    folder = tmp_path / "in" / "here"

    def test(content: bytes) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with contextlib.suppress(ValueError, OSError):
            extract(io.BytesIO(content), folder)
        made = list(folder.rglob("*"))
        assert len(made) <= 2 * MOST_FILES
        assert all(path.is_dir() or (path.is_file() and not path.is_symlink()) for path in made)
        assert [path.name for path in (*tmp_path.iterdir(), *(tmp_path / "in").iterdir())] == ["in", "here"]

    fuzz(mutants.archives(), test, 25)
