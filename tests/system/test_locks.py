import os
import subprocess
import sys
from pathlib import Path

import pytest

import audionet
from audionet.commands.retrain import retrain
from audionet.errors import AudionetError
from audionet.options import PrepareOptions, RetrainOptions
from audionet.settings import PictureSettings
from audionet.system.locks import LOCK_NAME, exclusive_lock, shared_lock
from tests.conftest import ROOT


def test_one_works_in_a_folder_at_a_time(tmp_path: Path) -> None:
    lock_file = tmp_path / LOCK_NAME
    busy = "another audionet is at work on it; wait until it has ended, or name another"
    with exclusive_lock(tmp_path, lock_file):
        with pytest.raises(AudionetError, match=busy), exclusive_lock(tmp_path, lock_file):
            pass
        with pytest.raises(AudionetError, match=busy), shared_lock(tmp_path):
            pass
    with exclusive_lock(tmp_path, lock_file):
        pass
    assert list(tmp_path.iterdir()) == []


def test_many_read_at_a_time_and_nobody_writes_meanwhile(tmp_path: Path) -> None:
    with shared_lock(tmp_path):
        with shared_lock(tmp_path):
            pass
        with pytest.raises(AudionetError, match="at work"), exclusive_lock(tmp_path, tmp_path / LOCK_NAME):
            pass
    with exclusive_lock(tmp_path, tmp_path / LOCK_NAME):
        pass


def test_the_lock_of_a_killed_process_is_no_lock(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from audionet.system.locks import LOCK_NAME, exclusive_lock
with exclusive_lock(Path(), Path(LOCK_NAME)):
    print("locked", flush=True)
    sys.stdin.readline()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"locked\n"
    with pytest.raises(AudionetError, match="at work"), exclusive_lock(tmp_path, tmp_path / LOCK_NAME):
        pass
    process.kill()
    process.communicate()
    assert (tmp_path / LOCK_NAME).exists()
    with exclusive_lock(tmp_path, tmp_path / LOCK_NAME):
        pass


def test_a_folder_that_is_not_there_is_not_made_to_be_read(tmp_path: Path) -> None:
    with shared_lock(tmp_path / "gone"):
        pass
    assert not (tmp_path / "gone").exists()


def test_prepare_and_retrain_keep_out_of_each_others_way(two_classes: Path, tmp_path: Path) -> None:
    images = tmp_path / "data_image"
    prepare = PrepareOptions(images, PictureSettings(1, 0))
    training = RetrainOptions(
        images, 10, tmp_path, tmp_path / "b", tmp_path / "s", tmp_path / "g.pb", tmp_path / "labels.txt"
    )
    audionet.prepare(two_classes, prepare)
    seen: list[str] = []

    def meanwhile(stage: str, done: int, total: int) -> None:  # noqa: ARG001
        if stage in seen:
            return
        seen.append(stage)
        with pytest.raises(AudionetError, match=r"data_image: another audionet is at work on it"):
            audionet.prepare(two_classes, prepare)
        with pytest.raises(AudionetError, match=r"g.pb: another audionet is at work on it"):
            audionet.retrain(training)

    retrain(training, progress=meanwhile)
    assert seen == ["bottlenecks", "folds", "training"]
    (two_classes / "low" / "low-0.wav").unlink()
    seen.clear()

    def while_drawing(stage: str, done: int, total: int) -> None:  # noqa: ARG001
        seen.append(stage)
        for run in (lambda: audionet.prepare(two_classes, prepare), lambda: audionet.retrain(training)):
            with pytest.raises(AudionetError, match=r"data_image: another audionet is at work on it"):
                run()

    report = audionet.prepare(
        two_classes, PrepareOptions(images, PictureSettings(1, 0), force=True), progress=while_drawing
    )
    assert (report.made, set(seen)) == (7, {"recordings"})
