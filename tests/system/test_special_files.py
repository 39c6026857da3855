"""Pipes, sockets, devices and links where files and folders should be: nothing is waited for, no link is followed."""

import errno
import io
import os
import sys
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from audionet.bottleneck.backbone import load_backbone
from audionet.cli.main import main
from audionet.commands.prepare import prepare
from audionet.dataset.digests import Digests
from audionet.errors import AudionetError, UnusableInput
from audionet.inference.saved_segments import SegmentSaver
from audionet.inference.windows import Segment, Timeline
from audionet.model.card import now
from audionet.model.exports import replaced, require_place_for_saved_model
from audionet.model.litert import ClassifierHead
from audionet.model_files import ModelFiles
from audionet.options import PrepareOptions
from audionet.plots.tensorboard import write_summaries
from audionet.report.excerpts import read_wav
from audionet.report.page import is_report_of
from audionet.settings import PictureSettings
from audionet.spectrogram import jpeg
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.files import (
    make_inner_folder,
    open_file,
    read_limited,
    require_replaceable,
    sha256_of_file,
    write_atomically,
)
from audionet.system.untrusted import Refused
from audionet.training.calibrator import HistoryPoint
from tests.bad_inputs import a_socket
from tests.conftest import chirps, write_wav
from tests.plots.test_tensorboard import training

RENDERER = SpectrogramRenderer.make(PictureSettings(0.5, 0))
unix = pytest.mark.skipif(sys.platform == "win32", reason="files of Unix")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def loop(path: Path) -> None:
    path.symlink_to(path)


def dangling(path: Path) -> None:
    path.symlink_to(path.with_name("made elsewhere"))


def folder(path: Path) -> None:
    path.mkdir()


KINDS = [pipe, a_socket, device, loop, dangling, folder]


@unix
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_is_refused_at_once_by_whoever_reads_one(kind: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "inception_v3_pool_3.tflite"
    kind(path)
    for read in (open_file, sha256_of_file, Digests(tmp_path / "list.json").read):
        with pytest.raises(OSError):  # noqa: PT011
            read(path)
    with pytest.raises((OSError, Refused)):
        read_limited(path, 100)
    assert not is_report_of(path, "key")
    assert read_wav(path, RENDERER) is None
    with pytest.raises(UnusableInput):
        jpeg.read(path)
    with pytest.raises(AudionetError, match="make it with"):
        load_backbone("pool_3", tmp_path)
    assert not (tmp_path / "made elsewhere").exists()


def test_a_link_to_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "b").symlink_to("a")
    assert read_limited(tmp_path / "b", 7) == b"content"


@unix
@pytest.mark.parametrize("kind", [pipe, a_socket, device, loop, dangling])
def test_a_folder_below_one_that_was_named_is_made_there_or_not_at_all(
    kind: Callable[[Path], None], tmp_path: Path
) -> None:
    kind(tmp_path / "inner")
    with pytest.raises(AudionetError):
        make_inner_folder(tmp_path / "inner")
    assert not (tmp_path / "made elsewhere").exists()
    make_inner_folder(tmp_path / "other" / "inner")
    assert (tmp_path / "other" / "inner").is_dir()


