"""Cases that users of such tools have reported: what each gets, and the test that holds it to that.

Where no other test does, it is here.
"""

import ast
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from audionet.audio.decoding import decode
from audionet.audio.ffmpeg import find_ffmpeg
from audionet.dataset.folders import find_recordings
from audionet.settings import PictureSettings
from tests.conftest import ROOT, Run, make_untrained_model, pitch_hz, tone, write_wav


class Case(NamedTuple):
    """What was tried, what it gets now, and the tests that say so (`file::test`)."""

    tried: str
    gets: str
    tests: str


CASES = {
    1: Case(
        "six calls of 1.5 s in three minutes of background, --timeline and --events",
        "six short segments, six events",
        "inference/test_events.py::test_six_calls_of_a_second_and_a_half_are_found_and_saved_and_no_other "
        "inference/test_events.py::test_a_timeline_has_the_same_calls",
    ),
    2: Case(
        "UrbanSound8K with its table beside the folds, or pointed at audio; ESC-50's table in its root; their parent",
        "the table's labels and folds; of the parent, a sentence that names the folder",
        "annotation/test_tables.py::test_urbansound8k_is_known_in_its_usual_disguises "
        "annotation/test_tables.py::test_esc50_is_known_in_its_usual_disguises "
        "annotation/test_tables.py::test_parts_of_a_data_set_are_not_taken_for_classes",
    ),
    3: Case(
        "a table with start and end, two labels of one file, `a;b` as a label",
        "the marked seconds; both, with a warning; a question",
        "commands/test_prepare_parts.py::test_a_table_with_start_and_end_learns_those_seconds_alone "
        "annotation/test_parts.py::test_classes_heard_at_once_are_said_and_both_learnt_or_refused "
        "annotation/test_tables.py::test_two_labels_of_one_recording_are_both_learnt_and_said "
        "annotation/test_tables.py::test_what_can_not_be_used_is_said_with_line_and_remedy",
    ),
    4: Case(
        "tables with semicolons, tabs, sep=, other columns, UTF-16, Windows-1252, other bases, suffixes and systems",
        "are read; else a sentence with file, line, what was found and looked for",
        "annotation/test_tables.py::test_a_table_is_read_however_it_was_written "
        "annotation/test_tables.py::test_absolute_paths_in_the_folder_are_read "
        "annotation/test_tables.py::test_what_can_not_be_used_is_said_with_line_and_remedy",
    ),
    5: Case(
        "text where the Python functions take paths, one clip where they take several",
        "works",
        "test_api.py::test_text_is_taken_for_paths_everywhere "
        "test_api.py::test_every_path_among_the_options_may_be_text "
        "test_api.py::test_a_clip_may_be_any_path_and_any_list_of_one",
    ),
    6: Case(
        "9 to 64 channels without a layout",
        "are read, in equal parts",
        "audio/test_channels.py::test_many_channels_without_a_layout_are_mixed_in_equal_parts",
    ),
    7: Case(
        "stereo whose channels are in antiphase",
        "the louder channel is heard, and that is said once",
        "audio/test_channels.py::test_channels_in_antiphase_are_noticed_and_the_louder_one_heard "
        "audio/test_channels.py::test_antiphase_is_noticed_after_long_silence_too",
    ),
    8: Case(
        "a film with a silent first and a default second track",
        "the default track; --track",
        "audio/test_channels.py::test_the_default_track_is_heard_or_the_one_asked_for",
    ),
    9: Case(
        "bats at 384 kHz",
        "what is lost, and what to do",
        "test_bandwidth.py::test_prepare_label_and_retrain_name_the_option",
    ),
    10: Case(
        "the sample clips with the hum of the mains, or as a telephone has them",
        "right, one at most unknown",
        "test_end_to_end.py::test_what_nobody_hears_does_not_decide",
    ),
    11: Case(
        "a class called unknown",
        "is refused, from folders and tables",
        "dataset/test_folders.py::test_no_class_is_called_as_clips_of_none_are "
        "annotation/test_tables.py::test_what_can_not_be_used_is_said_with_line_and_remedy",
    ),
    12: Case(
        "a drive's root with $RECYCLE.BIN, __MACOSX, @eaDir, .sfk, .reapeaks and the like",
        "passed over",
        "dataset/test_folders.py::test_what_systems_editors_and_downloads_leave_is_passed_over_and_named_only_if_asked",
    ),
    13: Case(
        "standard output, error or input closed",
        "works",
        "system/test_standard_streams.py::test_commands_work_whatever_stream_is_closed "
        "system/test_standard_streams.py::test_streams_that_python_does_not_have_are_replaced",
    ),
    14: Case(
        "names of Speech Commands",
        "one speaker's takes stay on one side",
        "annotation/test_tables.py::test_names_up_to_nohash_are_a_group_as_google_has_it "
        "training/test_split.py::test_a_speaker_of_several_words_is_in_one_fold",
    ),
    15: Case(
        "unfinished downloads",
        "passed over",
        "dataset/test_folders.py::test_what_systems_editors_and_downloads_leave_is_passed_over_and_named_only_if_asked",
    ),
    16: Case(
        "a model that was moved or renamed, labels with CRLF or BOM",
        "found beside the graph, or in the folder; read",
        "test_api.py::test_labels_lie_beside_the_graph_wherever_that_is "
        "test_api.py::test_a_folder_stands_for_the_model_in_it_whatever_that_is_called "
        "test_api.py::test_a_model_that_is_not_there_is_called_as_it_was_typed",
    ),
    17: Case(
        "evaluate on a table, on UrbanSound8K",
        "as prepare",
        "commands/test_evaluate.py::test_clips_that_a_table_labels_are_counted_as_prepare_would_learn_them",
    ),
    18: Case(
        "empty lines in a table before a wrong row",
        "the editor's number of the line",
        "annotation/test_tables.py::test_what_can_not_be_used_is_said_with_line_and_remedy",
    ),
    21: Case(
        "two voices, left and right",
        "--channel left, right or each",
        "audio/test_channels.py::test_label_takes_each_channel_for_a_clip",
    ),
    22: Case("formats of recorders, editors and telephones", "read", "test_cases.py::test_formats_are_read"),
    23: Case(
        "WAVs with a size of 0, cut off, with chunks before and behind the sound",
        "read",
        "test_cases.py::test_wavs_as_recorders_leave_them_are_read",
    ),
    24: Case(
        "long recordings",
        "blocks of them are in memory, never the whole",
        "audio/test_ffmpeg.py::test_a_long_recording_arrives_whole_and_in_blocks "
        "parallel/test_threads.py::test_one_long_item_is_shared_and_only_what_is_worked_on_is_held "
        "plots/test_clip.py::test_memory_is_bounded_and_sounds_stay_in_their_places",
    ),
    25: Case(
        "HOME and TMPDIR unset or gone, 32 open files, 600 MB of address space; one core; a reader that leaves",
        "works; else the limit is named",
        "test_cases.py::test_a_poor_environment_is_enough "
        "audio/test_sandbox.py::test_too_many_open_files_are_not_taken_for_a_broken_ffmpeg "
        "parallel/test_threads.py::test_threads_that_cannot_start_are_a_sentence_or_fewer_threads "
        "system/test_interruption.py::test_output_that_nobody_can_take_is_a_sentence_or_silence",
    ),
    26: Case("LANG=C, names in Cyrillic and Chinese", "whole", "test_cases.py::test_a_poor_environment_is_enough"),
    27: Case(
        "read-only recordings and folders",
        "work, or a sentence",
        "commands/test_prepare.py::test_the_recordings_are_never_written_to "
        "cli/test_main.py::test_an_unwritable_folder_is_one_sentence",
    ),
    19: Case(
        "the sample clips after or before silence, after faint noise",
        "right, one at most unknown",
        "test_end_to_end.py::test_what_nobody_hears_does_not_decide",
    ),
    20: Case(
        "Audacity labels, a Raven table asked for, or given to prepare",
        "there; learnt",
        "formats/test_tools.py::test_audacity_labels_are_read_by_crowsetta "
        "formats/test_tools.py::test_a_raven_selection_table_is_read_by_crowsetta "
        "annotation/test_beside.py::test_what_lies_beside_a_recording_is_about_it "
        "test_annotated.py::test_hand_made_annotations_train_a_model_that_finds_the_calls_of_another_night",
    ),
    28: Case(
        "notebooks, threads, processes of any kind",
        "no hang, and the same bytes",
        "test_api.py::test_a_notebook_shows_how_far_the_work_is "
        "parallel/test_sandbox.py::test_it_answers_many_threads_each_with_its_own "
        "parallel/test_sandbox.py::test_it_can_be_pickled_as_for_a_cluster "
        "commands/test_prepare.py::test_the_number_of_jobs_makes_no_difference",
    ),
    29: Case(
        "a class renamed, a recording moved or deleted, a class deleted, two that change places",
        "the folder of a fresh start, and its model",
        "commands/test_prepare_follows.py::test_after_a_change_the_folder_is_that_of_a_fresh_start "
        "commands/test_prepare_follows.py::test_recordings_of_one_size_and_time_do_not_hide_a_change "
        "commands/test_prepare_follows.py::test_a_corrected_label_gives_the_model_of_a_fresh_start",
    ),
    30: Case("120 classes", "are found", "test_cases.py::test_many_classes_are_found"),
    31: Case(
        "one recording in two classes",
        "a warning",
        "dataset/test_checks.py::test_the_same_sound_in_two_classes_is_found_by_its_picture",
    ),
    33: Case(
        "`.MP3`, `prepare .`, an address, a glob without match",
        "work, or a sentence",
        "test_cases.py::test_what_is_no_usual_path_works_or_gets_a_sentence",
    ),
}
# 32 is of versions of Python: the workflow runs all tests with the oldest and the newest.


