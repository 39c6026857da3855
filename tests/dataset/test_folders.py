import logging
import os
import re
import sys
from pathlib import Path

import pytest

from audionet.annotation.metadata import find_labelled_recordings
from audionet.dataset.folders import find_pictures, find_recordings, stray_files
from audionet.dataset.names import chunk_stems, require_distinct_classes, split_chunk_name
from audionet.errors import AudionetError
from audionet.inference.clips import find_clips
from audionet.options import AnnotationOptions
from tests.conftest import chirps, write_wav

unix = pytest.mark.skipif(sys.platform == "win32", reason="links of Unix")


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_recordings_are_found_at_any_depth_and_sorted(tmp_path: Path) -> None:
    touch(tmp_path, "b/2.mp3", "b/10.wav", "a/deep/er/x.ogg", "a/deep/w.flac", "a/no_suffix")
    keys = [recording.key for recording in find_recordings(tmp_path)[0]]
    assert keys == ["a/deep/er/x.ogg", "a/deep/w.flac", "a/no_suffix", "b/10.wav", "b/2.mp3"]


def test_recordings_of_one_sub_folder_stay_together_where_a_class_has_several(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    touch(tmp_path, *(f"anna/{video}/{n}.wav" for video in ("xQ1", "b/7", "zz") for n in (1, 2)), "anna/one/1.wav")
    touch(tmp_path, *(f"ben/{year}/{n}.wav" for year in ("2023", "2024") for n in (1, 2)))  # too few
    touch(tmp_path, *(f"carla/{name}/1.wav" for name in "abc"), "carla/0.wav")  # one lies in no sub-folder
    touch(tmp_path, "dora/a/1.wav", "dora/b/1.wav", *(f"dora/c/{n}.wav" for n in range(3)))  # one holds most
    groups = {recording.key: recording.group for recording in find_recordings(tmp_path)[0]}
    assert {key: group for key, group in groups.items() if group} == {
        f"anna/{video}/{n}.wav": video for video in ("xQ1", "b/7", "zz") for n in (1, 2)
    }
    assert f"as in {tmp_path / 'anna' / 'b' / '7'}, are held out together" in caplog.text
    assert f"as in {tmp_path / 'ben' / '2023'}, are not held out together" in caplog.text
    caplog.clear()
    find_recordings(tmp_path / "anna")  # one folder of two recordings alone, and one of one
    (tmp_path / "other").mkdir()
    touch(tmp_path / "other", "anna/wav/1.wav", "anna/mp3/1.mp3", "anna/mp3/2.mp3", "ben/a/1.wav", "ben/b/1.wav")
    find_recordings(tmp_path / "other")
    assert "held out together" not in caplog.text


def test_one_recording_in_two_forms_stays_together(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    touch(tmp_path, "a/x.mp3", "a/x.WAV", "a/y.mp3", "a/rec.001", "a/rec.002", "b/y.wav", "b/deep/y.flac")
    groups = {recording.key: recording.group for recording in find_recordings(tmp_path)[0]}
    assert {key: group for key, group in groups.items() if group} == {"a/x.mp3": "a/x", "a/x.WAV": "a/x"}
    assert "x.WAV and " in caplog.text
    assert "differ in their suffix alone, as one recording in two forms: they are held out together" in caplog.text


def test_notes_papers_tables_pictures_and_hidden_files_are_no_recordings(tmp_path: Path) -> None:
    touch(tmp_path, "a/x.mp3", "a/notes.txt", "a/cover.JPG", "a/.DS_Store", "a/Thumbs.db", "a/LICENSE", ".git/x.mp3")
    touch(tmp_path, "labels.xlsx", *(f"a/notes.{end}" for end in ("ods", "rtf", "PPTX", "vtt", "heic", "eaf")))
    recordings, wrong = find_recordings(tmp_path)
    assert ([recording.key for recording in recordings], wrong) == (["a/x.mp3"], [])


def test_what_systems_editors_and_downloads_leave_is_passed_over_and_named_only_if_asked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folders = (
        "$RECYCLE.BIN|System Volume Information|__MACOSX|@eaDir|#recycle|lost+found|.Trash-1000|FOUND.001|@tmp|"
        "RECYCLED|Network Trash Folder|Temporary Items|@Recently-Snapshot|Ableton Project Info"
    ).split("|")
    suffixes = (
        "sfk SFK Identifier reapeaks asd aup3 pkf gpk peak icloud part crdownload tmp download partial filepart temp "
        "aria2 ytdl !ut bak swp rpp-undo aup-bak ses sfl ptf incomplete !sync part-Frag12 wav~"
    ).split()
    touch(tmp_path, "a/x.mp3", "a/._x.mp3", *(f"{place}{name}/y.mp3" for name in folders for place in ("", "a/")))
    touch(tmp_path, *(f"a/x.mp3.{suffix}" for suffix in suffixes), *(f"z.{suffix}" for suffix in suffixes))
    (tmp_path / "a" / "half.part").write_bytes(b"ID3\x03")  # a download's beginning is that of a recording
    recordings, wrong = find_recordings(tmp_path)
    assert [recording.key for recording in recordings] == ["a/x.mp3"]
    assert wrong == []
    assert caplog.text == ""
    assert [path.name for path in find_clips([tmp_path])] == ["x.mp3"]
    with caplog.at_level(logging.DEBUG):
        find_recordings(tmp_path)
    assert "x.mp3.crdownload: passed over" in caplog.text


def test_the_pieces_of_an_old_audacity_project_are_no_recordings(tmp_path: Path) -> None:
    touch(tmp_path, "a/x.mp3", "a/talk.aup", "a/talk_data/e00/d00/e0000001.au", "b/talk_data/y.mp3", "b/#y.mp3#")
    assert [recording.key for recording in find_recordings(tmp_path)[0]] == ["a/x.mp3", "b/talk_data/y.mp3"]


@pytest.mark.parametrize(
    "name", ["unknown", "Unknown", "UNKNOWN", " unknown", "unknown ", "unKnown\u200b", "\uff55nknown"]
)
def test_no_class_is_called_as_clips_of_none_are(tmp_path: Path, name: str) -> None:
    touch(tmp_path, "a/x.mp3", f"{name}/x.mp3", f"{name}/x_nohash_0000.jpg")
    for find in (find_recordings, find_pictures):
        with pytest.raises(AudionetError, match=re.escape(f"no class can be called {name!r}: that is")):
            find(tmp_path)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("all.zip", "holds no recordings, but all.zip; unpack what is in there"),
        (
            "interview.aup3",
            "holds no recordings, but interview.aup3; save the sound as WAV with the program whose project",
        ),
        ("song.mp3.part", "holds no recordings, but song.mp3.part; download that to its end"),
    ],
)
def test_a_class_folder_with_what_may_become_recordings_says_how(tmp_path: Path, name: str, said: str) -> None:
    touch(tmp_path, "a/x.mp3", f"b/{name}")
    (error,) = find_recordings(tmp_path)[1]
    assert error.reason.startswith(said)


