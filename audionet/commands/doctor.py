"""doctor: is all there that audionet needs? And what a bug report should say."""

import platform
import re
import shutil
import sys
import tempfile
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np

from audionet import __version__
from audionet.audio.chunks import Chunk, to_wav
from audionet.audio.decoding import check_libsndfile
from audionet.audio.ffmpeg import ask_ffmpeg, decode, ffmpeg_version, find_ffmpeg
from audionet.bottleneck.backbone import Network, load_backbone
from audionet.dataset.names import listed_classes
from audionet.errors import AudionetError, explaining
from audionet.model.bundle import load_model
from audionet.model.card import version_of
from audionet.options import TF_FILES, LabelOptions
from audionet.parallel.memory import memory_bytes
from audionet.settings import PICTURE_SIZE, SAMPLE_RATE_HZ, available_cores
from audionet.system.files import TEMPORARY_PREFIX
from audionet.system.text import count
from audionet.values import nearest_there

LITTLE_SPACE_BYTES = 1 << 30  # an hour of chunks takes 0.2 GB, a trained model 0.1 GB
TOLD_PACKAGES = ("tensorflow", "ai-edge-litert", "numpy", "librosa", "matplotlib", "pillow")


@dataclass(frozen=True)
class Finding:
    """The result of one look: `text` says what is there, or what is wrong and what to do now."""

    name: str
    healthy: bool
    text: str


def examine(folder: Path = TF_FILES) -> list[Finding]:
    """Look at everything that the commands need; `folder` is where they write."""
    looks: dict[str, Callable[[], str]] = {
        "audionet": _audionet,
        "packages": _packages,
        "ffmpeg": _ffmpeg,
        "trunk": _trunk,
        "folder": lambda: _folder(folder),
        "model": lambda: _model(folder),
        "machine": _machine,
    }
    findings = []
    for name, look in looks.items():
        try:
            findings.append(Finding(name, True, look()))
        except AudionetError as error:
            findings.append(Finding(name, False, str(error)))
        except ImportError as error:
            findings.append(Finding(name, False, f"{error}; run: pip install --force-reinstall audionet"))
    return findings


def versions() -> str:
    """`audionet 0.1.0`, and on lines of their own what else matters for a bug report."""
    try:
        ffmpeg = f"ffmpeg {ffmpeg_version()} ({find_ffmpeg()})"
    except AudionetError as error:
        ffmpeg = str(error)
    packages = ", ".join(f"{name} {version_of(name) or 'missing'}" for name in TOLD_PACKAGES)
    return f"audionet {__version__}\n{_python()}\n{ffmpeg}\n{packages}"


def _python() -> str:
    return f"Python {platform.python_version()}, {platform.platform()}"


def _audionet() -> str:
    return f"{__version__} in {Path(__file__).resolve().parent.parent}; {_python()} in {sys.executable}"


def _packages() -> str:
    """The packages that audionet asks for. Raises AudionetError if one is not there."""
    try:
        asked = metadata.requires("audionet") or []
    except metadata.PackageNotFoundError:
        asked = list(TOLD_PACKAGES)
    # With a condition behind it, a package is for other systems, or for those who ask for more.
    names = [re.split(r"[^\w.-]", requirement)[0] for requirement in asked if ";" not in requirement]
    missing = sorted(name for name in names if version_of(name) is None)
    if missing:
        raise AudionetError(f"not installed: {', '.join(missing)}; run: pip install {' '.join(missing)}")
    told = ", ".join(f"{name} {version_of(name)}" for name in TOLD_PACKAGES)
    return f"all {len(names)} installed, such as {told}"


def _ffmpeg() -> str:
    """Check that ffmpeg and libsndfile read sound; say which ffmpeg it is and how long it takes to start."""
    samples = np.arange(SAMPLE_RATE_HZ, dtype=np.int16)
    with tempfile.TemporaryDirectory(prefix="audionet-") as folder:
        path = Path(folder) / "sound.wav"
        path.write_bytes(to_wav(Chunk(0.0, samples)))
        if not np.array_equal(np.concatenate(list(decode(path))), samples):
            raise AudionetError(f"{find_ffmpeg()} {ffmpeg_version()}: reads sound wrongly; install another")
    origin = "the one of imageio-ffmpeg" if "imageio" in find_ffmpeg() else "the system's own"
    check_libsndfile()
    start_ms = 1000 * min(timeit.repeat(lambda: ask_ffmpeg("-version"), repeat=3, number=1))
    starts = f"starts in {start_ms:.0f} ms, once for each recording that is no short WAV, FLAC or Ogg"
    return f"{ffmpeg_version()} in {find_ffmpeg()}, {origin}, reads sound; {starts}"


def _trunk() -> str:
    """Check that the embedded network is undamaged and runs."""
    backbone = load_backbone("rows", TF_FILES)
    remedy = "run: pip install --force-reinstall ai-edge-litert"
    with explaining("does not run", ValueError, RuntimeError, remedy=remedy):
        features = Network(backbone.flatbuffer).run(np.zeros((PICTURE_SIZE, PICTURE_SIZE, 3), np.uint8))[0]
    return (
        f"Inception v3 inside audionet, SHA-256 {backbone.sha256[:16]}..., runs: {features.size:,} numbers per picture"
    )


def _folder(folder: Path) -> str:
    """Check that files can be written in a folder or, if it is not there yet, in the one where it would be made."""
    place = nearest_there(folder.absolute())
    remedy = "go to a folder of your own, or name others with --image-dir and the like"
    with explaining(f"{place}: cannot be written", OSError, remedy=remedy):
        with tempfile.TemporaryFile(prefix=TEMPORARY_PREFIX, dir=place) as file:
            file.write(b"audionet")
        free = shutil.disk_usage(place).free
    if free < LITTLE_SPACE_BYTES:
        raise AudionetError(f"{place}: only {free / 1e9:.1f} GB of free space; an hour of sound takes 0.2 GB")
    return f"{place} can be written, {free / 1e9:.0f} GB free"


def _model(folder: Path) -> str:
    """Check that the model in a folder can be read, if there is one."""
    options = LabelOptions(folder / LabelOptions.graph.name)
    if not options.files.description.exists():
        return f"none in {folder} yet; audionet retrain makes one"
    return f"{options.graph}: knows {listed_classes(load_model(options).labels)}"


def _machine() -> str:
    memory = memory_bytes()
    return count(available_cores(), "core") + ("" if memory is None else f", {memory / 1e9:.0f} GB of memory")
