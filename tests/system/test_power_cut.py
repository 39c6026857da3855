"""The power fails: what a command said was done is whole, and what was not done is done by the next run."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import audionet
from audionet.dataset.manifest import FILE_NAME
from audionet.options import PrepareOptions
from audionet.settings import PictureSettings
from audionet.system.files import Syncer, sweep, sync_files, write_durably
from tests.conftest import Run, chirps, run_program, write_wav
from tests.crashes import contents
from tests.killed import killed_at

PICTURES = PictureSettings(1, 0)


def chunk_files(folder: Path) -> list[Path]:
    index = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    chunks = [chunk for entry in index["recordings"].values() for chunk in entry["chunks"]]
    return [folder / f"{chunk['name']}{suffix}" for chunk in chunks for suffix in (".jpg", ".wav")]


class Disk:
    """What a disk would hold after a power cut: the files and folders that were synced."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.synced: dict[int, int] = {}  # inode -> size
        self.at_renaming: dict[str, dict[int, int]] = {}  # what was synced when a file or folder got its name
        sync, rename = os.fsync, Path.replace

        def fsync(descriptor: int) -> None:
            sync(descriptor)
            status = os.fstat(descriptor)
            self.synced[status.st_ino] = status.st_size

        def replace(path: Path, target: Path) -> Path:
            self.at_renaming[target.name] = dict(self.synced)
            return rename(path, target)

        monkeypatch.setattr(os, "fsync", fsync)
        monkeypatch.setattr(Path, "replace", replace)


