"""Thousands of clips in one process: memory stays flat, no file stays open, no child stays behind.

The suite labels a hundred; AUDIONET_SOAK_SECONDS=600 (`make soak`) goes on for so long and then interrupts.
"""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from audionet.settings import PictureSettings
from tests.bad_inputs import encoded
from tests.conftest import chirps, make_untrained_model, write_wav

pytestmark = pytest.mark.slow

SOAK_SECONDS = float(os.environ.get("AUDIONET_SOAK_SECONDS", "0"))
CLIPS = 100_000 if SOAK_SECONDS else 100
SAMPLES_EVERY_SECONDS = 2.0 if SOAK_SECONDS else 0.05
GROWTH = 1.05  # of memory, from the second third to the last: what a garbage collector may leave lying
# What starting one ffmpeg holds for a moment: its pipes and the threads that read them. It may be held at every sample
# of one third and at none of another; a leak, even one of every tenth clip alone, leaves more by then.
STARTING = 4


@dataclass(frozen=True)
class Sample:
    """Of a process: memory in bytes, open files, threads, and its children's ids."""

    memory: int
    files: int
    threads: int
    children: frozenset[int]


def sample(process: psutil.Process) -> Sample:
    with process.oneshot():
        children = frozenset(child.pid for child in process.children(recursive=True))
        return Sample(process.memory_info().rss, process.num_fds(), process.num_threads(), children)


def watch(label: "subprocess.Popen[bytes]") -> list[Sample]:
    """Samples until it ends; with SOAK_SECONDS it is interrupted then."""
    process, started, seen = psutil.Process(label.pid), time.monotonic(), []
    while label.poll() is None:
        try:
            seen.append(sample(process))
        except psutil.Error:
            break
        if SOAK_SECONDS and time.monotonic() - started > SOAK_SECONDS:
            label.send_signal(signal.SIGINT)
            break
        time.sleep(SAMPLES_EVERY_SECONDS)
    return seen


def many_clips(folder: Path) -> Path:
    """CLIPS files: recordings of two kinds, and every tenth that is none."""
    originals = folder / "originals"
    write_wav(originals / "a.wav", chirps(1, 200, 400, 1.0))
    (originals / "b.mp3").write_bytes(encoded("mp3", seconds=1.0))
    (originals / "text.mp3").write_text("no sound\n" * 100)
    (originals / "empty.wav").write_bytes(b"")
    clips = folder / "clips"
    clips.mkdir()
    names = ["a.wav", "b.mp3", "a.wav", "b.mp3", "text.mp3", "a.wav", "b.mp3", "a.wav", "b.mp3", "empty.wav"]
    for n in range(CLIPS):
        name = names[n % len(names)]
        os.link(originals / name, clips / f"{n:06d} {name}")
    return clips


@pytest.mark.skipif(sys.platform != "linux", reason="counts open files as Linux does")
def test_thousands_of_clips_leave_nothing_behind(tmp_path: Path) -> None:
    model = make_untrained_model(tmp_path, PictureSettings(1, 0))
    clips = many_clips(tmp_path)
    # A job in the background ignores Ctrl-C, and so would its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with open(tmp_path / "out.txt", "wb") as out, open(tmp_path / "err.txt", "wb") as err:
        command = [sys.executable, "-m", "audionet", "label", str(clips), "--top", "1", "--no-unknown"]
        command += ["--graph", str(model.graph), "--labels", str(model.labels)]
        label = subprocess.Popen(command, cwd=tmp_path, stdout=out, stderr=err)
        try:
            seen = watch(label)
            status = label.wait(timeout=60)
        finally:
            label.kill()
    labelled = (tmp_path / "out.txt").read_text().count("\n") // 2
    errors = (tmp_path / "err.txt").read_text()
    skipped = errors.count("(skipped)")
    seen = [a_sample for a_sample in seen if a_sample.children]  # neither before the first clip nor after the last
    centroid, late = seen[len(seen) // 3 : 2 * len(seen) // 3], seen[2 * len(seen) // 3 :]

    def least(name: str, samples: list[Sample]) -> int:
        return min(int(getattr(a_sample, name)) for a_sample in samples)

    peaks = [max(a_sample.memory for a_sample in samples) for samples in (centroid, late)]
    print(
        f"{labelled} clips labelled, {skipped} skipped; second third and last: memory at most {peaks[0] / 1e6:.1f} and "
        f"{peaks[1] / 1e6:.1f} MB; "
        + "; ".join(f"{name} at least {least(name, centroid)} and {least(name, late)}" for name in ("files", "threads"))
    )
    assert "Traceback" not in errors
    if SOAK_SECONDS:
        assert status == 130
    else:
        assert (status, labelled, skipped) == (1, CLIPS * 8 // 10, CLIPS * 2 // 10)
        assert errors.count("empty.wav: is empty (skipped)") == CLIPS // 10
    assert peaks[1] <= GROWTH * peaks[0]
    # What leaks raises the least that there are at any moment.
    assert least("files", late) <= least("files", centroid) + STARTING
    assert least("threads", late) <= least("threads", centroid) + STARTING
    children = frozenset().union(*(a_sample.children for a_sample in seen))
    assert children
    assert [pid for pid in children if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"] == []
