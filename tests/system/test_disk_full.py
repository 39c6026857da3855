"""A disk that fills up: a sentence, nothing half-made, and a rerun with space ends well."""

import os
import resource
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import audionet
from audionet.audio.decoding import WavHeader, read_wav_header
from audionet.bottleneck.cache import HEADER, Cache
from audionet.errors import AudionetError
from audionet.options import PrepareOptions
from audionet.settings import PictureSettings
from tests.bad_inputs import riff
from tests.conftest import run_program
from tests.crashes import contents

FULL = r"cannot be written \(File too large\); free space"


@contextmanager
def files_up_to(size_bytes: int) -> Iterator[None]:
    """No file grows larger: what a full disk is to a single file, without a disk to fill."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(("size_bytes", "said"), [(10, FULL), (20_000, "none of its 8 recordings can be used")])
def test_prepare_tells_and_goes_on_when_there_is_space(
    two_classes: Path, tmp_path: Path, size_bytes: int, said: str
) -> None:
    pictures = PictureSettings(1, 0)
    with files_up_to(size_bytes), pytest.raises(AudionetError, match=said):
        audionet.prepare(two_classes, PrepareOptions(tmp_path / "full", pictures))
    audionet.prepare(two_classes, PrepareOptions(tmp_path / "full", pictures))
    audionet.prepare(two_classes, PrepareOptions(tmp_path / "undisturbed", pictures))
    assert contents(tmp_path / "full") == contents(tmp_path / "undisturbed")


def test_the_cache_keeps_what_fitted_and_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, features = tmp_path / "c", 7
    made = [(bytes([n]) * 32, np.arange(n, n + features).astype(np.float16)) for n in range(5)]
    record_bytes = 32 + 4 + 2 * features
    with files_up_to(len(HEADER) + 2 * record_bytes + 20), pytest.raises(AudionetError, match=FULL):
        Cache(path, features).append(made)
    assert path.stat().st_size == len(HEADER) + 2 * record_bytes + 20
    cache = Cache(path, features)
    assert "ends within a bottleneck, which is made anew" in caplog.text
    kept = [cache.find(digest) for digest, _ in made]
    assert [None if found is None else found[0] for found in kept] == [0, 1, None, None, None]
    cache.append(made[2:])
    Cache(tmp_path / "undisturbed", features).append(made)
    assert path.read_bytes() == (tmp_path / "undisturbed").read_bytes()


@pytest.mark.parametrize("size_bytes", [0, 30])
def test_a_cache_that_was_hardly_begun_is_begun_anew(tmp_path: Path, size_bytes: int) -> None:
    found = (bytes(32), np.ones(7, np.float16))
    with files_up_to(size_bytes), pytest.raises(AudionetError, match=FULL):
        Cache(tmp_path / "c", 7).append([found])
    Cache(tmp_path / "c", 7).append([found])
    kept = Cache(tmp_path / "c", 7).find(bytes(32))
    assert kept is not None
    assert kept.tolist() == [1] * 7


# In a name space of its own, where it may mount a small disk: prepare until it is full, and again when there is space.
ON_A_SMALL_DISK = """
mount -t tmpfs -o size=700k tmpfs tf_files || exit 77
"$0" -m audionet prepare data_audio --chunk-seconds 1 --overlap 0
echo "$?" >> statuses
find tf_files/data_image -name '*.jpg' | sed 's/_nohash_.*//' | sort | uniq -c > whole
mount -o remount,size=20m tf_files
"$0" -m audionet prepare data_audio --chunk-seconds 1 --overlap 0
echo "$?" >> statuses
cp -r tf_files/data_image there
"""


@pytest.mark.usefixtures("two_classes")
def test_a_real_disk_that_fills_up(tmp_path: Path) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("needs Linux")
    (tmp_path / "tf_files").mkdir()
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", ON_A_SMALL_DISK, sys.executable]
    finished = run_program(command, folder=tmp_path, check=False)
    if not (tmp_path / "statuses").exists():
        pytest.skip("may not mount a disk here")
    assert (tmp_path / "statuses").read_text() == "1\n0\n"
    skipped = [line for line in finished.stderr.splitlines() if line]
    assert all(line.endswith("free space or choose another folder (skipped)") for line in skipped)
    drawn = (tmp_path / "whole").read_text().split()[::2]
    assert len(skipped) + len(drawn) == 8
    assert len(drawn) >= 2
    assert set(drawn) == {"3"}  # what did not fit was taken back whole
    audionet.prepare(tmp_path / "data_audio", PrepareOptions(tmp_path / "undisturbed", PictureSettings(1, 0)))
    assert contents(tmp_path / "there") == contents(tmp_path / "undisturbed")


def wav_of(rate_hz: int, seconds: float, data_bytes: int) -> bytes:
    """A WAV of 8-bit samples, of which the header claims so much, and so many are there."""
    samples = np.tile([0.0, 0.1], data_bytes // 2)
    return riff(samples, 8, rate_hz=rate_hz, claimed_bytes=round(rate_hz * seconds))


def test_a_recording_of_fifty_hours_in_a_small_file_costs_the_others_nothing(two_classes: Path, tmp_path: Path) -> None:
    (two_classes / "low" / "bomb.wav").write_bytes(wav_of(1, 180_000, 180_000))
    options = PrepareOptions(tmp_path / "pictures", PictureSettings(1, 0))
    for made, kept in ((8, 0), (0, 8)):
        report = audionet.prepare(two_classes, options)
        assert (report.made, report.kept) == (made, kept)
        (skipped,) = report.skipped
        assert skipped.reason == "has a sample rate of 1 Hz, at which there is no sound to see"
    assert list(options.image_dir.glob("low/bomb*")) == []


def test_what_a_recording_needs_is_said_before_it_is_drawn(
    two_classes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (two_classes / "low" / "long.wav").write_bytes(wav_of(2000, 100, 200_000))
    free = 5_000_000  # the pictures of 100 s take 7 MB
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(free, 0, free))
    options = PrepareOptions(tmp_path / "pictures", PictureSettings(1, 0))
    report = audionet.prepare(two_classes, options)
    (skipped,) = report.skipped
    assert Path(skipped.path).name == "long.wav"
    assert skipped.reason == "needs 7.2 MB, 2.2 MB more than is free; free space or choose another folder"
    assert report.made == 8
    monkeypatch.undo()
    assert audionet.prepare(two_classes, options).made == 1
    # Its own old files will be replaced, so they count as space.
    (two_classes / "low" / "long.wav").write_bytes(wav_of(2000, 99, 198_000))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(free, 0, free))
    assert audionet.prepare(two_classes, options).made == 1


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (wav_of(16_000, 2, 32_000), WavHeader(16_000, 2.0)),
        (wav_of(16_000, 1e5, 32_000), WavHeader(16_000, 2.0)),  # claims more than is there
        (wav_of(16_000, 0, 32_000), WavHeader(16_000, 2.0)),  # was cut off while it was recorded
        (wav_of(16_000, 2, 32_000)[:40], None),
        (wav_of(0, 2, 32_000), None),
        (b"", None),
        (b"RIFF", None),
        (b"RIFF____WAVE" + b"\xff" * 100, None),
        (b"fLaC" + bytes(100), None),
    ],
    ids=range(9),
)
def test_the_header_of_a_wav(tmp_path: Path, content: bytes, expected: WavHeader | None) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    assert read_wav_header(tmp_path / "a.wav") == expected


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_is_a_sentence(two_classes: Path, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(AudionetError, match="locked: cannot be written"):
        audionet.prepare(two_classes, PrepareOptions(tmp_path / "locked", PictureSettings(1, 0)))
