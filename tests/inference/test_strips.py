"""Windows scored together: as many, at the same times, and of the same classes as one by one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from audionet.audio.chunks import Part
from audionet.bottleneck.backbone import Network
from audionet.bottleneck.sound import SoundInput
from audionet.inference.clips import PartsJob
from audionet.inference.windows import Windows, WindowsJob
from audionet.model.bundle import Model, load_model
from audionet.options import LabelOptions
from audionet.parallel.sandbox import SandboxedNetwork
from audionet.parallel.threads import work_through
from audionet.settings import SAMPLE_RATE_HZ
from tests.conftest import chirps, write_wav


class OneByOne(WindowsJob):
    """Each window drawn as a short clip is."""

    scorer = None


@pytest.fixture(scope="module")
def model(low_and_high: Path) -> Model:
    files = low_and_high / "tf_files"
    return load_model(LabelOptions(files / "retrained_graph.pb", files / "retrained_labels.txt"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Low tones for 3.3 s, high ones for 2.5 s: more than one strip."""
    parts = [chirps(41, 200, 400, 3.3), chirps(42, 2000, 3000, 2.5)]
    return write_wav(tmp_path_factory.mktemp("strips") / "clip.wav", np.concatenate(parts))


def scored(job: WindowsJob, path: Path) -> Windows:
    windows = work_through(job, path)
    assert isinstance(windows, Windows)
    return windows


def test_the_same_windows_and_classes_as_one_by_one(model: Model, clip: Path) -> None:
    together, apart = scored(WindowsJob(model), clip), scored(OneByOne(model), clip)
    times = [[(w.start_seconds, w.end_seconds) for w in windows.windows] for windows in (together, apart)]
    assert np.allclose(times[0], times[1])
    within = [w for w in together.windows if not w.start_seconds - 1 < 3.3 < w.end_seconds + 1]
    assert {together.best(w)[0] for w in within if w.start_seconds < 3.3} == {"low"}
    assert {together.best(w)[0] for w in within if w.start_seconds > 3.3} == {"high"}
    assert all(w.has_signal and 0 < w.sounding_seconds <= w.seconds + 1e-6 for w in together.windows)


def test_a_strangers_copy_of_our_model_gives_the_same(model: Model, clip: Path) -> None:
    """Which process a model's own network would run in changes nothing."""
    assert isinstance(model.network, Network)
    sandboxed = replace(model, network=SandboxedNetwork("audionet.bottleneck.backbone", model.network.content, clip))
    here, there = scored(WindowsJob(model), clip), scored(WindowsJob(sandboxed), clip)
    assert WindowsJob(sandboxed).scorer is not None
    # Its own network has no part in that: the process of it has ended.
    assert not any(Network.module in " ".join(child.cmdline()) for child in psutil.Process().children())
    assert [w.scores.tolist() for w in here.windows] == [w.scores.tolist() for w in there.windows]


def test_parts_are_heard_at_the_rate_of_a_network_that_hears(model: Model, clip: Path) -> None:
    hears = replace(model, sound=SoundInput(48_000, 48_000, "output"))
    chunks = list(PartsJob(hears).split((clip, (Part(1, 3),))))
    assert {chunk.sample_rate_hz for chunk in chunks} == {48_000}
    assert sum(len(chunk.samples) for chunk in chunks) == 2 * 48_000


def test_silence_and_short_clips(model: Model, tmp_path: Path) -> None:
    (short,) = scored(WindowsJob(model), write_wav(tmp_path / "short.wav", chirps(43, 200, 400, 0.4))).windows
    assert short.start_seconds == 0
    assert short.end_seconds == pytest.approx(0.4)
    assert model.labels[int(short.scores.argmax())] == "low"
    silence = np.zeros(3 * SAMPLE_RATE_HZ, np.int16)
    for window in scored(WindowsJob(model), write_wav(tmp_path / "silence.wav", silence)).windows:
        assert not window.has_signal
        assert window.sounding_seconds == 0
