#!/usr/bin/env python3
"""Speed and memory of whole processes, side by side in one run, as ratios.

    python benchmarks/speed.py                                        everything (half an hour on two cores)
    python benchmarks/speed.py --only prepare-decoding label --runs 7
    python benchmarks/speed.py --large --only prepare-40000           with what takes an hour of its own

Names for --only:

    prepare-decoding      12 MP3s of 5 minutes, against ffmpeg decoding and resampling them with as many jobs
    prepare-usual         the same, against the usual librosa + matplotlib loop (benchmarks/usual_way.py)
    prepare-long          one MP3 of an hour, against 12 of 5 minutes
    bottlenecks           seconds a picture, against the bare LiteRT interpreter on the same pictures
    bottlenecks-keras     seconds a picture, against Keras InceptionV3 in TensorFlow at batch 32
    retrain-warm          500 steps with cached bottlenecks, against `import tensorflow`
    retrain-cold          500 steps with none cached, against the same with all cached
    retrain-many          500 steps with 100,000 pictures (benchmarks/synthetic.py, 7 GB), against 1000
    label                 a 20-second MP3, against `import tensorflow`
    label-long            an MP3 of an hour, against its own length
    timeline              label --timeline of an hour, against label
    events                label --events of an hour, against label
    prepare-ogg           400 Ogg Vorbis files of 5 seconds, against libsndfile and soxr on the same files
    prepare-ogg-librosa   the same, against librosa.load in a loop
    prepare-wav           3,000 WAVs of 4 seconds at 22 kHz, against reading and resampling them
    prepare-six           half an hour in six MP3s, against ffmpeg decoding and resampling them
    prepare-again         4,000 WAVs of which nothing is new, against 400
    label-ogg             400 Ogg Vorbis files of 5 seconds, against reading and resampling them
    label-start           a WAV of 2 seconds, against `import numpy` and LiteRT
    prepare-4000          seconds a WAV of half a second, of 4,000, against 400
    prepare-40000         the same of 40,000, against 4,000 (with --large)
    memory-prepare        an MP3 of 10 hours, against one of 10 minutes
    memory-events         the same with label --events
    memory-label          the same with label

The sound is the sample voices, looped into 128 kbit/s 44.1 kHz stereo MP3s. Two commands take turns, A B A B ...,
after one run of each that does not count; a ratio is taken pair by pair. Memory is that of the whole process tree,
sampled twenty times a second (pages that processes share count more than once).
"""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import psutil
import soundfile
from synthetic import make

from audionet.audio.ffmpeg import find_ffmpeg
from audionet.settings import available_cores

ROOT = Path(__file__).resolve().parent.parent
VOICES = ROOT / "tf_files" / "data_audio"
AUDIONET = [sys.executable, "-m", "audionet"]
IMPORT_TENSORFLOW = [sys.executable, "-c", "import tensorflow"]
HOUR_SECONDS, PART_SECONDS = 3600, 300
SAMPLE_INTERVAL_SECONDS = 0.05

# Programs that end by printing how many seconds a picture took them, start-up left out.
BOTTLENECKS = """
import sys, tempfile, time
from pathlib import Path
from audionet.bottleneck.extractor import BottleneckExtractor
from audionet.dataset.manifest import PictureIndex
from audionet.bottleneck.backbone import load_backbone
folder = Path(sys.argv[1])
paths, renderer = sorted(folder.rglob("*.jpg")), PictureIndex.load(folder).renderer
backbone = load_backbone("rows", folder)
with tempfile.TemporaryDirectory() as cache:
    start = time.perf_counter()
    assert BottleneckExtractor(backbone, renderer, Path(cache)).extract(paths).computed == len(paths)
    print((time.perf_counter() - start) / len(paths))
"""
READ_PICTURES = """
import os, sys, time
from pathlib import Path
import numpy as np
from PIL import Image
paths = sorted(Path(sys.argv[1]).rglob("*.jpg"))
pictures = [np.asarray(Image.open(path).convert("RGB"), np.float32)[None] / 255 for path in paths]
"""
BARE_INTERPRETER = (
    READ_PICTURES
    + """
from ai_edge_litert.interpreter import Interpreter
from audionet.bottleneck.backbone import load_backbone
interpreter = Interpreter(model_content=load_backbone("rows", Path()).flatbuffer, num_threads=int(sys.argv[2]))
interpreter.allocate_tensors()
place, output = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
start = time.perf_counter()
for picture in pictures:
    interpreter.set_tensor(place, picture)
    interpreter.invoke()
    interpreter.get_tensor(output)
print((time.perf_counter() - start) / len(pictures))
"""
)
KERAS = (
    READ_PICTURES
    + """
from tensorflow import keras
net = keras.applications.InceptionV3(weights=None, include_top=False, pooling="avg")
batches = [np.concatenate(pictures[n : n + 32]) for n in range(0, len(pictures) - 31, 32)]
net.predict_on_batch(batches[0])
start = time.perf_counter()
for batch in batches:
    net.predict_on_batch(batch)
print((time.perf_counter() - start) / (32 * len(batches)))
"""
)


