"""Sounds made to order, folders of them, and the tool run as a user runs it."""

import json
import logging
import math
import os
import shutil
import subprocess
import sys
import tempfile
import wave
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import audionet as audionet_package
from audionet.bottleneck.backbone import Network, load_backbone
from audionet.cli import main as cli
from audionet.commands.retrain import RetrainReport
from audionet.dataset.manifest import PictureIndex
from audionet.dataset.samples import Sample
from audionet.model.description import ModelDescription, TrainedNetwork
from audionet.model.frozen_graph import FrozenGraph
from audionet.model.litert import ClassifierHead, attach_head
from audionet.model.store import save_model
from audionet.model_files import ModelFiles
from audionet.options import PrepareOptions, RetrainOptions
from audionet.settings import SAMPLE_RATE_HZ, PictureSettings, available_cores
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.locks import wait_for_lock
from audionet.training.unknown import RejectionThresholds

# Which networks were trained here is noted in the user's own folder; what tests train does not belong there. Neither
# does what killed processes leave belong in the system's temporary folder. The first process makes a folder for both,
# which is there until it ends; those that it starts, and their children, find it in their environment.
OWN = "audionet-tests-"
if OWN not in os.environ.get("XDG_STATE_HOME", ""):
    PLACES = tempfile.TemporaryDirectory(prefix=OWN, ignore_cleanup_errors=True)
    for variable, name in (("XDG_STATE_HOME", "state"), ("TMPDIR", "tmp")):
        Path(PLACES.name, name).mkdir()
        os.environ[variable] = str(Path(PLACES.name, name))
# Else each of the many processes that tests start compiles the package anew, and writes at once what others hold back.
for variable in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"):
    os.environ.pop(variable, None)

ROOT = Path(__file__).resolve().parent.parent
SAMPLE_VOICES = ROOT / "tf_files" / "data_audio"
SAMPLE_CLIPS = ROOT / "tf_files" / "test_audio"

# Of an MP3 of a sample voice: 31 seconds, of which `prepare` makes its first two chunks, and no third.
TWO_CHUNKS_BYTES = 125_000


class Run:
    """Runs the tool: `run(arguments...)` gives its status and what it printed."""

    def __init__(self, run: Callable[..., "subprocess.CompletedProcess[str]"]) -> None:
        self._run = run

    def __call__(self, *arguments: object, **options: Any) -> "subprocess.CompletedProcess[str]":
        return self._run(*arguments, **options)

    def done(self, *arguments: object, **options: Any) -> str:
        """What it prints on standard output, where all is to be done."""
        finished = self._run(*arguments, **options)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    def refused(self, *arguments: object, **options: Any) -> str:
        """What it says on standard error, where nothing is to be done."""
        finished = self._run(*arguments, **options)
        assert finished.returncode == 2, finished.stderr
        return finished.stderr


LONGEST = ("test_bandwidth.py", "test_docs.py", "test_annotated.py")  # a minute and more in one process


@pytest.hookimpl(optionalhook=True)  # there may be no xdist
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:  # noqa: ARG001
    """One process more than there are cores: each waits for others, for ffmpeg, a browser or a lock, now and then."""
    return available_cores() + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow files come first, the longest before all, so that at the end no process waits for the other."""

    def place(item: pytest.Item) -> tuple[int, bool]:
        name = item.path.name
        is_long = name in LONGEST
        return LONGEST.index(name) if is_long else len(LONGEST), not is_long and not item.get_closest_marker("slow")

    items.sort(key=place)


def settings_of(folder: Path) -> PictureSettings:
    """How the pictures of a folder were made."""
    index = PictureIndex.load(folder)
    assert index is not None
    return index.renderer.settings


def tone(frequency_hz: float, seconds: float, amplitude: float = 0.5, rate_hz: int = SAMPLE_RATE_HZ) -> np.ndarray:
    """A sine as int16 samples."""
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.rint(32767 * amplitude * np.sin(2 * np.pi * frequency_hz * time)).astype(np.int16)


def write_wav(path: Path, samples: np.ndarray, rate_hz: int = SAMPLE_RATE_HZ) -> Path:
    """A 16-bit WAV of samples (n, or n x channels)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def read_wav(path: Path) -> tuple[int, np.ndarray]:
    """Sample rate and samples of a mono 16-bit WAV."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2")


def pitch_hz(samples: np.ndarray, rate_hz: int = SAMPLE_RATE_HZ) -> float:
    """The loudest frequency of samples; 0 of silence, of which the last bit may flicker."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * rate_hz / len(samples)) if spectrum.max() > 5e3 else 0.0


