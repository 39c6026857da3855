import subprocess
from pathlib import Path

import pytest

from audionet.errors import AudionetError
from audionet.system.files import atomic_writer, json_bytes, sweep, write_atomically, write_in_order
from tests.conftest import start_program
from tests.system.test_disk_full import FULL, files_up_to

# Begins to write a file and says so, then waits to be told to end; or is killed.
WRITER = """
import sys
from pathlib import Path
from audionet.system.files import atomic_writer
with atomic_writer(Path("target")) as file:
    file.write(b"half")
    file.flush()
    print("writing", flush=True)
    sys.stdin.readline()
"""


def start_writer(folder: Path) -> "subprocess.Popen[str]":
    process, line = start_program(WRITER, folder=folder)
    assert line == "writing\n"
    return process


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_process_was_writing_is_swept_away_and_never_read(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    process = start_writer(tmp_path)
    process.kill()
    process.wait()
    assert len(names(tmp_path)) == 2
    assert (tmp_path / "target").read_bytes() == b"old"
    sweep(tmp_path)
    assert names(tmp_path) == ["target"]


def test_what_a_living_process_is_writing_is_left_alone(tmp_path: Path) -> None:
    process = start_writer(tmp_path)
    sweep(tmp_path)
    assert len(names(tmp_path)) == 1
    process.communicate("end\n")
    assert (tmp_path / "target").read_bytes() == b"half"
    assert names(tmp_path) == ["target"]


def test_the_first_write_into_a_folder_sweeps_it(tmp_path: Path) -> None:
    (tmp_path / ".audionet-0123456789abcdef.tmp").write_bytes(b"of a run that was killed")
    (tmp_path / ".audionet-notes.txt").write_bytes(b"somebody's")
    write_atomically(tmp_path / "a", b"1")
    assert names(tmp_path) == [".audionet-notes.txt", "a"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", b"old")
    with pytest.raises(KeyboardInterrupt), atomic_writer(tmp_path / "a") as file:  # noqa: PT012
        file.write(b"new")
        raise KeyboardInterrupt
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_files_written_together_are_all_old_when_one_cannot_be_written(tmp_path: Path) -> None:
    write_in_order([(tmp_path / "a", b"old"), (tmp_path / "b", b"old")])
    with files_up_to(1000), pytest.raises(AudionetError, match=rf"b: {FULL} or choose"):
        write_in_order([(tmp_path / "a", b"new"), (tmp_path / "b", bytes(1001))])
    assert [(tmp_path / name).read_bytes() for name in "ab"] == [b"old", b"old"]
    assert names(tmp_path) == ["a", "b"]


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_json_takes_only_numbers_that_every_reader_knows(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_bytes({"score": number})
