import json
import os
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import audionet
from audionet.audio import decoding, ffmpeg
from audionet.audio.decoding import least_mp3_seconds
from audionet.commands.prepare import PrepareReport
from audionet.dataset.sources import FOLDER_FILE
from audionet.errors import AudionetError
from audionet.options import PrepareOptions
from audionet.settings import PictureSettings, SoundChoice
from audionet.system.progress import Progress
from tests.bad_inputs import encoded, id3
from tests.conftest import Run, chirps, read_wav, settings_of, tone, write_wav
from tests.crashes import contents

ONE_SECOND = PictureSettings(1, 0)


def prepare(data_audio: Path, **options: object) -> PrepareReport:
    image_dir = data_audio.parent / "data_image"
    return audionet.prepare(data_audio, PrepareOptions(image_dir, ONE_SECOND, **options))  # type: ignore[arg-type]


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    """The content and time of change of every file."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def decodings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the recordings that were decoded; the decoding is the real one."""
    names: list[str] = []
    real = decoding.decode

    def decode(path: Path, *how: Any) -> object:
        names.append(path.name)
        return real(path, *how)

    monkeypatch.setattr("audionet.audio.chunks.decode", decode)
    return names


@pytest.mark.parametrize(
    "older",  # as they were before 2026-11-26, and before 2026-11-27
    [PictureSettings(1, 0, window_samples=2048, every_column=True), PictureSettings(1, 0, every_column=True)],
)
def test_pictures_as_an_earlier_version_drew_them_stay_in_use_until_all_are_made_anew(
    two_classes: Path, caplog: pytest.LogCaptureFixture, older: PictureSettings
) -> None:
    image_dir = two_classes.parent / "data_image"
    audionet.prepare(two_classes, PrepareOptions(image_dir, older))
    assert "columns_a_window" not in json.loads((image_dir / "audionet.json").read_text())["pictures"]
    before = state(image_dir)
    write_wav(two_classes / "high" / "new.wav", tone(3000, 1))
    report = prepare(two_classes)
    assert (report.made, report.kept) == (1, 8)
    assert ("add --force" in caplog.text) == (older.window_samples == 2048)
    assert settings_of(image_dir) == older
    assert all(state(image_dir)[name] == content for name, content in before.items() if name != "audionet.json")
    with pytest.raises(AudionetError, match=f"window_samples {older.window_samples}, now 512"):
        audionet.prepare(two_classes, PrepareOptions(image_dir, PictureSettings(1, 0, window_samples=512)))
    caplog.clear()
    assert prepare(two_classes, force=True).made == 9
    assert settings_of(image_dir) == ONE_SECOND
    assert prepare(two_classes).kept == 9
    assert not caplog.text


def test_one_jpg_and_one_wav_a_chunk_in_a_folder_a_class(two_classes: Path) -> None:
    report = prepare(two_classes)
    image_dir = report.image_dir
    assert (report.made, report.made_chunks, report.kept, report.skipped) == (8, 24, 0, [])
    names = sorted(path.relative_to(image_dir).as_posix() for path in image_dir.rglob("*.jpg"))
    assert names[:3] == [f"high/high-0_nohash_{n:04d}.jpg" for n in range(3)]
    assert len(names) == len(list(image_dir.rglob("*.wav"))) == 24
    with Image.open(image_dir / names[0]) as image:
        assert image.size == (299, 299)
    _, source = read_wav(two_classes / "high" / "high-0.wav")
    for n, (start, end) in enumerate([(0, 16000), (16000, 32000), (32000, 40000)]):
        rate, samples = read_wav(image_dir / f"high/high-0_nohash_{n:04d}.wav")
        assert rate == 16000
        assert np.array_equal(samples, source[start:end])
    # The index says how they were made.
    content = json.loads((image_dir / "audionet.json").read_text())
    assert content["pictures"]["chunk_seconds"] == 1
    assert content["pictures"]["sample_rate_hz"] == 16000
    assert content["pictures"]["window_samples"] == 1024
    assert content["pictures"]["longest_hop_samples"] == 563
    entry = content["recordings"]["low/low-2.wav"]
    assert [chunk["start_seconds"] for chunk in entry["chunks"]] == [0, 1, 2]
    assert [chunk["seconds"] for chunk in entry["chunks"]] == [1, 1, 0.5]
    assert settings_of(image_dir) == ONE_SECOND


