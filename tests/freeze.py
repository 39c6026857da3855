"""What the commands give on the sample voices, and whether they still do.

    python -m tests.freeze --write     writes tests/golden/ anew, after a change that is wanted

Everything is kept as text: what is printed, the JSON files, and of every other file its SHA-256. On a machine like
the one of tests/golden/machine.json (packages, ffmpeg, processor, cores) all of it must be the same to the byte. On
another one the last bits of a product differ, and the checksums with them: there the text must agree, and its numbers
within TOLERANCE.
"""

import argparse
import contextlib
import hashlib
import io
import json
import os
import platform
import re
import shutil
import subprocess
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from audionet import PictureSettings, prepare, retrain
from audionet.cli.main import main as audionet
from audionet.dataset.sources import FOLDER_FILE
from tests.conftest import ROOT, SAMPLE_CLIPS, SAMPLE_VOICES, chirps, make_launchers, write_wav

GOLDEN = Path(__file__).resolve().parent / "golden"
OLD_FILES = GOLDEN / "old_files.tar.xz"
MACHINE = GOLDEN / "machine.json"
RESULTS = "results.json"  # what run_commands gave in a folder, for tests
DEMO = "demo.txt"  # what `make demo` printed there
TOLERANCE = 0.02
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
PACKAGES = ("ai-edge-litert", "librosa", "matplotlib", "numpy", "pillow", "tensorflow")
# The date of the model's card and of the reports.
ENVIRONMENT = {"SOURCE_DATE_EPOCH": "1764000000", "COLUMNS": "120", "NO_COLOR": "1"}
# A name for what is printed -> the command that comes after `make demo`, in its folder.
COMMANDS = {
    "retrain-again.txt": ["retrain", "--steps", "500"],
    "label.txt": ["label", "test_audio"],
    "label.json": ["label", "test_audio", "--format", "json"],
    "label.csv": ["label", "test_audio", "--format", "csv"],
    "timeline.txt": ["label", "test_audio", "--timeline"],
    "timeline.json": ["label", "test_audio", "--timeline", "--format", "json"],
    "timeline.csv": ["label", "test_audio", "--timeline", "--format", "csv"],
    "timeline.rttm": ["label", "test_audio", "--timeline", "--format", "rttm"],
    "evaluate.txt": ["evaluate", "test_audio"],
    "evaluate.json": ["evaluate", "test_audio", "--format", "json"],
}


def run_commands(folder: Path) -> dict[str, str]:
    """What `make demo` and the commands after it print, and what the files that they write hold, by name, as text.

    They are run in folder/demo, as if `folder` were a copy of the project in which all is installed.
    """
    _, *said = re.split(r"^\$ audionet (\w+).*\n", make_demo(folder), flags=re.MULTILINE)
    printed = dict(zip(said[::2], said[1::2], strict=True))
    texts = {f"{name}.txt": f"{printed[name].rstrip()}\nexit status 0\n" for name in ("prepare", "retrain")}
    demo = folder / "demo"
    # One clip of each voice says what all would, in a fifth of the time.
    for clip in sorted(SAMPLE_CLIPS.glob("*/*-clip-1.mp3")):
        (demo / "test_audio" / clip.parent.name).mkdir(parents=True)
        shutil.copy(clip, demo / "test_audio" / clip.parent.name)
    for name, arguments in COMMANDS.items():
        texts[name] = run_here(demo, arguments)
    checksums = {}
    for path in sorted((demo / "tf_files").rglob("*")):
        name = path.relative_to(demo / "tf_files").as_posix()
        # TensorBoard's files and the list of checksums hold times of day, FOLDER_FILE the place of the recordings.
        if not path.is_file() or name.startswith("training_summaries") or name.endswith("pictures.sha256.json"):
            continue
        if path.name == FOLDER_FILE:
            continue
        if path.suffix == ".json":
            texts[path.name] = _without_times(path)
        else:
            checksums[name] = hashlib.sha256(path.read_bytes()).hexdigest()
            if path.suffix == ".html":
                texts[path.name] = re.sub(r"base64,[A-Za-z0-9+/=]+", "base64,", path.read_text(encoding="utf-8"))
    # The training key is a digest of all that decides the model, its algorithm's version among them.
    key = json.loads((demo / "tf_files" / "retrained_graph.json").read_text(encoding="utf-8"))["training"]["key"]
    texts = {name: text.replace(key, "KEY") for name, text in texts.items()}
    checksums = {name: "with the key" if name == "report.html" else digest for name, digest in checksums.items()}
    texts["checksums.json"] = json.dumps(checksums, indent=0)
    return texts