def copy_two_chunks(recording: Path, target: Path) -> None:
    """The beginning of a sample voice's recording, whose pictures are the first two of the whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(recording.read_bytes()[:TWO_CHUNKS_BYTES])


def sample_of(class_name: str, group: str, start_seconds: float, end_seconds: float, **known: Any) -> Sample:
    """A sample of a recording that is called, grouped and known by one name."""
    name = f"{class_name}/{group}_nohash_{start_seconds:g}"
    sample = Sample(
        class_name, name, Path(f"{name}.jpg"), f"{class_name}/{group}", group, group, start_seconds, end_seconds
    )
    return sample._replace(**known)


def chirps(seed: int, low_hz: float, high_hz: float, seconds: float) -> np.ndarray:
    """Short tones of random pitch between two frequencies, in a little noise: a class that can be told by ear."""
    random = np.random.default_rng(seed)
    parts = [tone(random.uniform(low_hz, high_hz), 0.2) for _ in range(math.ceil(seconds / 0.2))]
    samples = np.concatenate(parts)[: round(seconds * SAMPLE_RATE_HZ)]
    return (samples + random.normal(0, 100, len(samples))).astype(np.int16)


@contextmanager
def quick_learning() -> Iterator[None]:
    """Pictures are learnt from at their own speed alone, as if there were many, and events from few mixtures.

    That is enough for sounds that are easily told apart.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("audionet.spectrogram.augmentation.MOST_AUGMENTED", 0)
        patch.setattr("audionet.detection.detector.MOST_MIXTURES", 50)
        yield


# `python -c QUICK_LEARNER retrain ...` is the command as a process that learns from pictures in that way.
QUICK_LEARNER = """
import runpy
from audionet.spectrogram import augmentation
augmentation.MOST_AUGMENTED = 0
runpy.run_module("audionet", run_name="__main__")
"""


def options_in(folder: Path, **changes: Any) -> RetrainOptions:
    """Those of a training whose files all lie in a folder, with few steps."""
    paths = {
        "image_dir": folder / "data_image",
        "model_dir": folder / "models",
        "bottleneck_dir": folder / "bottlenecks",
        "summaries_dir": folder / "training_summaries",
        "output_graph": folder / "retrained_graph.pb",
        "output_labels": folder / "retrained_labels.txt",
    }
    return RetrainOptions(**(paths | {"steps": 50} | changes))


def make_model(
    folder: Path,
    classes: Mapping[str, tuple[float, float]] = MappingProxyType({"low": (200.0, 400.0), "high": (2000.0, 3000.0)}),
    known: Path | None = None,
    all_speeds: bool = False,
    **options: Any,
) -> RetrainReport:
    """tf_files/ in `folder` as the commands leave it, of chirps between two frequencies a class.

    known: such a folder, whose bottlenecks are taken over; making them takes most of the time.
    all_speeds: learn from pictures at other speeds too, as the commands do.
    """
    for number, (name, (low_hz, high_hz)) in enumerate(classes.items()):
        for n in range(4):
            samples = chirps(10 * number + n, low_hz, high_hz, 2.5)
            write_wav(folder / "data_audio" / name / f"{name}-{n}.wav", samples)
    files = folder / "tf_files"
    if known is not None:
        shutil.copytree(known / "tf_files" / "bottlenecks", files / "bottlenecks")
    pictures: Any = options.pop("pictures", PictureSettings(1, 0))
    audionet_package.prepare(folder / "data_audio", PrepareOptions(files / "data_image", pictures))
    with nullcontext() if all_speeds else quick_learning():
        return audionet_package.retrain(options_in(files, **options))


@pytest.fixture(scope="session", autouse=True)
def one_thread_a_product() -> Iterator[None]:
    """Each of the processes that share in the tests has one core: threads of a product would wait for each other."""
    import scipy.linalg  # noqa: F401  # it has a BLAS of its own, which can be limited once it is there

    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session", autouse=True)