@pytest.mark.parametrize("number", CASES)
def test_each_case_has_its_test(number: int) -> None:
    for named in CASES[number].tests.split():
        file, _, test = named.partition("::")
        tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
        assert test in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, named


FORMATS = {
    "24 bits": "-c:a pcm_s24le a.wav",
    "5.1": "-af pan=5.1|FL=c0|FR=c0|FC=c0|LFE=c0|BL=c0|BR=c0 -c:a pcm_s24le a.wav",
    "A-law": "-c:a pcm_alaw a.wav",
    "mu-law": "-c:a pcm_mulaw a.wav",
    "IMA ADPCM": "-c:a adpcm_ima_wav a.wav",
    "MS ADPCM": "-c:a adpcm_ms a.wav",
    "G.726": "-ar 8000 -c:a g726 a.wav",
    "AC-3 in WAV": "-ar 48000 -c:a ac3 a.wav",
    "MP3 in WAV": "-c:a libmp3lame a.wav",
    "RF64": "-rf64 always a.wav",
    "W64": "a.w64",
    "CAF": "a.caf",
    "AIFF": "a.aiff",
    "AU": "a.au",
    "VOC": "a.voc",
    "FLAC": "a.flac",
    "MP3": "a.mp3",
    "Ogg": "a.ogg",
    "Matroska": "a.mkv",
    "Opus": "-ar 48000 -c:a libopus a.opus",
    "Speex": "-c:a libspeex a.spx",
    "ADTS": "-c:a aac a.aac",
    "M4A": "-c:a aac a.m4a",
    "WMA": "-c:a wmav2 a.wma",
    "WavPack": "a.wv",
    "TTA": "a.tta",
    "WebM": "-ar 48000 -c:a libopus a.webm",
    "MPEG-TS": "-ar 48000 -c:a mp2 a.ts",
}