def make_demo(folder: Path) -> str:
    """What `make demo` prints, which is saved too: all sample voices are learnt, all sample clips labelled and counted.

    Raises AssertionError if one of its commands ends with another status than 0.
    """
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "scripts/demo.sh"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    make_launchers(folder / ".venv" / "bin")
    (folder / ".venv" / "installed").touch()
    (folder / "tf_files").mkdir()
    for samples in (SAMPLE_VOICES, SAMPLE_CLIPS):
        (folder / "tf_files" / samples.name).symlink_to(samples)
    # Called by another make, as in `make test`, it would name the folders that it enters.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))} | ENVIRONMENT
    finished = subprocess.run(["make", "demo"], cwd=folder, env=env, capture_output=True, check=False, timeout=600)
    assert finished.returncode == 0, finished.stderr.decode()
    (folder / DEMO).write_bytes(finished.stdout)
    return finished.stdout.decode()


def run_here(folder: Path, arguments: list[str]) -> str:
    """What a command prints in `folder`, and its exit status; it runs in this process, with one thread a product."""
    printed = io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(io.StringIO()),
        threadpool_limits(1),
    ):
        patch.chdir(folder)
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        status = audionet(arguments)
    return f"{printed.getvalue()}exit status {status}\n"


def _without_times(path: Path) -> str:
    """A JSON file in an order of its own, without times of change and packed arrays."""
    content = json.loads(path.read_text(encoding="utf-8"))
    for recording in content.get("recordings", {}).values():
        del recording["mtime_ns"]
    for packed in ("filter_bank", "color_table"):
        content[packed] = hashlib.sha256(json.dumps(content[packed]).encode()).hexdigest()
    return json.dumps(content, indent=0, sort_keys=True)


def machine() -> dict[str, str]:
    """What the last bits of a result depend on."""
    from audionet.audio.ffmpeg import find_ffmpeg

    ffmpeg = subprocess.run([find_ffmpeg(), "-version"], capture_output=True, check=True, text=True).stdout
    processor = ""
    if Path("/proc/cpuinfo").is_file():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        processor = " ".join(sorted({line for line in lines if line.startswith(("model name", "flags"))}))
    found = {
        "python": platform.python_version(),
        "system": platform.platform(aliased=True),
        "ffmpeg": ffmpeg.splitlines()[0],
        "processor": hashlib.sha256(processor.encode()).hexdigest()[:16],
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "threads": " ".join(sorted(f"{k}={v}" for k, v in os.environ.items() if k.startswith(("OMP_", "OPENBLAS_")))),
    }
    return found | {package: version(package) for package in PACKAGES}


def is_the_same_machine() -> bool:
    """Whether results must be the same to the byte."""
    return bool(machine() == json.loads(MACHINE.read_text(encoding="utf-8")))


