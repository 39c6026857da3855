import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audionet.errors import AudionetError
from audionet.inference import watch as arrivals_module
from audionet.inference.watch import POLL_SECONDS, SETTLED_SECONDS, watch_folder

Step = Callable[[], object]


class Clock:
    """Time that passes only when somebody sleeps; what is planned happens then."""

    def __init__(self, *plan: Step) -> None:
        self.now, self.plan = 0.0, list(plan)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if not self.plan:
            raise KeyboardInterrupt
        self.plan.pop(0)()


def watch(folder: Path, *plan: Step) -> Iterator[list[str]]:
    """The names that arrive, while the plan happens, a step a poll."""
    clock = Clock(*plan)
    try:
        for batch in watch_folder(folder, lambda: clock.now, clock.sleep):
            yield [path.relative_to(folder).as_posix() for path in batch]
    except KeyboardInterrupt:
        return


def nothing() -> None:
    pass


WAIT = [nothing] * int(SETTLED_SECONDS / POLL_SECONDS + 2)


def write(path: Path, content: bytes, mtime: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (mtime, mtime))
    return path


def test_what_is_there_comes_first_and_what_arrives_once_it_has_settled(tmp_path: Path) -> None:
    write(tmp_path / "b.mp3", b"1")
    write(tmp_path / "a.mp3", b"1")
    growing = tmp_path / "sub" / "c.wav"
    plan: list[Step] = [*WAIT, *(lambda n=n: write(growing, b"x" * n, n) for n in range(10)), *WAIT]
    found = watch(tmp_path, *plan)
    assert next(found) == ["a.mp3", "b.mp3"]
    assert next(found) == ["sub/c.wav"]
    assert growing.stat().st_size == 9, "only when it had stopped to grow"
    assert list(found) == []


def test_what_changes_or_comes_back_comes_again(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp3", b"1")
    plan: list[Step] = [*WAIT, lambda: write(path, b"2", 2), *WAIT]
    plan += [path.unlink, nothing, lambda: write(path, b"2", 2), *WAIT]
    assert list(watch(tmp_path, *plan)) == [["a.mp3"]] * 3


def test_what_is_unfinished_hidden_or_no_clip_is_left_alone(tmp_path: Path) -> None:
    for name in ("a.mp3.part", "b.crdownload", ".hidden.wav", "notes.txt", ".trash/c.wav"):
        write(tmp_path / name, b"1")
    part = tmp_path / "a.mp3.part"
    plan: list[Step] = [*WAIT, lambda: part.rename(tmp_path / "a.mp3"), *WAIT]
    assert list(watch(tmp_path, *plan)) == [["a.mp3"]]


def test_a_folder_that_is_not_there_or_goes_or_overflows_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AudionetError, match="no such folder; make it first"):
        next(watch_folder(tmp_path / "gone"))
    (tmp_path / "inbox").mkdir()
    with pytest.raises(AudionetError, match=r"inbox: can no longer be read \(No such file or directory\)"):
        list(watch(tmp_path / "inbox", nothing, (tmp_path / "inbox").rmdir, nothing))
    monkeypatch.setattr(arrivals_module, "MOST_CLIPS", 3)
    for n in range(4):
        write(tmp_path / "full" / f"{n}.wav", b"1")
    with pytest.raises(AudionetError, match="holds more than 3 clips; move those labelled somewhere else"):
        list(watch(tmp_path / "full", nothing))