def test_what_lies_wrong_is_told(tmp_path: Path) -> None:
    touch(tmp_path, "a/x.mp3", "lost.mp3", "README.md", "empty/notes.txt")
    (tmp_path / "unplugged").symlink_to(tmp_path / "disk" / "robin")
    recordings, wrong = find_recordings(tmp_path)
    assert len(recordings) == 1
    assert [(Path(error.path).name, error.reason.split(";")[0]) for error in wrong] == [
        ("lost.mp3", "lies in no class folder"),
        ("unplugged", "cannot be read (No such file or directory)"),
        ("empty", "holds no recordings"),
    ]


@pytest.mark.parametrize("name", ["two\nlines", os.fsdecode(b"caf\xe9")])
def test_a_class_that_could_not_be_a_line_of_text_is_named_and_the_others_go_on(tmp_path: Path, name: str) -> None:
    touch(tmp_path, f"{name}/x.mp3")
    with pytest.raises(AudionetError, match="rename this folder"):
        find_recordings(tmp_path)
    touch(tmp_path, "a/x.mp3")
    recordings, (wrong,) = find_recordings(tmp_path)
    assert [recording.key for recording in recordings] == ["a/x.mp3"]
    assert wrong.path == str(tmp_path / name)
    assert "rename this folder" in wrong.reason