def test_a_second_time_nothing_is_decoded_and_no_file_touched(two_classes: Path, decodings: list[str]) -> None:
    image_dir = prepare(two_classes).image_dir
    before = state(image_dir)
    decodings.clear()
    report = prepare(two_classes)
    assert (report.made, report.kept, report.kept_chunks) == (0, 8, 24)
    assert decodings == []
    assert state(image_dir) == before


def test_only_what_is_new_or_changed_is_done(two_classes: Path, decodings: list[str]) -> None:
    image_dir = prepare(two_classes).image_dir
    before = state(image_dir)
    decodings.clear()
    write_wav(two_classes / "low" / "new.wav", tone(300, 1))
    write_wav(two_classes / "high" / "high-1.wav", tone(2500, 1))  # had three chunks, has one
    os.utime(two_classes / "high" / "high-0.wav")  # newer, but the same
    report = prepare(two_classes)
    assert (report.made, report.kept) == (2, 7)
    assert sorted(decodings) == ["high-1.wav", "new.wav"]
    after = state(image_dir)
    assert {name.split("_nohash_")[0] for name in before.keys() ^ after.keys()} == {"high/high-1", "low/new"}
    unchanged = {name for name in before.keys() & after.keys() if before[name] == after[name]}
    assert len(unchanged - {FOLDER_FILE}) == 7 * 6


def test_old_chunks_go_before_the_index_forgets_them(two_classes: Path) -> None:
    image_dir = prepare(two_classes).image_dir
    write_wav(two_classes / "high" / "high-1.wav", tone(2500, 1))  # had three chunks, has one

    def killed(stage: str, done: float, total: int) -> None:
        assert (stage, total) == ("recordings", 1)
        if done == 0:
            return
        assert sorted(path.name for path in image_dir.glob("high/high-1*.jpg")) == ["high-1_nohash_0000.jpg"]
        listed = json.loads((image_dir / "audionet.json").read_text())["recordings"]["high/high-1.wav"]["chunks"]
        assert len(listed) == 3

    audionet.prepare(two_classes, PrepareOptions(image_dir, ONE_SECOND), progress=killed)


def test_a_vanished_recording_takes_its_pictures_along_unless_they_are_to_be_kept(two_classes: Path) -> None:
    image_dir = prepare(two_classes).image_dir
    (two_classes / "low" / "low-3.wav").unlink()
    report = prepare(two_classes, keep_gone=True)
    assert (report.gone, report.removed) == (["low/low-3.wav"], [])
    assert len(list(image_dir.glob("low/low-3_*"))) == 6
    report = prepare(two_classes)
    assert (report.gone, report.removed) == ([], ["low/low-3.wav"])
    assert list(image_dir.glob("low/low-3_*")) == []
    assert len(list(image_dir.glob("low/*.jpg"))) == 9


def test_the_recordings_are_never_written_to(two_classes: Path) -> None:
    before = state(two_classes)
    prepare(two_classes)
    prepare(two_classes, force=True)
    assert state(two_classes) == before


def test_pictures_inside_the_recordings_are_refused(two_classes: Path) -> None:
    with pytest.raises(AudionetError, match="lies inside"):
        audionet.prepare(two_classes, PrepareOptions(two_classes / "low" / "pictures"))


