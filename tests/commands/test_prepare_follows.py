"""What `prepare` is pointed at decides what is learnt: moves, new names and deletions are followed."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import audionet
from audionet.commands.prepare import PrepareReport
from audionet.dataset.sources import FOLDER_FILE
from audionet.errors import AudionetError
from audionet.options import PrepareOptions
from audionet.settings import PictureSettings
from tests.conftest import chirps, options_in, quick_learning, tone, write_wav
from tests.crashes import contents

ONE_SECOND = PictureSettings(1, 0)


def prepare(data_audio: Path, image_dir: Path, **options: object) -> PrepareReport:
    return audionet.prepare(data_audio, PrepareOptions(image_dir, ONE_SECOND, **options))  # type: ignore[arg-type]


def move_to_another_class(data_audio: Path) -> None:
    (data_audio / "low" / "low-0.wav").rename(data_audio / "high" / "low-0.wav")


def rename_a_recording(data_audio: Path) -> None:
    (data_audio / "low" / "low-0.wav").rename(data_audio / "low" / "first.wav")


def rename_a_class(data_audio: Path) -> None:
    (data_audio / "low").rename(data_audio / "deep")


def delete_a_class(data_audio: Path) -> None:
    shutil.rmtree(data_audio / "low")


def delete_one_of_two_of_a_name(data_audio: Path) -> None:
    (data_audio / "low" / "twin.ogg").unlink()


CHANGES = (move_to_another_class, rename_a_recording, rename_a_class, delete_a_class, delete_one_of_two_of_a_name)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_after_a_change_the_folder_is_that_of_a_fresh_start(
    two_classes: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    for suffix in ("wav", "ogg"):  # both would be called low/twin
        write_wav(two_classes / "low" / f"twin.{suffix}", chirps(50 + len(suffix + suffix[0]), 200, 400, 1))
    prepare(two_classes, tmp_path / "pictures")
    change(two_classes)
    prepare(two_classes, tmp_path / "pictures")
    prepare(two_classes, tmp_path / "fresh")
    assert contents(tmp_path / "pictures") == contents(tmp_path / "fresh")


def exchange(one: Path, other: Path) -> None:
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def exchange_the_names_of_two_classes(data_audio: Path) -> None:
    exchange(data_audio / "low", data_audio / "high")


def exchange_two_recordings(data_audio: Path) -> None:
    exchange(data_audio / "low" / "0.wav", data_audio / "high" / "0.wav")


def move_over_another(data_audio: Path) -> None:
    (data_audio / "low" / "0.wav").replace(data_audio / "high" / "0.wav")


def write_over_with_the_old_time(data_audio: Path) -> None:
    path = write_wav(data_audio / "low" / "0.wav", chirps(90, 500, 700, 1))
    os.utime(path, ns=(ARCHIVED_NS, ARCHIVED_NS))


ARCHIVED_NS = 1_600_000_000_000_000_000
UNSEEN = (exchange_the_names_of_two_classes, exchange_two_recordings, move_over_another, write_over_with_the_old_time)


@pytest.mark.parametrize("change", UNSEEN, ids=lambda change: change.__name__)
def test_recordings_of_one_size_and_time_do_not_hide_a_change(tmp_path: Path, change: Callable[[Path], None]) -> None:
    data_audio = tmp_path / "data_audio"
    for number, name in enumerate(("low", "high")):  # as archives unpack them
        for n in range(2):
            path = write_wav(data_audio / name / f"{n}.wav", chirps(10 * number + n, 200 + 2000 * number, 3000, 1))
            os.utime(path, ns=(ARCHIVED_NS, ARCHIVED_NS))
    prepare(data_audio, tmp_path / "pictures")
    change(data_audio)
    assert prepare(data_audio, tmp_path / "pictures").made > 0
    prepare(data_audio, tmp_path / "fresh")
    assert contents(tmp_path / "pictures") == contents(tmp_path / "fresh")
    report = prepare(data_audio, tmp_path / "pictures")
    assert (report.made, report.removed) == (0, [])


def test_a_corrected_label_gives_the_model_of_a_fresh_start(tmp_path: Path) -> None:
    data_audio, bands = (
        tmp_path / "data_audio",
        {"low": (200.0, 400.0), "high": (2000.0, 3000.0), "mid": (800.0, 1000.0), "all": (200.0, 3000.0)},
    )
    for number, (name, band) in enumerate(bands.items()):
        for n in range(4):
            write_wav(data_audio / name / f"{name}-{n}.wav", chirps(10 * number + n, *band, 1))

    def learn(files: Path) -> list[bytes]:
        prepare(data_audio, files / "data_image")
        shared = tmp_path / "bottlenecks"  # by content: those of a picture are the same for all
        with quick_learning():
            options = options_in(files, bottleneck_dir=shared, steps=5, refit=False, write_report=False)
            assert audionet.retrain(options).trained
        return [(files / f"retrained_graph.{suffix}").read_bytes() for suffix in ("pb", "tflite")]

    before = learn(tmp_path / "mended")
    shutil.move(data_audio / "low" / "low-0.wav", data_audio / "high")
    (data_audio / "mid").rename(data_audio / "middle")
    shutil.rmtree(data_audio / "all")
    mended = learn(tmp_path / "mended")
    assert mended != before
    assert mended == learn(tmp_path / "fresh")


def test_it_is_told_what_moved_and_what_went(two_classes: Path) -> None:
    image_dir = two_classes.parent / "pictures"
    prepare(two_classes, image_dir)
    move_to_another_class(two_classes)
    (two_classes / "low" / "low-1.wav").unlink()
    report = prepare(two_classes, image_dir)
    assert report.removed == ["low/low-0.wav", "low/low-1.wav"]
    assert report.moved == {"low/low-0.wav": "high/low-0.wav"}


def other_voices(folder: Path) -> Path:
    for name in ("low", "ben"):
        write_wav(folder / name / "low-0.wav", tone(700, 1))
        write_wav(folder / name / "more.wav", tone(900, 1))
    return folder


def test_another_folders_recordings_do_not_take_the_place_of_the_first_unasked(
    two_classes: Path, tmp_path: Path
) -> None:
    image_dir, others = tmp_path / "pictures", other_voices(tmp_path / "others")
    prepare(two_classes, image_dir)
    before = contents(image_dir)
    with pytest.raises(AudionetError, match=r"holds the pictures of other recordings of .*data_audio; name another"):
        prepare(others, image_dir)
    assert contents(image_dir) == before
    (image_dir / FOLDER_FILE).unlink()  # as an earlier release left it
    with pytest.raises(AudionetError, match=r"other recordings, such as high/high-0.wav, high/high-1.wav and 6 more;"):
        prepare(others, image_dir)
    with pytest.raises(
        AudionetError, match=r"called as some of these, .* take their place \(low/low-0.wav\): rename them"
    ):
        prepare(others, image_dir, keep_gone=True)
    assert contents(image_dir).keys() == before.keys() - {FOLDER_FILE}
    (others / "low" / "low-0.wav").rename(others / "low" / "another.wav")
    prepare(others, image_dir, keep_gone=True)
    assert len(list((image_dir / "low").glob("*.wav"))) == 12 + 2
    assert {path.name for path in image_dir.iterdir() if path.is_dir()} == {"low", "high", "ben"}
    prepare(others, image_dir, force=True)
    prepare(others, tmp_path / "fresh")
    assert contents(image_dir) == contents(tmp_path / "fresh")


def test_a_folder_of_the_same_names_is_another_all_the_same(two_classes: Path, tmp_path: Path) -> None:
    prepare(two_classes, tmp_path / "pictures")
    for path in sorted(two_classes.rglob("*.wav")):
        write_wav(tmp_path / "others" / path.relative_to(two_classes), tone(700, 1))
    with pytest.raises(AudionetError, match="holds the pictures of other recordings"):
        prepare(tmp_path / "others", tmp_path / "pictures")


def test_a_folder_that_was_moved_is_the_same(two_classes: Path, tmp_path: Path) -> None:
    prepare(two_classes, tmp_path / "pictures")
    two_classes.rename(tmp_path / "elsewhere")
    shutil.rmtree(tmp_path / "elsewhere" / "low")
    report = prepare(tmp_path / "elsewhere", tmp_path / "pictures")
    assert (report.made, report.kept, len(report.removed)) == (0, 4, 4)


def test_recordings_that_are_all_replaced_in_their_folder_are_drawn_anew(two_classes: Path, tmp_path: Path) -> None:
    prepare(two_classes, tmp_path / "pictures")
    shutil.rmtree(two_classes)
    other_voices(two_classes)
    report = prepare(two_classes, tmp_path / "pictures")
    assert (report.made, len(report.removed)) == (4, 7)


@pytest.mark.parametrize("linked", ["the class", "each recording"])
def test_a_drive_that_is_not_connected_takes_no_pictures_with_it(
    two_classes: Path, tmp_path: Path, linked: str
) -> None:
    shutil.move(two_classes / "low", tmp_path / "drive")
    if linked == "the class":
        (two_classes / "low").symlink_to(tmp_path / "drive")
    else:
        (two_classes / "low").mkdir()
        for path in (tmp_path / "drive").iterdir():
            (two_classes / "low" / path.name).symlink_to(path)
    prepare(two_classes, tmp_path / "pictures")
    (tmp_path / "drive").rename(tmp_path / "unplugged")
    report = prepare(two_classes, tmp_path / "pictures")
    assert report.removed == []
    assert len(list((tmp_path / "pictures" / "low").glob("*.jpg"))) == 12
    assert all("cannot be read" in error.reason for error in report.skipped)
    (tmp_path / "unplugged").rename(tmp_path / "drive")
    report = prepare(two_classes, tmp_path / "pictures")
    assert (report.made, report.kept, report.skipped) == (0, 8, [])


@pytest.mark.parametrize("is_table", [True, False])
def test_nor_does_one_with_recordings_that_a_table_or_annotations_name(
    two_classes: Path, tmp_path: Path, is_table: bool
) -> None:
    table = tmp_path / "list.csv" if is_table else None
    if table:
        rows = [f"low/low-{n}.wav,deep,0,1\nhigh/high-{n}.wav,shrill,0,1\n" for n in range(4)]
        table.write_text("path,label,start,end\n" + "".join(rows))
    else:
        for name in ("low/low-0", "high/high-0"):
            (two_classes / f"{name}.txt").write_text(f"0\t1\t{name[:-6]}\n")
    shutil.move(two_classes / "low", tmp_path / "drive")
    (two_classes / "low").symlink_to(tmp_path / "drive")
    pictures = tmp_path / "pictures"
    audionet.prepare(two_classes, PrepareOptions(pictures, ONE_SECOND, metadata=table, unmarked="background"))
    before = sorted(pictures.rglob("*.jpg"))
    (tmp_path / "drive").rename(tmp_path / "unplugged")
    audionet.prepare(two_classes, PrepareOptions(pictures, ONE_SECOND, metadata=table, unmarked="background"))
    assert sorted(pictures.rglob("*.jpg")) == before


def test_pruning_can_still_be_asked_for_but_not_with_its_opposite() -> None:
    assert PrepareOptions(prune=True) != PrepareOptions()
    with pytest.raises(AudionetError, match="choose one"):
        PrepareOptions(prune=True, keep_gone=True)