def power_stays_on() -> Iterator[None]:
    """Nothing waits for the disk here, which would take a tenth of the time of many tests.

    What is synced, and before what, tests of it look at; and the processes that tests start do sync.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", os.fstat)  # which refuses what is no open file, as it does
        yield


MadeOnce = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """`made_once(name, make)`: a folder that make(folder) fills in whichever process of these tests comes first.

    The others wait for it. It is for tests that leave it as it is.
    """
    common = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        common = common.parent

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, mark = common / name, common / f"{name}.made"
        with open(common / f"{name}.lock", "wb") as lock:
            wait_for_lock(lock)
            if not mark.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of one that failed
                folder.mkdir()
                make(folder)
                mark.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def low_and_high(made_once: MadeOnce) -> Path:
    """A folder with a model of low and high tones in tf_files/, and clips of them; for tests that leave it so."""

    def make(folder: Path) -> None:
        make_model(folder, all_speeds=True)
        write_wav(folder / "test_audio" / "a $low$ clip.wav", chirps(20, 200, 400, 3))
        write_wav(folder / "test_audio" / "high.wav", chirps(30, 2000, 3000, 3))

    return made_once("low_and_high", make)


@pytest.fixture(scope="session")
def exported(low_and_high: Path, made_once: MadeOnce) -> Path:
    """A folder with such a model in tf_files/, and each export of it, whose scores are called `scores/of_tones`."""

    def make(folder: Path) -> None:
        make_model(folder, known=low_and_high, **every_export(folder))

    return made_once("exported", make)


def every_export(folder: Path) -> dict[str, Any]:
    """The options of a training that exports all that it can into a folder."""
    return {
        "saved_model_dir": folder / "saved",
        "intermediate_output_graphs_dir": folder / "intermediate",
        "intermediate_store_frequency": 20,
        "checkpoint_path": folder / "checkpoints" / "layer",
        "final_tensor_name": "scores/of_tones",
    }


@pytest.fixture(scope="session")
def golden_run(made_once: MadeOnce) -> Path:
    """A folder in which `make demo` and the commands of tests/freeze.py were run, and what they gave."""
    from tests import freeze

    def make(folder: Path) -> None:
        (folder / freeze.RESULTS).write_text(json.dumps(freeze.run_commands(folder)), encoding="utf-8")

    return made_once("golden_run", make)


@pytest.fixture(scope="session")
def voice_bottlenecks(golden_run: Path) -> Path:
    """The folder of the bottlenecks of all sample voices, as the commands prepare and retrain them by themselves."""
    return golden_run / "demo" / "tf_files" / "bottlenecks"


def make_untrained_model(
    folder: Path, pictures: PictureSettings, labels: Sequence[str] = ("high", "low")
) -> ModelFiles:
    """A model of two classes with a layer of random numbers, for `label`: at once."""
    backbone = load_backbone("rows", folder)
    size = int(np.prod(Network(backbone.flatbuffer).output_shapes[0]))
    weights = np.random.default_rng(0).normal(0, 0.01, (size, 2)).astype(np.float32)
    head = ClassifierHead(weights, np.zeros(2, np.float32), np.zeros(size, np.float32))
    network = TrainedNetwork(attach_head(backbone, head))
    files = ModelFiles.beside(folder / "retrained_graph.pb", folder / "retrained_labels.txt")
    renderer = SpectrogramRenderer.make(pictures)
    thresholds = RejectionThresholds(0.0, 1e9)
    save_model(files, network, ModelDescription([*labels], renderer, thresholds, *network.checksums))
    return files


@pytest.fixture(scope="session")
def twins(low_and_high: Path, made_once: MadeOnce) -> Path:
    """A folder with a model of three classes, of which two hold the same sort of sound, and one has a nasty name."""
    classes = {"<script>alert(1)<script>": (300, 500), "high": (2000, 3000), "twin": (300, 500)}
    return made_once("twins", lambda folder: make_model(folder, classes, known=low_and_high))


def environment(**variables: str) -> dict[str, str]:
    """That of this process, with other variables, in which a program finds this package wherever it is run."""
    return os.environ | {"PYTHONPATH": str(ROOT)} | variables


def run_program(
    program: str | Sequence[str],
    *arguments: str,
    folder: Path = ROOT,
    check: bool = True,
    variables: Mapping[str, str] = {},  # it is only read
    **options: Any,
) -> "subprocess.CompletedProcess[str]":
    """A program of Python's, or another command, that has ended: its status, and what it printed.

    check: it must end with the status 0. variables: of its environment. Wherever it is run, it finds this package.
    """
    command = [sys.executable, "-c", program, *arguments] if isinstance(program, str) else program
    env = environment(**variables)
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=check, **options)


def packages_loaded_by(*command: object, folder: Path) -> set[str]:
    """The packages that a command has loaded by its end."""
    program = (
        "import sys; from audionet.cli.main import main; main(sys.argv[1:]); "
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    return set(run_program(program, *map(str, command), folder=folder).stdout.splitlines()[-1].split())


def start_program(
    program: str, *arguments: str, folder: Path = ROOT, variables: Mapping[str, str] = {}, **options: Any
) -> "tuple[subprocess.Popen[str], str]":
    """A program of Python's that goes on, and the first line that it has printed. variables: of its environment."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )
    assert process.stdout is not None
    return process, process.stdout.readline()