def difference(name: str, old: str, new: str, exactly: bool) -> str:
    """The first line in which two texts differ, with both; "" if they agree."""
    if name == "checksums.json":
        before, after = json.loads(old), json.loads(new)
        if not exactly:  # the names alone
            before, after = dict.fromkeys(before), dict.fromkeys(after)
        changed = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
        return f"these files differ: {', '.join(changed)}" if changed else ""
    if exactly and old == new:
        return ""
    old_lines, new_lines = old.splitlines(), new.splitlines()
    if name.endswith(".html") and not exactly:
        # Pictures that are nearly as sure as each other may have changed places.
        old_lines, new_lines = (sorted(map(_without_numbers, lines)) for lines in (old_lines, new_lines))
    for number, (one, other) in enumerate(zip(old_lines, new_lines, strict=False), start=1):
        if one != other and (exactly or not _agree(one, other)):
            return f"{name}, line {number}:\n  {one[:300]}\n  {other[:300]}"
    if len(old_lines) != len(new_lines):
        return f"{name}: {len(old_lines)} lines, now {len(new_lines)}"
    return f"{name}: other line ends" if exactly else ""


def _agree(one: str, other: str) -> bool:
    """Whether two lines say the same and their numbers are near each other; checksums and versions may differ."""
    if _without_numbers(one) != _without_numbers(other):
        return False
    numbers = (map(float, NUMBER.findall(_without_names(line))) for line in (one, other))
    return all(abs(a - b) <= TOLERANCE * max(1, abs(a)) for a, b in zip(*numbers, strict=True))


def _without_names(line: str) -> str:
    """A line with its checksums and versions masked. The many digits of a fraction are no checksum."""
    line = re.sub(r"(?<![\d.])\b[0-9a-f]{16,64}\b", "HEX", line)
    return re.sub(r"\b\d+\.\d+\.\d+\b", "VERSION", line)


def _without_numbers(line: str) -> str:
    return NUMBER.sub("#", _without_names(line))


def make_old_recordings(folder: Path) -> None:
    """The recordings that the old files were made of: two classes of three seconds of tones each."""
    for number, (name, (low_hz, high_hz)) in enumerate({"low": (200, 400), "high": (2000, 3000)}.items()):
        for n in range(3):
            write_wav(folder / name / f"{name}-{n}.wav", chirps(10 * number + n, low_hz, high_hz, 1.0))


def write_old_files() -> None:
    """Pictures, their index, the cache of their bottlenecks, a model and its scores, as this commit writes them."""
    from audionet import LabelOptions, PrepareOptions, RetrainOptions, label

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_old_recordings(folder / "data_audio")
        images = folder / "data_image"
        prepare(folder / "data_audio", PrepareOptions(image_dir=images, pictures=PictureSettings(1, 0)))
        graph, labels = folder / "retrained_graph.pb", folder / "retrained_labels.txt"
        retrain(
            RetrainOptions(
                image_dir=images,
                bottleneck_dir=folder / "bottlenecks",
                summaries_dir=folder / "summaries",
                output_graph=graph,
                output_labels=labels,
                steps=50,
                write_report=False,
            )
        )
        clips = sorted((folder / "data_audio").rglob("*.wav"))
        scores = {
            clip.stem: found.scores
            for clip, found in zip(clips, label(clips, LabelOptions(graph, labels)), strict=True)
        }
        (folder / "scores.json").write_text(json.dumps(scores), encoding="utf-8")
        with tarfile.open(OLD_FILES, "w:xz") as archive:
            for file in ("data_image", "bottlenecks", "retrained_graph.tflite", "retrained_graph.json"):
                archive.add(folder / file, file)
            for file in ("retrained_labels.txt", "scores.json"):
                archive.add(folder / file, file)


def main() -> None:
    """Write tests/golden/."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", required=True, help="write what the commands give now")
    parser.add_argument("--old-files", action="store_true", help="the archive of old files too; never again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, text in run_commands(Path(folder)).items():
            (GOLDEN / name).write_text(text, encoding="utf-8")
    MACHINE.write_text(json.dumps(machine(), indent=1) + "\n", encoding="utf-8")
    if options.old_files:
        write_old_files()


if __name__ == "__main__":
    main()