@unix
@pytest.mark.parametrize("kind", [pipe, a_socket, device, folder])
def test_what_is_no_file_is_not_replaced_by_one(kind: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "it"
    kind(path)
    before = path.lstat()
    with pytest.raises(AudionetError, match=r"it: cannot be written .*; name another place"):
        write_atomically(path, b"x")
    with pytest.raises(AudionetError, match=r"it: cannot be written .*; name another place"):
        require_replaceable(path, "it", lambda _: True)
    assert (path.lstat().st_ino, path.lstat().st_mode) == (before.st_ino, before.st_mode)
    assert [left.name for left in tmp_path.iterdir()] == ["it"]


@unix
def test_links_to_folders_are_not_written_through(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (outside / "events.out.tfevents.1").write_bytes(b"precious")
    for name in ("train", "low", ".saved.tmp"):
        (inside / name).symlink_to(outside)
    head = ClassifierHead(np.zeros((9, 2), np.float32), np.zeros(2, np.float32), np.zeros(9, np.float32))
    with pytest.raises(AudionetError, match="is a link, which is not followed; delete it"):
        write_summaries(inside, training([HistoryPoint(10, "train", 0.9, 0.3, 10.0)]), head, inside, 10)
    clip = write_wav(tmp_path / "clip.wav", chirps(0, 200, 400, 1.0))
    with pytest.raises(AudionetError, match="is a link, which is not followed; delete it"):
        SegmentSaver(inside).save(clip, Timeline(str(clip), [Segment(0.0, 1.0, "low", 0.9)], 1.0))
    with pytest.raises(AudionetError, match="is a link, which is not followed; delete it"):
        require_place_for_saved_model(inside / "saved")
    assert replaced(inside / "saved").parent == inside / ".saved.tmp"
    assert [path.name for path in outside.iterdir()] == ["events.out.tfevents.1"]


@unix
def test_a_folder_that_was_named_may_be_a_link(tmp_path: Path) -> None:
    write_wav(tmp_path / "data" / "low" / "a.wav", chirps(0, 200, 400, 0.5))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "pictures").symlink_to("elsewhere")
    assert prepare(tmp_path / "data", PrepareOptions(tmp_path / "pictures", PictureSettings(0.5, 0))).made == 1
    assert len(list((tmp_path / "elsewhere" / "low").glob("*.jpg"))) == 1


@unix
@pytest.mark.parametrize("typed", ["prepare data --corrections loop", "label data --events --save-segments loop/a"])
def test_a_link_in_a_circle_is_a_sentence(
    typed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav(tmp_path / "data" / "low" / "a.wav", chirps(0, 200, 400, 0.5))
    loop(tmp_path / "loop")
    monkeypatch.chdir(tmp_path)
    assert main(typed.split()) == 2
    assert capsys.readouterr().err.startswith("audionet: ")


@unix
@pytest.mark.parametrize("kind", [pipe, a_socket, device, loop])
def test_what_is_no_folder_is_no_place_for_a_saved_model(kind: Callable[[Path], None], tmp_path: Path) -> None:
    kind(tmp_path / "saved")
    if kind is loop:
        require_place_for_saved_model(tmp_path / "saved")  # which is replaced
        return
    with pytest.raises(AudionetError, match="is no folder"):
        require_place_for_saved_model(tmp_path / "saved")


@pytest.mark.parametrize("name", ["\u97f3" * 80, "\U0001f989" * 60, "x" * 250])
def test_segments_of_a_recording_with_a_long_name_are_saved(name: str, tmp_path: Path) -> None:
    sound = write_wav(tmp_path / "clip.wav", chirps(0, 200, 400, 1.0))
    clip = Timeline(f"{name}.wav", [Segment(0.0, 1.0, name[:80], 0.9)], 1.0)
    (saved,) = SegmentSaver(tmp_path / "found").save(sound, clip)
    assert saved.stat().st_size > 30_000


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\xff\xff\xff\xffWAVE", b"\0" * 100])
def test_a_wav_that_was_cut_is_no_sound_of_a_report(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    assert read_wav(path, RENDERER) is None
    whole = io.BytesIO()
    with wave.open(whole, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(200))
    path.write_bytes(whole.getvalue()[:-51])  # in the middle of a sample
    found = read_wav(path, RENDERER)
    assert found is None or len(found) <= 100


def test_models_beside_each_other_keep_what_is_theirs(tmp_path: Path) -> None:
    ours, other = (ModelFiles.beside(tmp_path / f"{name}.pb") for name in ("owls", "owls-of-2025"))
    sha256 = "0123456789abcdef" * 4
    for files in (ours, other):
        files.by_content(sha256).write_bytes(b"network")
    assert ours.left_over() == [ours.by_content(sha256)]
    assert other.left_over() == [other.by_content(sha256)]


@pytest.mark.parametrize("told", ["9" * 30, "253402300800", "x", "-1e9", "\u0663" * 20])
def test_a_time_of_no_year_is_not_taken(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", told)
    assert now().year > 2025


def test_a_picture_with_text_that_unpacks_to_gigabytes_is_refused() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("a", "x" * (64 << 20), zip=True)
    file = io.BytesIO()
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(file, "PNG", pnginfo=text)
    with pytest.raises(UnusableInput, match="damaged"):
        jpeg.decode_any(file.getvalue(), Path("a.png"))


def test_too_many_open_files_are_no_lack_of_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("audionet.system.files._begin", refuse)
    with pytest.raises(AudionetError, match=r"Too many open files\); close other programs, or raise the limit"):
        write_atomically(tmp_path / "a", b"x")