@pytest.mark.parametrize("name", FORMATS)
def test_formats_are_read(name: str, tmp_path: Path) -> None:
    source = write_wav(tmp_path / "source.wav", tone(1000, 1, 0.3))
    *options, target = FORMATS[name].split()
    command = [find_ffmpeg(), "-v", "error", "-i", str(source), *options, str(tmp_path / target)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this ffmpeg can't write it")
    # Static builds of 4.2 and 7.0 break down at what they have written themselves, an MPEG-TS, whoever calls them.
    command = [find_ffmpeg(), "-v", "error", "-i", str(tmp_path / target), "-f", "null", "-"]
    if subprocess.run(command, capture_output=True, check=False).returncode < 0:
        pytest.skip("this ffmpeg breaks down at it")
    assert pitch_hz(np.concatenate(list(decode(tmp_path / target)))) == pytest.approx(1000, abs=5)


def test_wavs_as_recorders_leave_them_are_read(tmp_path: Path) -> None:
    plain = write_wav(tmp_path / "a.wav", tone(1000, 1, 0.3)).read_bytes()
    unfinished = plain[:40] + struct.pack("<I", 0) + plain[44:]
    comment = b"LIST" + struct.pack("<I", 22) + b"INFOICMT" + struct.pack("<I", 10) + b"Recorded 1"
    guano = b"guan" + struct.pack("<I", 14) + b"GUANO|Version:"
    bext = b"bext" + struct.pack("<I", 602) + bytes(602)
    for name, data in (
        ("size 0", unfinished),
        ("cut off", plain[: len(plain) // 2]),
        ("comment before", plain[:36] + comment + plain[36:]),
        ("bext before", plain[:12] + bext + plain[12:]),
        ("guano behind", plain + guano),
    ):
        path = tmp_path / f"{name}.wav"
        path.write_bytes(data)
        assert pitch_hz(np.concatenate(list(decode(path)))) == pytest.approx(1000, abs=5), name


def test_a_poor_environment_is_enough(tmp_path: Path, audionet: Run) -> None:
    make_untrained_model(tmp_path, PictureSettings(1, 0))
    for name in ("Анна", "小明"):
        write_wav(tmp_path / "data" / name / f"{name}.wav", tone(1000, 1, 0.3))
    poor = {"HOME": "", "LANG": "C", "LC_ALL": "C"}
    assert audionet("prepare", "data", "--chunk-seconds", 1, env=poor).returncode == 0
    assert (tmp_path / "tf_files" / "data_image" / "小明" / "小明_nohash_0000.jpg").is_file()
    labelled = audionet("label", "data", "--format", "csv", "--graph", "retrained_graph.pb", env=poor)
    assert "data/Анна/Анна.wav" in labelled.stdout
    if sys.platform == "linux":  # other systems do not hold a program to it
        limited = ["sh", "-c", 'ulimit -v 600000 -n 32; exec "$@"', "sh", sys.executable, "-m", "audionet"]
        finished = subprocess.run(
            [*limited, "label", "data", "--graph", "retrained_graph.pb"],
            cwd=tmp_path,
            env=os.environ | poor | {"TMPDIR": str(tmp_path / "none")},
            capture_output=True,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr


def test_many_classes_are_found(tmp_path: Path) -> None:
    for n in range(120):
        (tmp_path / f"class {n:03d}").mkdir()
        (tmp_path / f"class {n:03d}" / "x.mp3").touch()
    recordings, wrong = find_recordings(tmp_path)
    assert (len({recording.class_name for recording in recordings}), wrong) == (120, [])


def test_what_is_no_usual_path_works_or_gets_a_sentence(tmp_path: Path, audionet_here: Run) -> None:
    make_untrained_model(tmp_path, PictureSettings(1, 0))
    write_wav(tmp_path / "data" / "a" / "LOUD.MP3", tone(1000, 1, 0.3))
    assert audionet_here("prepare", ".", "--image-dir", "../pictures", cwd=tmp_path / "data").returncode == 0
    shutil.rmtree(tmp_path.parent / "pictures", ignore_errors=True)
    model = ["--graph", tmp_path / "retrained_graph.pb"]
    for clip, said in (
        ("https://example.org/a.mp3", "is an address; download what is there, and name the file"),
        ("S3://bucket/a.wav", "is an address"),
        ("data/*.ogg", "cannot be read"),
        ("C:/data/a.wav", "cannot be read"),
    ):
        finished = audionet_here("label", clip, *model)
        assert finished.returncode == 2
        assert re.search(rf"{said}.* \(skipped\)\n.*no clip could be labelled", finished.stderr)
    refused = audionet_here("prepare", "https://example.org/sounds.zip")
    assert refused.returncode == 2
    assert "sounds.zip: is an address, where a place on this computer is needed" in refused.stderr
