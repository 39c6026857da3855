#!/usr/bin/env python3
"""Times of whole processes, side by side in one run, as ratios.

    python benchmarks/prepare_and_label.py [--runs N]

1. `audionet prepare` on the sample voices against the usual way (benchmarks/usual_way.py).
2. `audionet label` of a 20-second MP3 against `python -c "import tensorflow"`, with label's peak memory.

The two of a pair take turns, A B A B ..., after one run of each that does not count; the ratio is taken pair by pair.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from audionet.ffmpeg import find_ffmpeg
from audionet.settings import available_cores

ROOT = Path(__file__).resolve().parent.parent
VOICES = ROOT / "tf_files" / "data_audio"
AUDIONET = [sys.executable, "-m", "audionet"]


@dataclass(frozen=True)
class Usage:
    """Of one process: seconds on the clock, and the most memory it held, in MB."""

    seconds: float
    peak_mb: float


def measure(command: list[str], folder: Path) -> Usage:
    """Run a command to its end. Raises SystemExit if it fails."""
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"failed: {' '.join(command)}")
    return Usage(seconds, usage.ru_maxrss / 1000)


def compare(
    name: str, one: Callable[[], Usage], other_name: str, other: Callable[[], Usage], runs: int, limit: str
) -> None:
    """Print the medians of two commands and of their ratio."""
    pairs = [(one(), other()) for _ in range(runs + 1)][1:]
    ratios = [a.seconds / b.seconds for a, b in pairs]
    median = [statistics.median(usage.seconds for usage in side) for side in zip(*pairs, strict=True)]
    peak = max(a.peak_mb for a, _ in pairs)
    print(
        f"{name}: {median[0]:.2f} s, {peak:.0f} MB; {other_name}: {median[1]:.2f} s; "
        f"ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}), wanted: {limit}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="pairs that count (default: 5)")
    runs = parser.parse_args().runs
    print(f"{available_cores()} cores, Python {sys.version.split()[0]}, {find_ffmpeg()}, {time.strftime('%Y-%m-%d')}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def prepare() -> Usage:
            shutil.rmtree(folder / "tf_files", ignore_errors=True)
            return measure([*AUDIONET, "prepare", str(VOICES)], folder)

        def usual_way() -> Usage:
            shutil.rmtree(folder / "usual", ignore_errors=True)
            script = str(ROOT / "benchmarks" / "usual_way.py")
            return measure([sys.executable, script, str(VOICES), "usual"], folder)

        compare("prepare", prepare, "the usual way", usual_way, runs, "at most 0.25")

        measure([*AUDIONET, "retrain"], folder)
        voice = VOICES / "june" / "june-01.mp3"
        subprocess.run([find_ffmpeg(), "-v", "error", "-i", voice, "-t", "20", folder / "clip.mp3"], check=True)
        compare(
            "label of 20 s",
            lambda: measure([*AUDIONET, "label", "clip.mp3"], folder),
            "import tensorflow",
            lambda: measure([sys.executable, "-c", "import tensorflow"], folder),
            runs,
            "at most 0.3 and 400 MB",
        )


if __name__ == "__main__":
    main()