@pytest.mark.parametrize("name", ["می\u200cبینم", "👩\u200d🚀", "two\u00a0words", "名　前"])
def test_a_class_may_be_written_as_its_language_is(tmp_path: Path, name: str) -> None:
    touch(tmp_path, f"{name}/x.mp3")
    assert [recording.class_name for recording in find_recordings(tmp_path)[0]] == [name]


def test_a_link_that_leads_back_does_not_loop(tmp_path: Path) -> None:
    touch(tmp_path, "a/x.mp3")
    (tmp_path / "a" / "again").symlink_to(tmp_path / "a", target_is_directory=True)
    recordings, (wrong,) = find_recordings(tmp_path)
    assert [recording.key for recording in recordings] == ["a/x.mp3"]
    assert wrong.reason.startswith("is a link to a folder, which is not followed")


@unix
@pytest.mark.parametrize("suffix", [".wav", ".txt", ""])
def test_a_link_to_where_no_file_can_be_stops_no_listing(tmp_path: Path, suffix: str) -> None:
    nowhere = "x" * 300  # longer than a name can be: to ask what is there is an error
    for place in ("", "anna", "anna/deeper"):
        (tmp_path / place).mkdir(exist_ok=True)
        (tmp_path / place / f"link{suffix}").symlink_to(nowhere)
    write_wav(tmp_path / "anna" / "a.wav", chirps(0, 200, 400, 1))
    (tmp_path / "anna" / "a.txt").write_text("0.1\t0.9\tcall\n")
    recordings, wrong = find_recordings(tmp_path)
    assert {recording.key for recording in recordings} >= {"anna/a.wav"}
    assert [Path(error.path).name for error in wrong] == ([f"link{suffix}"] if suffix != ".txt" else [])
    named, _ = find_labelled_recordings(tmp_path, AnnotationOptions(use_beside=True))
    assert [recording.class_name for recording in named] == ["call"]
    assert tmp_path / "anna" / "a.wav" in find_clips([tmp_path])


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_folder_is_told(tmp_path: Path) -> None:
    touch(tmp_path, "a/x.mp3", "a/secret/y.mp3")
    (tmp_path / "a" / "secret").chmod(0)
    recordings, (wrong,) = find_recordings(tmp_path)
    assert [recording.key for recording in recordings] == ["a/x.mp3"]
    assert Path(wrong.path).name == "secret"
    assert wrong.reason.startswith("cannot be read")


def test_chunks_are_named_after_their_recording() -> None:
    assert chunk_stems(["a/x.mp3", "a/v1.2/y.z.wav", "b/x.mp3"]) == {
        "a/x.mp3": "x",
        "a/v1.2/y.z.wav": "v1.2-y.z",
        "b/x.mp3": "x",
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a/x.mp3", "a/x.wav"),
        ("a/p/x.mp3", "a/p-x.mp3"),
        ("a/X.mp3", "a/x.mp3"),
        ("a/caf\u00e9.mp3", "a/cafe\u0301.mp3"),
    ],
)
def test_recordings_that_would_share_a_name_stay_apart(one: str, other: str) -> None:
    stems = chunk_stems([one, other])
    assert stems[one].casefold() != stems[other].casefold()
    assert chunk_stems([other, one]) == stems
    assert all(len(stem.rsplit("-", 1)[1]) == 8 for stem in stems.values())


def test_a_very_long_name_is_cut_and_stays_unique() -> None:
    one, other = f"a/{'é' * 120}1.mp3", f"a/{'é' * 120}2.mp3"
    stems = chunk_stems([one, other])
    assert stems[one] != stems[other]
    assert all(len(stem.encode()) <= 200 for stem in stems.values())


