"""Cases that users of such tools have reported, where they are of no one folder."""

import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from audionet.audio.decoding import decode
from audionet.audio.ffmpeg import find_ffmpeg
from audionet.dataset.folders import find_recordings
from audionet.settings import PictureSettings
from tests.conftest import Run, make_untrained_model, pitch_hz, run_program, tone, write_wav

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
        command = [*limited, "label", "data", "--graph", "retrained_graph.pb"]
        run_program(command, folder=tmp_path, variables=poor | {"TMPDIR": str(tmp_path / "none")})


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
        assert re.search(
            rf"{said}.* \(skipped\)\n.*no clip could be labelled", audionet_here.refused("label", clip, *model)
        )
    assert "sounds.zip: is an address, where a place on this computer is needed" in audionet_here.refused(
        "prepare", "https://example.org/sounds.zip"
    )