# Programs that read short files, as the first argument names their folder, and bring them to 16 kHz.
READ_SHORT = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import soundfile, soxr
def read(path):
    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    return soxr.resample(samples.mean(axis=1), rate_hz, 16000)
with ThreadPoolExecutor(int(sys.argv[2])) as pool:
    for _ in pool.map(read, sorted(path for path in Path(sys.argv[1]).rglob("*") if path.is_file())):
        pass
"""
LOAD_BY_LIBROSA = """
import sys
from pathlib import Path
import librosa
for path in sorted(path for path in Path(sys.argv[1]).rglob("*") if path.is_file()):
    librosa.load(path, sr=16000)
"""
IMPORT_LITERT = [sys.executable, "-c", "import numpy, ai_edge_litert.interpreter"]
SOUNDS, CLASSES = 20, 10  # different ones among the short files, and their folders


@dataclass(frozen=True)
class Short:
    """Short files of one kind, made to order: tones in noise."""

    count: int
    seconds: float
    rate_hz: int
    ending: str = "wav"


OGGS, WAVS = Short(400, 5.0, 44_100, "ogg"), Short(3000, 4.0, 22_050)
FEW, MANY, VERY_MANY = (Short(count, 0.5, 16_000) for count in (400, 4000, 40_000))


@dataclass(frozen=True)
class Usage:
    """Of one process and those that it started: seconds on the clock, peak memory in MB, the last line printed."""

    seconds: float
    peak_mb: float
    printed: str = ""


def measure(command: list[str], folder: Path) -> Usage:
    """Run a command to its end. Raises SystemExit if it fails."""
    # A user's Python keeps what it has compiled; without, `import tensorflow` alone takes three times as long.
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    peak, ended = [0.0], threading.Event()

    def watch() -> None:
        while not ended.wait(SAMPLE_INTERVAL_SECONDS):
            peak[0] = max(peak[0], tree_mb(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    printed, _ = process.communicate()
    seconds = time.perf_counter() - start
    ended.set()
    watcher.join()
    if process.returncode != 0:
        raise SystemExit(f"failed: {' '.join(command)}")
    return Usage(seconds, peak[0], (printed.splitlines() or [""])[-1])


def tree_mb(root: int) -> float:
    """Resident memory of a process and its descendants."""
    resident = 0
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(root)
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):  # it has just ended
                resident += each.memory_info().rss
    return resident / 1e6


class Bench:
    """The sounds, the trained model and the commands, in a folder; each made when first needed."""

    def __init__(self, folder: Path, runs: int) -> None:
        self.folder, self.runs, self.cores = folder, runs, available_cores()

    def ffmpeg(self, *arguments: object) -> None:
        subprocess.run([find_ffmpeg(), "-v", "error", "-y", *map(str, arguments)], check=True)

    @cached_property
    def hour(self) -> Path:
        """data_audio/ with one MP3 of an hour."""
        voices = self.folder / "voices.txt"
        voices.write_text("".join(f"file '{path}'\n" for path in sorted(VOICES.glob("*/*.mp3"))))
        loop, path = self.folder / "loop.wav", self.folder / "one" / "voices" / "hour.mp3"
        path.parent.mkdir(parents=True)
        self.ffmpeg("-f", "concat", "-safe", "0", "-i", voices, "-ac", "2", "-ar", "44100", loop)
        self.ffmpeg("-stream_loop", "-1", "-i", loop, "-t", HOUR_SECONDS, "-c:a", "libmp3lame", "-b:a", "128k", path)
        return path

    @cached_property
    def parts(self) -> list[Path]:
        """The same hour in MP3s of 5 minutes, in a data_audio/ of their own."""
        return [
            self.copy(f"twelve/voices/{start // PART_SECONDS:02d}.mp3", "-ss", start, "-t", PART_SECONDS)
            for start in range(0, HOUR_SECONDS, PART_SECONDS)
        ]

    @property
    def twelve(self) -> Path:
        """The data_audio/ of these parts."""
        return self.parts[0].parent.parent

    def copy(self, name: str, *before: object) -> Path:
        """A part of the hour, or many of it, without encoding it anew."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self.ffmpeg(*before, "-i", self.hour, "-c", "copy", path)
        return path

    def short(self, kind: Short) -> Path:
        """data_audio/ of short files."""
        folder = self.folder / f"short-{kind.count}-{kind.ending}-{kind.seconds}"
        if folder.is_dir():
            return folder
        random, seconds = np.random.default_rng(0), np.arange(round(kind.seconds * kind.rate_hz)) / kind.rate_hz
        for number in range(kind.count):
            path = folder / f"class{number % CLASSES}" / f"{number:06d}.{kind.ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            if number < SOUNDS:
                sound = 0.2 * np.sin(2 * np.pi * (300 + 100 * number) * seconds)
                soundfile.write(path, sound + random.normal(0, 0.01, len(seconds)), kind.rate_hz)
            else:
                shutil.copy(folder / f"class{number % SOUNDS % CLASSES}" / f"{number % SOUNDS:06d}.{kind.ending}", path)
        return folder

    def read_short(self, kind: Short, program: str = READ_SHORT) -> Usage:
        return measure([sys.executable, "-c", program, str(self.short(kind)), str(self.cores)], self.folder)

    def prepare_short(self, kind: Short) -> Usage:
        """Seconds a file."""
        usage = self.prepare(self.short(kind))
        return Usage(usage.seconds / kind.count, usage.peak_mb)

    def prepare_again(self, kind: Short) -> Usage:
        """Nothing is new."""
        pictures, recordings = self.folder / f"again-{kind.count}", self.short(kind)
        command = [*AUDIONET, "prepare", str(recordings), "--image-dir", str(pictures)]
        if not pictures.is_dir():
            measure(command, self.folder)
        return measure(command, self.folder)

    def new_folder(self) -> Path:
        """For what a run writes. Not the last run's, emptied: where many files were just deleted, ext4 passes each of
        them over for every new one, for minutes (a new file took 0.5 ms instead of 0.04)."""
        return Path(tempfile.mkdtemp(dir=self.folder))

    @cached_property
    def model(self) -> Path:
        """A folder with tf_files/ as the commands leave it after training on the sample voices."""
        folder = self.folder / "model"
        folder.mkdir()
        for command in (["prepare", str(VOICES)], ["retrain"]):
            measure([*AUDIONET, *command], folder)
        return folder

    def prepare(self, recordings: Path, *options: str) -> Usage:
        options = "--image-dir", str(self.new_folder()), *options
        return measure([*AUDIONET, "prepare", str(recordings), *options], self.folder)

    def retrain(self, *options: str) -> Usage:
        return measure([*AUDIONET, "retrain", "--steps", "500", "--force", *options], self.model)

    def retrain_many(self, count: int) -> Usage:
        """With so many synthetic pictures, whose bottlenecks are cached; the first run caches their coordinates."""
        folder = self.folder / f"synthetic-{count}"
        if not folder.is_dir():
            folder.mkdir()
            make(folder, count)
        return measure([*AUDIONET, "retrain", "--steps", "500", "--force"], folder)

    def label(self, clip: Path, *options: str) -> Usage:
        (self.model / "tf_files" / "retrained_graph.scores").unlink(missing_ok=True)  # what it has heard before
        return measure([*AUDIONET, "label", str(clip), *options], self.model)

    def import_tensorflow(self) -> Usage:
        return measure(IMPORT_TENSORFLOW, self.folder)

    @cached_property
    def six(self) -> Path:
        """data_audio/ of half an hour in six MP3s."""
        for path in self.parts[:6]:
            copied = self.folder / "six" / "voices" / path.name
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copied)
        return self.folder / "six"

    def decode(self, count: int = HOUR_SECONDS // PART_SECONDS) -> Usage:
        """The same options as ours, as many processes at once."""
        options = "-nostdin -v error -threads 1 -i {} -map 0:a:0 -ac 1 -ar 16000 -f null -"
        files = " ".join(str(path) for path in self.parts[:count])
        return measure(
            ["sh", "-c", f"printf '%s\\n' {files} | xargs -P{self.cores} -I{{}} {find_ffmpeg()} {options}"], self.folder
        )

    def usual_way(self) -> Usage:
        script, recordings = str(ROOT / "benchmarks" / "usual_way.py"), str(self.twelve)
        return measure([sys.executable, script, recordings, str(self.new_folder())], self.folder)

    def program(self, source: str) -> Usage:
        """One of the programs above, on the trained model's pictures."""
        pictures = self.model / "tf_files" / "data_image"
        usage = measure([sys.executable, "-c", source, str(pictures), str(self.cores)], self.folder)
        return Usage(float(usage.printed), usage.peak_mb)


@dataclass(frozen=True)
class Comparison:
    """What is compared with what, and what is wanted of the ratio (of seconds, or of memory)."""

    about: str
    one: Callable[[Bench], Usage]
    other_name: str
    other: Callable[[Bench], Usage]
    wanted: str
    of_memory: bool = False
    runs: int | None = None  # fewer, where one takes long


def of_an_hour(mode: str) -> Comparison:
    """What a mode of `label` takes, against `label` alone."""
    return Comparison(
        f"label {mode}, an MP3 of an hour",
        lambda bench: bench.label(bench.hour, mode),
        "label",
        lambda bench: bench.label(bench.hour),
        "at most 1.3",
    )


def of_ten_hours(command: str, run: Callable[[Bench, Path], Usage]) -> Comparison:
    """The memory that a command takes for an MP3 of ten hours, against one of ten minutes. run: the command."""
    return Comparison(
        f"{command}, an MP3 of 10 hours",
        lambda bench: run(bench, bench.copy("ten-hours/a/x.mp3", "-stream_loop", 9)),
        "10 minutes",
        lambda bench: run(bench, bench.copy("ten-minutes/a/x.mp3", "-t", 600)),
        "at most 1.2, and 400 MB",
        of_memory=True,
        runs=1,
    )


COMPARISONS = {
    "prepare-decoding": Comparison(
        "prepare, an hour in 12 MP3s",
        lambda bench: bench.prepare(bench.twelve),
        "ffmpeg alone",
        Bench.decode,
        "at most 1.6",
    ),
    "prepare-usual": Comparison(
        "prepare, an hour in 12 MP3s",
        lambda bench: bench.prepare(bench.twelve),
        "the usual way",
        Bench.usual_way,
        "at most 0.167",
        runs=2,
    ),
    "prepare-long": Comparison(
        "prepare, an hour in one MP3",
        lambda bench: bench.prepare(bench.hour.parent.parent),
        "in 12 MP3s",
        lambda bench: bench.prepare(bench.twelve),
        "at most 1.15",
    ),
    "bottlenecks": Comparison(
        "a bottleneck",
        lambda bench: bench.program(BOTTLENECKS),
        "the bare interpreter",
        lambda bench: bench.program(BARE_INTERPRETER),
        "at most 1.25",
    ),
    "bottlenecks-keras": Comparison(
        "a bottleneck",
        lambda bench: bench.program(BOTTLENECKS),
        "Keras InceptionV3",
        lambda bench: bench.program(KERAS),
        "at most 0.25",
    ),
    "retrain-warm": Comparison(
        "retrain, 500 steps, cached", Bench.retrain, "import tensorflow", Bench.import_tensorflow, "at most 1.6"
    ),
    "retrain-cold": Comparison(
        "retrain, 500 steps, nothing cached",
        lambda bench: bench.retrain("--bottleneck-dir", str(bench.new_folder())),
        "cached",
        Bench.retrain,
        "no limit",
        runs=1,
    ),
    "retrain-many": Comparison(
        "retrain, 100,000 pictures, cached",
        lambda bench: bench.retrain_many(100_000),
        "1000 pictures",
        lambda bench: bench.retrain_many(1000),
        "at most 4 s more, and 2.5 GB",
    ),
    "label": Comparison(
        "label, a 20-second MP3",
        lambda bench: bench.label(bench.copy("clip.mp3", "-t", 20)),
        "import tensorflow",
        Bench.import_tensorflow,
        "at most 0.2, and 250 MB",
    ),
    "label-long": Comparison(
        "label, an MP3 of an hour",
        lambda bench: bench.label(bench.hour),
        "its length",
        lambda bench: Usage(HOUR_SECONDS, 0),  # noqa: ARG005
        "at most 0.004",
    ),
    "timeline": of_an_hour("--timeline"),
    "events": of_an_hour("--events"),
    "prepare-ogg": Comparison(
        "prepare, 400 OGGs of 5 s",
        lambda bench: bench.prepare(bench.short(OGGS)),
        "libsndfile and soxr alone",
        lambda bench: bench.read_short(OGGS),
        "at most 3",
    ),
    "prepare-ogg-librosa": Comparison(
        "prepare, 400 OGGs of 5 s",
        lambda bench: bench.prepare(bench.short(OGGS)),
        "librosa.load alone",
        lambda bench: bench.read_short(OGGS, LOAD_BY_LIBROSA),
        "no limit",
        runs=2,
    ),
    "prepare-wav": Comparison(
        "prepare, 3,000 WAVs of 4 s",
        lambda bench: bench.prepare(bench.short(WAVS)),
        "libsndfile and soxr alone",
        lambda bench: bench.read_short(WAVS),
        "at most 3.5",
        runs=2,
    ),
    "prepare-six": Comparison(
        "prepare, half an hour in 6 MP3s",
        lambda bench: bench.prepare(bench.six),
        "ffmpeg alone",
        lambda bench: bench.decode(6),
        "at most 1.35",
    ),
    "prepare-again": Comparison(
        "prepare, 4,000 WAVs, nothing new",
        lambda bench: bench.prepare_again(MANY),
        "400",
        lambda bench: bench.prepare_again(FEW),
        "at most 1.1 s more",
    ),
    "label-ogg": Comparison(
        "label, 400 OGGs of 5 s",
        lambda bench: bench.label(bench.short(OGGS)),
        "libsndfile and soxr alone",
        lambda bench: bench.read_short(OGGS),
        "at most 5",
        runs=2,
    ),
    "label-start": Comparison(
        "label, a WAV of 2 s",
        lambda bench: bench.label(bench.short(Short(1, 2.0, 16_000)) / "class0" / "000000.wav"),
        "import numpy and LiteRT",
        lambda bench: measure(IMPORT_LITERT, bench.folder),
        "at most 0.25 s more",
    ),
    "prepare-4000": Comparison(
        "prepare, a WAV of 0.5 s among 4,000",
        lambda bench: bench.prepare_short(MANY),
        "among 400",
        lambda bench: bench.prepare_short(FEW),
        "at most 1.2, and 500 MB",
        runs=1,
    ),
    "prepare-40000": Comparison(
        "prepare, a WAV of 0.5 s among 40,000",
        lambda bench: bench.prepare_short(VERY_MANY),
        "among 4,000",
        lambda bench: bench.prepare_short(MANY),
        "at most 1.2, and 500 MB",
        runs=1,
    ),
    "memory-prepare": of_ten_hours("prepare", lambda bench, mp3: bench.prepare(mp3.parent.parent, "--no-keep-wav")),
    "memory-events": of_ten_hours("label --events", lambda bench, mp3: bench.label(mp3, "--events")),
    "memory-label": of_ten_hours("label", Bench.label),
}


LARGE = ("prepare-40000",)


def compare(bench: Bench, comparison: Comparison) -> str:
    """The line of the table: the medians of both, and of their ratio."""
    runs = comparison.runs or bench.runs
    warm_up = 0 if comparison.runs else 1
    pairs = [(comparison.one(bench), comparison.other(bench)) for _ in range(runs + warm_up)][warm_up:]
    if comparison.of_memory:
        ratios = [a.peak_mb / b.peak_mb for a, b in pairs]
    else:
        ratios = [a.seconds / b.seconds for a, b in pairs]
    cells = [
        f"{statistics.median(usage.seconds for usage in side):.3g} s, {max(usage.peak_mb for usage in side):.0f} MB"
        for side in zip(*pairs, strict=True)
    ]
    spread = f" ({min(ratios):.3g} to {max(ratios):.3g})" if len(ratios) > 1 else ""
    of = "memory " if comparison.of_memory else ""
    ratio = f"{of}{statistics.median(ratios):.3g}{spread}"
    return f"| {comparison.about} | {cells[0]} | {comparison.other_name}, {cells[1]} | {ratio} | {comparison.wanted} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="pairs that count, unless one takes minutes (default: 5)")
    parser.add_argument("--only", nargs="+", choices=COMPARISONS, metavar="NAME", help="some of them")
    parser.add_argument("--large", action="store_true", help=f"what takes very long too: {', '.join(LARGE)}")
    options = parser.parse_args()
    names = [name for name in options.only or COMPARISONS if options.large or name not in LARGE]
    ffmpeg = subprocess.run([find_ffmpeg(), "-version"], capture_output=True, text=True, check=True).stdout
    print(
        f"{available_cores()} cores, {platform.machine()}, Python {platform.python_version()}, "
        f"{' '.join(ffmpeg.split()[:3])}, {time.strftime('%Y-%m-%d')}\n\n"
        "| what | time, peak memory | against | ratio | wanted |\n| --- | --- | --- | --- | --- |",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), options.runs)
        for chosen in names:
            print(compare(bench, COMPARISONS[chosen]), flush=True)


if __name__ == "__main__":
    main()