def test_one_class_is_told_of_with_what_may_have_been_meant(
    two_classes: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    audionet.prepare(two_classes, PrepareOptions(tmp_path / "pictures", PictureSettings(1, 0)))
    assert "one class" not in caplog.text
    outer = tmp_path / "genres"
    outer.mkdir()
    two_classes.rename(outer / "original")
    audionet.prepare(outer, PrepareOptions(tmp_path / "pictures", PictureSettings(1, 0), force=True))
    sentence = f"{outer}: holds one class, 'original', where retrain needs two: add recordings of another, or name "
    assert f"{sentence}{outer / 'original'} if the folders in it are the classes" in caplog.text


@pytest.mark.parametrize("name", [b"caf\xe9.wav", "naïve 100%.wav".encode(), b"-f.wav", b"a_nohash_b.wav"])
def test_any_file_name_is_used(two_classes: Path, name: bytes) -> None:
    write_wav(two_classes / "low" / os.fsdecode(name), tone(300, 1))
    assert prepare(two_classes).made == 9
    assert prepare(two_classes).kept == 9
    stem = os.fsdecode(name).removesuffix(".wav")
    assert (two_classes.parent / "data_image" / "low" / f"{stem}_nohash_0000.jpg").is_file()


def test_settings_with_which_nothing_could_be_drawn_bind_nobody(two_classes: Path) -> None:
    image_dir = two_classes.parent / "data_image"
    with pytest.raises(AudionetError):
        audionet.prepare(two_classes, PrepareOptions(image_dir, channel="3"))  # all are mono
    assert audionet.prepare(two_classes, PrepareOptions(image_dir)).made


def test_other_settings_are_refused_unless_forced(two_classes: Path) -> None:
    image_dir = prepare(two_classes).image_dir
    before = state(image_dir)
    other = PictureSettings(2, 0)
    with pytest.raises(AudionetError, match=r"other settings \(--chunk-seconds 1, now 2\); add --force"):
        audionet.prepare(two_classes, PrepareOptions(image_dir, other))
    assert state(image_dir) == before
    report = audionet.prepare(two_classes, PrepareOptions(image_dir, other, force=True))
    assert (report.made, report.made_chunks) == (8, 16)
    assert len(list(image_dir.rglob("*.jpg"))) == 16


def test_without_wavs_there_are_none(two_classes: Path) -> None:
    image_dir = prepare(two_classes, keep_wav=False).image_dir
    assert list(image_dir.rglob("*.wav")) == []
    assert prepare(two_classes, keep_wav=False).made == 0
    assert prepare(two_classes).made == 8
    assert len(list(image_dir.rglob("*.wav"))) == 24


def test_the_number_of_jobs_makes_no_difference(two_classes: Path, tmp_path: Path) -> None:
    for jobs in (1, 4):
        audionet.prepare(two_classes, PrepareOptions(tmp_path / str(jobs), ONE_SECOND, jobs=jobs))
    assert contents(tmp_path / "1") == contents(tmp_path / "4")


def interrupted_at(count: int) -> Progress:
    """Ctrl-C, when so many recordings are done."""

    def interrupt(stage: str, done: float, total: int) -> None:
        assert (stage, total) in {("recordings", 7), ("recordings", 8)}
        if done == count:
            raise KeyboardInterrupt

    return interrupt


def test_an_interrupted_run_goes_on_where_it_stopped(two_classes: Path, decodings: list[str]) -> None:
    image_dir = two_classes.parent / "data_image"
    with pytest.raises(KeyboardInterrupt):
        audionet.prepare(two_classes, PrepareOptions(image_dir, ONE_SECOND, jobs=1), progress=interrupted_at(3))
    decodings.clear()
    report = prepare(two_classes)
    assert report.kept >= 3
    assert len(decodings) == report.made == 8 - report.kept
    assert len(list(image_dir.rglob("*.jpg"))) == 24
    assert not list(image_dir.rglob(".audionet-*"))


@pytest.mark.parametrize(
    ("content", "fault"),
    [('{"format": 1, "pictures"', "damaged or not written"), ('{"format": 2}', "written by another version")],
)
def test_an_index_that_is_not_ours_is_refused_and_force_begins_anew(
    content: str, fault: str, two_classes: Path
) -> None:
    image_dir = prepare(two_classes).image_dir
    (image_dir / "audionet.json").write_text(content)
    with pytest.raises(AudionetError, match=rf"audionet.json: {fault} .* --force"):
        prepare(two_classes)
    assert prepare(two_classes, force=True).made == 8


@pytest.mark.parametrize("count", [0, 2])
def test_an_interrupted_change_of_settings_leaves_no_old_picture(two_classes: Path, tmp_path: Path, count: int) -> None:
    image_dir = prepare(two_classes).image_dir
    (two_classes / "low" / "low-3.wav").unlink()
    other = PrepareOptions(image_dir, PictureSettings(2, 0), jobs=1, force=True)
    with pytest.raises(KeyboardInterrupt):
        audionet.prepare(two_classes, other, progress=interrupted_at(count))
    audionet.prepare(two_classes, PrepareOptions(image_dir, PictureSettings(2, 0)))
    audionet.prepare(two_classes, PrepareOptions(tmp_path / "undisturbed", PictureSettings(2, 0)))
    assert contents(image_dir) == contents(tmp_path / "undisturbed")


def test_what_a_killed_run_had_begun_goes_with_its_recording(two_classes: Path, tmp_path: Path) -> None:
    image_dir = tmp_path / "data_image"
    options = PrepareOptions(image_dir, ONE_SECOND, jobs=1)
    with pytest.raises(KeyboardInterrupt):
        audionet.prepare(two_classes, options, progress=interrupted_at(1))
    # As if it had been killed within the second recording, whose first chunk no index lists.
    shutil.copy(image_dir / "high" / "high-0_nohash_0000.jpg", image_dir / "high" / "high-1_nohash_0000.jpg")
    (two_classes / "high" / "high-1.wav").unlink()
    prepare(two_classes)
    audionet.prepare(two_classes, PrepareOptions(tmp_path / "undisturbed", ONE_SECOND))
    assert contents(image_dir) == contents(tmp_path / "undisturbed")


def test_pictures_that_are_somebody_elses_stay(two_classes: Path, tmp_path: Path) -> None:
    image_dir = tmp_path / "data_image"
    with pytest.raises(KeyboardInterrupt):
        audionet.prepare(two_classes, PrepareOptions(image_dir, ONE_SECOND, jobs=1), progress=interrupted_at(1))
    theirs = image_dir / "high" / "mine_nohash_0000.jpg"
    theirs.write_bytes(b"a picture of my own")
    prepare(two_classes)
    assert theirs.read_bytes() == b"a picture of my own"


@pytest.mark.parametrize("gone", [False, True])
def test_a_recording_that_changes_while_it_is_read_is_left_for_the_next_run(
    two_classes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: bool
) -> None:
    victim = two_classes / "low" / "low-0.wav"
    kept = victim.read_bytes()

    def decode(path: Path, choice: SoundChoice, sample_rate_hz: int) -> Iterator[np.ndarray]:
        yield from ffmpeg.decode(path, choice, sample_rate_hz)
        if path.name == victim.name:
            if gone:
                path.unlink()
            else:
                path.write_bytes(kept + bytes(1000))

    with monkeypatch.context() as patched:
        patched.setattr("audionet.audio.chunks.decode", decode)
        report = prepare(two_classes)
    assert [error.path for error in report.skipped] == [str(victim)]
    assert report.skipped[0].reason.startswith("cannot be read" if gone else "changed while it was read")
    assert not list(report.image_dir.glob("low/low-0*"))
    victim.write_bytes(kept)
    assert prepare(two_classes).made == 1
    undisturbed = audionet.prepare(two_classes, PrepareOptions(tmp_path / "undisturbed", ONE_SECOND)).image_dir
    assert contents(report.image_dir) == contents(undisturbed)


def test_chunks_are_as_long_as_short_recordings_are(two_classes: Path, audionet_here: Run) -> None:
    first = audionet_here("prepare", "data_audio", "--image-dir", "p")
    pictures = two_classes.parent / "p"
    assert first.stdout.startswith("8 recordings: 8 drawn (8 pictures), 0 unchanged")
    assert "chunks of 3 seconds, since most recordings are that short" in first.stderr
    assert settings_of(pictures).chunk_seconds == 3
    # So they stay, whatever is added, until --force: a model knows one length of chunks.
    for n in range(3):
        write_wav(two_classes / "low" / f"longer-{n}.wav", chirps(5 + n, 200, 400, 7))
    second = audionet_here("prepare", "data_audio", "--image-dir", "p")
    assert second.stdout.startswith("11 recordings: 3 drawn (12 pictures), 8 unchanged")
    assert "chosen for recordings that were shorter" in second.stderr
    assert audionet_here("prepare", "data_audio", "--image-dir", "p", "--chunk-seconds", "3").returncode == 0
    assert (
        "--chunk-seconds 3, now 20"
        in audionet_here("prepare", "data_audio", "--image-dir", "p", "--chunk-seconds", "20").stderr
    )
    anew = audionet_here("prepare", "data_audio", "--image-dir", "p", "--force")
    assert "chunks of 7 seconds" in anew.stderr
    assert settings_of(pictures).chunk_seconds == 7
    assert "chosen for" not in audionet_here("prepare", "data_audio", "--image-dir", "p").stderr


@pytest.mark.parametrize(("seconds", "cover_bytes", "expected"), [(2, 5_000_000, 2), (45, 0, 20)])
def test_the_size_of_an_mp3_says_how_long_it_is_and_not_its_picture(
    seconds: float, cover_bytes: int, expected: float, tmp_path: Path, audionet_here: Run
) -> None:
    for n in range(4):
        path = tmp_path / "data_audio" / "ab"[n % 2] / f"{n}.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        sound = encoded("mp3", "-ar", "44100", "-b:a", "320k", seconds=seconds)
        cover = id3(b"APIC" + struct.pack(">IH", 14 + cover_bytes, 0) + b"\0image/jpeg\0\x03\0" + bytes(cover_bytes))
        path.write_bytes(cover + sound)
    assert (least_mp3_seconds(path) > 20) == (seconds > 20)
    assert least_mp3_seconds(path) <= seconds
    assert audionet_here("prepare", "data_audio", "--image-dir", "p").returncode == 0
    assert settings_of(tmp_path / "p").chunk_seconds == expected


def test_it_is_said_that_an_overlap_makes_very_many_pictures(
    two_classes: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for overlap_seconds, is_told in ((0.5, False), (0.95, True)):
        settings = PictureSettings(1, overlap_seconds)
        audionet.prepare(two_classes, PrepareOptions(two_classes.parent / str(overlap_seconds), settings))
        assert ("--overlap 0.95: each moment lies in 20 pictures" in caplog.text) == is_told


@pytest.mark.parametrize("typed", [("--chunk-seconds", "20"), ("--overlap", "0")])
def test_chunks_are_as_long_as_was_asked_for(two_classes: Path, audionet_here: Run, typed: tuple[str, ...]) -> None:
    assert audionet_here("prepare", "data_audio", "--image-dir", "p", *typed).returncode == 0
    assert settings_of(two_classes.parent / "p").chunk_seconds == 20


def test_chunks_of_recordings_some_of_which_are_long_have_20_seconds(two_classes: Path, audionet_here: Run) -> None:
    (two_classes / "low" / "damaged.wav").write_bytes(b"no sound")
    write_wav(two_classes / "high" / "long.wav", chirps(5, 2000, 3000, 11))
    audionet_here("prepare", "data_audio", "--image-dir", "p")
    assert settings_of(two_classes.parent / "p").chunk_seconds == 20


def test_of_classes_with_one_short_recording_each_there_are_several_chunks(tmp_path: Path, audionet_here: Run) -> None:
    """One chunk of each would leave nothing to hold out, and little to learn from."""
    for n in range(4):
        write_wav(tmp_path / "voices" / f"voice-{n}" / "speech.wav", chirps(n, 300 * (n + 1), 400 * (n + 1), 11 + n))
    first = audionet_here("prepare", "voices", "--image-dir", "p", cwd=tmp_path)
    assert "chunks of 5 seconds, since most classes have one recording" in first.stderr
    assert settings_of(tmp_path / "p").chunk_seconds == 5
    assert audionet_here("prepare", "voices", "--image-dir", "p", cwd=tmp_path).stderr == ""
    # Of several recordings a class, each may be one chunk.
    for n in range(4):
        write_wav(tmp_path / "voices" / f"voice-{n}" / "again.wav", chirps(9 + n, 300 * (n + 1), 400 * (n + 1), 12))
    assert "shorter or fewer" in audionet_here("prepare", "voices", "--image-dir", "p", cwd=tmp_path).stderr
    audionet_here("prepare", "voices", "--image-dir", "p", "--force", cwd=tmp_path)
    assert settings_of(tmp_path / "p").chunk_seconds == 20


def test_long_recordings_are_cut_into_chunks_of_20_seconds_also_if_a_class_has_one(
    tmp_path: Path, audionet_here: Run
) -> None:
    for n in range(4):
        write_wav(tmp_path / "voices" / f"voice-{n}" / "speech.wav", chirps(n, 300, 400, 41))
    audionet_here("prepare", "voices", "--image-dir", "p", cwd=tmp_path)
    assert settings_of(tmp_path / "p").chunk_seconds == 20


def test_chunks_are_as_long_as_the_parts_that_are_marked(tmp_path: Path, audionet_here: Run) -> None:
    write_wav(tmp_path / "nights" / "night.wav", chirps(1, 200, 400, 30))
    lines = [f"night.wav,{name},{start},{start + 1.5}" for start, name in enumerate(("owl", "fox") * 4, 3)]
    (tmp_path / "nights" / "calls.csv").write_text("\n".join(["path,label,start,end", *lines]))
    audionet_here("prepare", "nights", "--image-dir", "p", cwd=tmp_path)
    assert settings_of(tmp_path / "p").chunk_seconds == 2


def test_what_is_odd_about_a_recording_is_said_once_and_by_the_name_that_the_user_gave(
    two_classes: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A short one is read twice: to choose how long chunks are, and to be drawn."""
    monkeypatch.chdir(two_classes.parent)
    path = Path(two_classes.name) / "low" / "odd.wav"
    write_wav(path, tone(300, 2))
    path.write_bytes(path.read_bytes()[:-32000])
    audionet.prepare(two_classes.name, PrepareOptions(Path("pictures")))
    said = [record.getMessage() for record in caplog.records if "odd.wav" in record.getMessage()]
    assert len(said) == 1
    assert said[0].startswith(f"{path}: is cut off: of the 2 s")