@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be synced")
def test_what_is_listed_is_on_the_disk_before_the_list(
    two_classes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    folder = tmp_path / "new" / "pictures"
    audionet.prepare(two_classes, PrepareOptions(folder, PICTURES))
    before = disk.at_renaming[FILE_NAME]
    files = chunk_files(folder)
    assert len(files) == 2 * 8 * 3
    for path in files:
        assert before.get(path.stat().st_ino) == path.stat().st_size, path
        assert path.parent.stat().st_ino in before
    for path in (folder / FILE_NAME, folder, folder.parent, tmp_path):
        assert path.stat().st_ino in disk.synced, path


@pytest.fixture
def two_recordings(two_classes: Path) -> Path:
    """A recording of each class, which will do."""
    for n in (0, 2, 3):
        for name in ("low", "high"):
            (two_classes / name / f"{name}-{n}.wav").unlink()
    return two_classes


@pytest.mark.parametrize("how", ["empty", "cut", "missing", "zeros"])
@pytest.mark.parametrize("suffix", [".jpg", ".wav"])
def test_a_file_that_is_not_whole_is_made_again_to_the_same_bytes(
    two_recordings: Path, tmp_path: Path, how: str, suffix: str
) -> None:
    options = PrepareOptions(tmp_path / "pictures", PICTURES)
    audionet.prepare(two_recordings, options)
    before = contents(options.image_dir)
    path = options.image_dir / f"low/low-1_nohash_0001{suffix}"
    data = path.read_bytes()
    path.unlink()
    if how != "missing":
        path.write_bytes({"empty": b"", "cut": data[:-100], "zeros": data[:100] + bytes(200)}[how])
    report = audionet.prepare(two_recordings, options)
    assert (report.made, report.kept) == (1, 1)
    assert contents(options.image_dir) == before
    assert audionet.prepare(two_recordings, options).made == 0


def test_an_index_without_sizes_is_taken_over_and_what_is_cut_noticed(two_recordings: Path, tmp_path: Path) -> None:
    options = PrepareOptions(tmp_path / "pictures", PICTURES)
    audionet.prepare(two_recordings, options)
    before = contents(options.image_dir)
    index = json.loads((options.image_dir / FILE_NAME).read_text(encoding="utf-8"))
    for entry in index["recordings"].values():
        for chunk in entry["chunks"]:
            del chunk["picture_bytes"], chunk["sound_bytes"]
    (options.image_dir / FILE_NAME).write_text(json.dumps(index), encoding="utf-8")
    (options.image_dir / "low/low-1_nohash_0001.jpg").write_bytes(b"")
    assert audionet.prepare(two_recordings, options).made == 1
    assert contents(options.image_dir) == before


def test_a_picture_that_was_changed_by_hand_stays(two_recordings: Path, tmp_path: Path) -> None:
    options = PrepareOptions(tmp_path / "pictures", PICTURES)
    audionet.prepare(two_recordings, options)
    path = options.image_dir / "low/low-1_nohash_0001.jpg"
    changed = (options.image_dir / "high/high-1_nohash_0001.jpg").read_bytes()
    path.write_bytes(changed)
    for _ in range(2):
        assert audionet.prepare(two_recordings, options).made == 0
        assert path.read_bytes() == changed


@pytest.mark.usefixtures("known_bottlenecks")
def test_retrain_names_pictures_that_are_not_whole_and_says_what_to_do(
    two_classes: Path, tmp_path: Path, audionet_here: Run
) -> None:
    assert audionet_here("prepare", two_classes, "--chunk-seconds", 1, "--overlap", 0).returncode == 0
    pictures = tmp_path / "tf_files" / "data_image"
    data = (pictures / "low/low-1_nohash_0001.jpg").read_bytes()
    (pictures / "low/low-1_nohash_0001.jpg").write_bytes(data[: len(data) // 2])
    (pictures / "low/low-2_nohash_0001.jpg").write_bytes(b"")
    (pictures / "low/low-3_nohash_0001.jpg").unlink()
    finished = audionet_here("retrain", "--steps", 5, "--no-report", "--bottleneck-dir", "bottlenecks")
    assert finished.returncode == 1
    said = {line.partition("low-")[2][:13]: line for line in finished.stderr.splitlines() if "low-" in line}
    assert "run audionet prepare again" in said["1_nohash_0001"]
    assert "is empty; run audionet prepare again" in said["2_nohash_0001"]
    assert "lacks 1 picture" in said["3_nohash_0001"]
    assert "run audionet prepare again" in said["3_nohash_0001"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_prepare_killed_at_any_step_is_completed_to_the_same_bytes(two_classes: Path, tmp_path: Path) -> None:
    shutil.rmtree(two_classes)
    for name, low_hz, high_hz in (("low", 200, 400), ("high", 2000, 3000)):
        write_wav(two_classes / name / "a.wav", chirps(0, low_hz, high_hz, 0.6))
    wanted = PrepareOptions(tmp_path / "undisturbed", PICTURES, jobs=1)
    audionet.prepare(two_classes, wanted)
    step, came = 0, True
    while came:
        options = PrepareOptions(tmp_path / f"killed-{step}", PICTURES, jobs=1)
        came = killed_at(step, lambda options=options: audionet.prepare(two_classes, options))  # type: ignore[misc]
        index = options.image_dir / FILE_NAME
        for path in chunk_files(options.image_dir) if index.exists() else []:
            assert path.stat().st_size, f"{path.name} is listed and empty after a kill at step {step}"
        sweep(options.image_dir)  # as another process does
        for folder in options.image_dir.glob("*/") if options.image_dir.exists() else []:
            sweep(folder)
        audionet.prepare(two_classes, options)
        found = {name: data for name, data in contents(options.image_dir).items() if name != ".audionet.lock"}
        assert found == contents(wanted.image_dir), f"after a kill at step {step}"
        shutil.rmtree(options.image_dir)
        step += 1
    assert step > 12


# In a name space of its own, where it may mount: prepare on a disk, and then what that disk holds at that moment.
ON_A_DISK = """
truncate -s 60M disk.img && mkfs.ext4 -q disk.img && mkdir disk again && mount -o loop disk.img disk || exit 77
"$0" -m audionet prepare data_audio --chunk-seconds 1 --overlap 0 --image-dir disk/pictures || exit 1
cp --sparse=always disk.img cut.img
mount -o loop cut.img again || exit 77
cp -r again/pictures there
umount again disk
"""


@pytest.mark.usefixtures("two_classes")
def test_a_real_disk_whose_power_fails_right_after_prepare(tmp_path: Path) -> None:
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("unshare") is None or not shutil.which("mkfs.ext4"):
        pytest.skip("needs Linux and a root that may mount")
    command = ["unshare", "--mount", "sh", "-c", ON_A_DISK, sys.executable]
    finished = run_program(command, folder=tmp_path, check=False)
    if finished.returncode == 77:
        pytest.skip("may not mount a disk here")
    assert finished.returncode == 0, finished.stderr
    audionet.prepare(tmp_path / "data_audio", PrepareOptions(tmp_path / "undisturbed", PICTURES))
    found = {name: data for name, data in contents(tmp_path / "there").items() if name != ".audionet.lock"}
    assert found == contents(tmp_path / "undisturbed")


def test_files_are_synced_whatever_becomes_of_some(tmp_path: Path) -> None:
    write_durably(tmp_path / "deep" / "er" / "a", b"1")
    sync_files([tmp_path / "deep" / "er" / "a", tmp_path / "gone", tmp_path / "no folder" / "b"])
    sync_files([])


def refuse(error: int, _: Any) -> None:
    raise OSError(error, "refused")


@pytest.mark.parametrize("error", [28, 5])
def test_a_disk_that_refuses_to_sync_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    write_durably(tmp_path / "a", b"old")
    monkeypatch.setattr(os, "fsync", partial(refuse, error))
    writes: list[Callable[[], None]] = [
        lambda: write_durably(tmp_path / "a", b"new"),
        lambda: sync_files([tmp_path / "a"]),
    ]
    for write in writes:
        with pytest.raises(audionet.AudionetError, match=r"a: cannot be written \(refused\)"):
            write()
    assert (tmp_path / "a").read_bytes() == b"old"


def test_what_the_disk_refused_is_not_said_to_be_there_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_durably(tmp_path / "a", b"1")
    syncer = Syncer()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", partial(refuse, 5))
        syncer.begin([tmp_path / "a"])
        with pytest.raises(audionet.AudionetError, match="refused"):
            syncer.wait()
    with pytest.raises(audionet.AudionetError, match="refused"):
        syncer.wait()