def make_launchers(folder: Path) -> None:
    """`audionet` and `python` as they are in a virtual environment's bin, for the shell."""
    folder.mkdir(parents=True)
    (folder / "python").symlink_to(sys.executable)
    (folder / "audionet").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m audionet "$@"\n')
    (folder / "audionet").chmod(0o755)


@pytest.fixture(autouse=True)
def silent_library() -> Iterator[None]:
    """Undo what a command run in this process did to the logging, so that the next test can listen."""
    yield
    logger = logging.getLogger("audionet")
    logger.handlers.clear()
    logger.propagate = True
    logger.setLevel(logging.NOTSET)


@pytest.fixture
def caplog(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """pytest's own, which hears what the commands say unless they are told to be quiet: not warnings alone."""
    caplog.set_level(logging.INFO)
    return caplog


@pytest.fixture
def two_classes(tmp_path: Path) -> Path:
    """data_audio/ with 4 recordings of 2.5 s of low tones and 4 of high ones: those of `low_and_high`."""
    folder = tmp_path / "data_audio"
    for n in range(4):
        write_wav(folder / "low" / f"low-{n}.wav", chirps(n, 200, 400, 2.5))
        write_wav(folder / "high" / f"high-{n}.wav", chirps(10 + n, 2000, 3000, 2.5))
    return folder


@pytest.fixture
def known_bottlenecks(low_and_high: Path, tmp_path: Path) -> None:
    """The bottlenecks of `two_classes` in chunks of 1 s are in tmp_path: for tests of what comes after them."""
    shutil.copytree(low_and_high / "tf_files" / "bottlenecks", tmp_path / "bottlenecks")


@pytest.fixture
def models_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a model that do not fit together are not waited for: nobody is just writing them."""
    monkeypatch.setattr("audionet.model.store.READ_AGAIN_SECONDS", 0.0)


@pytest.fixture
def one_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each picture one distorted copy is learnt from: for tests of what becomes of them, not of their number."""
    monkeypatch.setattr("audionet.bottleneck.distortions.COPIES", 1)


@pytest.fixture
def graphs_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frozen graphs run in this process, which has TensorFlow loaded: for tests of what is read, not of who runs it."""
    monkeypatch.setattr("audionet.model.bundle.sandboxed_graph", FrozenGraph)


@pytest.fixture
def audionet(tmp_path: Path) -> Run:
    """`audionet(arguments...)` run as a process in tmp_path."""

    def run(
        *arguments: object, cwd: Path = tmp_path, env: Mapping[str, str] = {}, stdin: bytes | None = None
    ) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "audionet", *map(str, arguments)]
        finished = subprocess.run(
            command, cwd=cwd, env=environment(**env), input=stdin, capture_output=True, timeout=300, check=False
        )
        out, err = finished.stdout.decode(), finished.stderr.decode()
        assert "Traceback" not in err, err
        return subprocess.CompletedProcess(finished.args, finished.returncode, out, err)

    return Run(run)


@pytest.fixture
def audionet_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """As `audionet`, in this process: many times as fast, where what is tested is not the process itself."""

    def run(*arguments: object, cwd: Path = tmp_path) -> "subprocess.CompletedProcess[str]":
        monkeypatch.chdir(cwd)
        capsys.readouterr()
        try:
            status = cli.main([str(argument) for argument in arguments])
        except SystemExit as ended:
            status = int(ended.code or 0)
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(list(map(str, arguments)), status, out, err)

    return Run(run)