def test_pictures_know_their_recording_and_place(tmp_path: Path) -> None:
    touch(tmp_path, "b/x_nohash_0001.jpg", "b/x_nohash_0000.jpg", "a/my_nohash_take_nohash_0012.jpg", "a/x.wav")
    touch(tmp_path, "b/scan.jpg", "b/y_nohash_last.jpg", "a/_nohash_0003.jpg")  # without a number
    found = [(class_name, *split_chunk_name(stem)) for class_name, stem, _ in find_pictures(tmp_path)]
    assert found == [
        *(("a", "_nohash_0003", None), ("a", "my_nohash_take", 12)),
        *(("b", "scan", None), ("b", "x", 0), ("b", "x", 1), ("b", "y", None)),
    ]


@pytest.mark.parametrize(
    ("name", "beginning", "is_found"),
    [
        ("song.txt", b"ID3\x03", True),
        ("song.json", b"RIFF\0\0\0\0WAVEfmt ", True),
        ("song.pdf", b"\0\0\0\x20ftypM4A ", True),
        ("notes.txt", b"Identity", False),
        ("photo.jpg", b"\0\0\0\x18ftypheic", False),
        ("photo.webp", b"RIFF\0\0\0\0WEBPVP8 ", False),
    ],
)
def test_a_recording_with_the_name_of_a_text_is_found_all_the_same(
    tmp_path: Path, name: str, beginning: bytes, is_found: bool
) -> None:
    touch(tmp_path, "a/x.mp3", f"a/{name}")
    (tmp_path / "a" / name).write_bytes(beginning)
    keys = [recording.key for recording in find_recordings(tmp_path)[0]]
    assert (f"a/{name}" in keys) == is_found


@pytest.mark.parametrize(("length", "kept"), [(200, True), (201, False)])
def test_only_a_name_of_over_200_bytes_is_cut(length: int, kept: bool) -> None:
    stem = chunk_stems([f"a/{'x' * length}.mp3"])[f"a/{'x' * length}.mp3"]
    assert (stem == "x" * length) == kept
    assert len(stem) == 200


@pytest.mark.parametrize(
    ("one", "other", "stored"),
    [
        ("Anna", "anna", ""),
        ("anna", "anna ", ""),
        ("barn owl", "barn  owl", ""),
        ("caf\u00e9", "cafe\u0301", r", stored as 'caf\xe9' and 'cafe\u0301'"),
    ],
)
def test_two_spellings_of_a_class_are_refused_and_three_classes_are_not(one: str, other: str, stored: str) -> None:
    require_distinct_classes(Path("here"), [one, "ben", "carl"])
    with pytest.raises(AudionetError) as told:
        require_distinct_classes(Path("here"), [one, "ben", other])
    assert str(told.value) == (
        f"here: the classes {one!r} and {other!r} differ only in upper and lower case, in spaces or in how accents are "
        f"stored{stored}; make one class of them, or rename one"
    )


def test_nothing_lies_wrong_where_there_is_no_folder(tmp_path: Path) -> None:
    assert stray_files(tmp_path / "gone") == []


@pytest.mark.parametrize("name", ["x.bak", "Dr.Part", "old.tmp", "vs.Temp", "seen.als", "take.download"])
def test_a_folder_is_a_class_whatever_its_name_ends_in(tmp_path: Path, name: str) -> None:
    touch(
        tmp_path,
        f"{name}/1.wav",
        f"{name}/2.wav",
        f"{name}/3.wav.part",
        f"{name}/deep.bak/4.wav",
        f"{name}/5_nohash_0.jpg",
    )
    found = [f"{name}/1.wav", f"{name}/2.wav", f"{name}/deep.bak/4.wav"]
    assert [recording.key for recording in find_recordings(tmp_path)[0]] == found
    assert [path.relative_to(tmp_path).as_posix() for path in find_clips([tmp_path])] == sorted(
        [*found, f"{name}/5_nohash_0.jpg"]
    )
    assert [class_name for class_name, _, _ in find_pictures(tmp_path)] == [name]


def test_a_download_of_safari_is_a_folder_that_is_passed_over(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.wav", "a/2.mp3.download/2.mp3")
    assert [recording.key for recording in find_recordings(tmp_path)[0]] == ["a/1.wav"]
