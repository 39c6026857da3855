import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import audionet
from audionet.bottleneck.cache import Cache
from audionet.commands.retrain import retrain
from audionet.errors import AudionetError
from audionet.options import PrepareOptions
from audionet.settings import PictureSettings
from audionet.system import locks
from audionet.system.files import write_atomically
from audionet.system.locks import LOCK_NAME, exclusive_lock, open_in_place, shared_lock
from tests.bad_inputs import a_socket
from tests.conftest import options_in, start_program
from tests.system.test_special_files import dangling, folder, pipe


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
    process, line = start_program(program, folder=tmp_path)
    assert line == "locked\n"
    with pytest.raises(AudionetError, match="at work"), exclusive_lock(tmp_path, tmp_path / LOCK_NAME):
        pass
    process.kill()
    process.communicate()
    assert (tmp_path / LOCK_NAME).exists()
    with exclusive_lock(tmp_path, tmp_path / LOCK_NAME):
        pass


def test_a_file_system_that_counts_no_links_is_worked_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that reaches the files on a telephone."""
    status_of = os.fstat
    monkeypatch.setattr(os, "fstat", lambda file: os.stat_result([*status_of(file)[:3], 0, *status_of(file)[4:10]]))
    with exclusive_lock(tmp_path, tmp_path / LOCK_NAME), shared_lock(tmp_path / "gone"):
        assert (tmp_path / LOCK_NAME).exists()
    write_atomically(tmp_path / "picture", b"x")
    assert list(tmp_path.iterdir()) == [tmp_path / "picture"]


def test_a_folder_that_is_not_there_is_not_made_to_be_read(tmp_path: Path) -> None:
    with shared_lock(tmp_path / "gone"):
        pass
    assert not (tmp_path / "gone").exists()


@pytest.mark.usefixtures("known_bottlenecks")
def test_prepare_and_retrain_keep_out_of_each_others_way(two_classes: Path, tmp_path: Path) -> None:
    images = tmp_path / "data_image"
    prepare = PrepareOptions(images, PictureSettings(1, 0))
    training = options_in(tmp_path, steps=10)
    audionet.prepare(two_classes, prepare)
    seen: list[str] = []

    def meanwhile(stage: str, done: float, total: int) -> None:  # noqa: ARG001
        if stage in seen:
            return
        seen.append(stage)
        with pytest.raises(AudionetError, match=r"data_image: another audionet is at work on it"):
            audionet.prepare(two_classes, prepare)
        with pytest.raises(AudionetError, match=r"graph.pb: another audionet is at work on it"):
            audionet.retrain(training)

    retrain(training, progress=meanwhile)
    assert seen == ["bottlenecks", "folds", "training"]
    (two_classes / "low" / "low-0.wav").unlink()
    seen.clear()

    def while_drawing(stage: str, done: float, total: int) -> None:  # noqa: ARG001
        seen.append(stage)
        for run in (lambda: audionet.prepare(two_classes, prepare), lambda: audionet.retrain(training)):
            with pytest.raises(AudionetError, match=r"data_image: another audionet is at work on it"):
                run()

    report = audionet.prepare(
        two_classes, PrepareOptions(images, PictureSettings(1, 0), force=True), progress=while_drawing
    )
    assert (report.made, set(seen)) == (7, {"recordings"})


def in_time(work: Callable[[], object]) -> None:
    """Work that must not wait: for a reader of a pipe, say."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive(), "it waits"


@pytest.mark.skipif(sys.platform == "win32", reason="no such files there")
@pytest.mark.parametrize("kind", [pipe, dangling, folder, a_socket])
@pytest.mark.parametrize("is_precious", [True, False])
def test_a_lock_that_is_no_file_is_refused_and_nothing_is_written_elsewhere(
    tmp_path: Path, kind: Callable[[Path], None], is_precious: bool
) -> None:
    lock, elsewhere = tmp_path / LOCK_NAME, tmp_path / "made elsewhere"  # where a link leads
    kind(lock)
    if is_precious:
        elsewhere.write_text("precious")

    def use() -> None:
        refused = r"audionet.lock: is no file, as a lock should be; delete it"
        with pytest.raises(AudionetError, match=refused), exclusive_lock(tmp_path, lock):
            pass
        with pytest.raises(AudionetError, match=refused), shared_lock(tmp_path):
            pass

    in_time(use)
    assert elsewhere.read_text() == "precious" if is_precious else not elsewhere.exists()
    with pytest.raises(OSError, match=r"link|not a file|directory|No such device"):
        open_in_place(lock)


@pytest.mark.skipif(sys.platform == "win32", reason="no such files there")
def test_a_cache_of_bottlenecks_that_is_no_file_is_refused(tmp_path: Path) -> None:
    found = [(bytes(32), np.ones(7, np.float16))]
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")

    def use() -> None:
        with pytest.raises(AudionetError, match=r"pipe: is no file, as a cache of bottlenecks should be; delete it"):
            Cache(tmp_path / "pipe", 7)
        with pytest.raises(AudionetError, match=r"link: cannot be written \(it is a link, which is not followed\)"):
            Cache(tmp_path / "link", 7).append(found)

    in_time(use)
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_system_without_locks_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(locks, "try_lock", lambda *_, **__: None)
    for _ in range(3):
        with exclusive_lock(tmp_path, tmp_path / LOCK_NAME):
            pass
        with shared_lock(tmp_path):
            pass
    assert len(caplog.messages) == 1
    assert "lies on a file system without locks; see that no two runs work there at once" in caplog.text


def test_a_class_folder_that_is_a_link_is_not_drawn_into(two_classes: Path, tmp_path: Path) -> None:
    pictures, outside = tmp_path / "pictures", tmp_path / "outside"
    outside.mkdir()
    pictures.mkdir()
    (pictures / "low").symlink_to(outside, target_is_directory=True)
    report = audionet.prepare(two_classes, PrepareOptions(pictures, PictureSettings(1, 0)))
    assert report.made == 4
    assert len(report.skipped) == 4
    assert all("pictures/low is a link; delete it" in error.reason for error in report.skipped)
    assert list(outside.iterdir()) == []
