"""A disk that fills up: a sentence, nothing half-made, and a rerun with space ends well."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import audionet
from audionet.bottleneck.cache import HEADER, Cache
from audionet.errors import AudionetError
from audionet.options import PrepareOptions
from audionet.settings import PictureSettings
from tests.conftest import ROOT
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


@pytest.mark.parametrize("size_bytes", [10, 20_000])
def test_prepare_tells_and_goes_on_when_there_is_space(two_classes: Path, tmp_path: Path, size_bytes: int) -> None:
    pictures = PictureSettings(1, 0)
    with files_up_to(size_bytes), pytest.raises(AudionetError, match=FULL):
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
mount -t tmpfs -o size=150k tmpfs tf_files || exit 77
"$0" -m audionet prepare data_audio --chunk-seconds 1 --overlap 0
echo "$?" >> statuses
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
    finished = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", ON_A_SMALL_DISK, sys.executable],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if not (tmp_path / "statuses").exists():
        pytest.skip("may not mount a disk here")
    assert (tmp_path / "statuses").read_text() == "2\n0\n"
    assert finished.stderr.count("\n") == 1
    assert "cannot be written (No space left on device); free space or choose another folder" in finished.stderr
    audionet.prepare(tmp_path / "data_audio", PrepareOptions(tmp_path / "undisturbed", PictureSettings(1, 0)))
    assert contents(tmp_path / "there") == contents(tmp_path / "undisturbed")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_is_a_sentence(two_classes: Path, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(AudionetError, match="locked: cannot be written"):
        audionet.prepare(two_classes, PrepareOptions(tmp_path / "locked", PictureSettings(1, 0)))
