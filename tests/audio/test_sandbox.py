"""A recording from a stranger: ffmpeg opens that file and no other, and no address, and is limited in all it does."""

import errno
import json
import os
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from audionet.audio import ffmpeg, plain_files
from audionet.commands.prepare import prepare
from audionet.errors import AudionetError, UnusableInput
from audionet.options import PrepareOptions
from audionet.settings import SAMPLE_RATE_HZ, PictureSettings
from tests.bad_inputs import encoded, id3
from tests.conftest import Run, chirps, make_untrained_model, tone, write_wav
from tests.served import Served

HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{}\n#EXT-X-ENDLIST\n"
DASH = """<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"
mediaPresentationDuration="PT2S" profiles="urn:mpeg:dash:profile:isoff-main:2011"><Period><AdaptationSet
mimeType="audio/wav"><Representation id="0" bandwidth="1"><BaseURL>{}</BaseURL></Representation></AdaptationSet>
</Period></MPD>"""
SCRIPTS = {
    "concat": "ffconcat version 1.0\nfile '{}'\n",
    "hls": HLS,
    "dash": DASH,
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\na=control:{}\nm=audio 5004 RTP/AVP 0\n",
    "ram": "{}\n",
    "smil": '<smil><body><audio src="{}"/></body></smil>',
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    served = Served(write_wav(tmp_path / "served.wav", tone(440, 2)).read_bytes(), "secret.wav")
    yield served
    served.stop()


def trusting_ffmpeg(path: Path, *options: str) -> bytes:
    """What ffmpeg makes of a file that it is free to believe."""
    command = [ffmpeg.find_ffmpeg(), "-nostdin", "-v", "quiet", *options, "-i", str(path)]
    return subprocess.run([*command, "-f", "s16le", "pipe:1"], capture_output=True, timeout=60, check=False).stdout


@pytest.mark.parametrize("kind", sorted(SCRIPTS))
@pytest.mark.parametrize("target", ["secret.wav", "file", "http"])
def test_a_list_that_calls_itself_mp3_opens_no_other_file_and_no_address(
    tmp_path: Path, server: Served, kind: str, target: str
) -> None:
    secret = write_wav(tmp_path / "secret.wav", tone(440, 2))
    target = {"file": f"file:{secret}", "http": server.address}.get(target, target)
    for ending in ("mp3", "wav"):
        path = tmp_path / f"song.{ending}"
        path.write_text(SCRIPTS[kind].format(target))
        with pytest.raises(UnusableInput, match=r"song.\w+: is not audio that ffmpeg can read"):
            list(ffmpeg.decode(path))
    assert server.requests == []


def test_such_a_list_would_work_if_ffmpeg_were_not_told_otherwise(tmp_path: Path, server: Served) -> None:
    write_wav(tmp_path / "secret.wav", tone(440, 2))
    (tmp_path / "song.mp3").write_text(SCRIPTS["concat"].format("secret.wav"))
    assert len(trusting_ffmpeg(tmp_path / "song.mp3")) == 2 * 2 * SAMPLE_RATE_HZ
    (tmp_path / "song.mp3").write_text(SCRIPTS["concat"].format(server.address))
    trusting_ffmpeg(tmp_path / "song.mp3", "-safe", "0", "-protocol_whitelist", "file,http,tcp")
    assert "/secret.wav" in server.requests


def test_a_name_that_is_an_address_or_a_protocol_is_a_name(
    tmp_path: Path, server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (server.address, "concat:served.wav|served.wav", "subfile,,start,0,end,0,,:served.wav", "pipe:0"):
        with pytest.raises(UnusableInput, match="is an address" if name == server.address else "cannot be read"):
            list(ffmpeg.decode(Path(name)))
    assert server.requests == []


def test_more_sound_than_anyone_records_is_refused_and_leaves_no_pictures(
    two_classes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wav(two_classes / "low" / "endless.wav", chirps(0, 200, 400, 80))
    monkeypatch.setattr(plain_files, "is_plain", lambda _: False)  # as if it were too long for it
    monkeypatch.setattr(ffmpeg, "LONGEST_HOURS", 40 / 3600)
    pictures = tmp_path / "pictures"
    report = prepare(two_classes, PrepareOptions(pictures, PictureSettings(1, 0)))
    (skipped,) = report.skipped
    assert (Path(skipped.path).name, skipped.reason.split(";")[1]) == ("endless.wav", " cut it into parts")
    assert report.made == 8
    assert list(pictures.glob("*/endless*")) == []


def fake_ffmpeg(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "fake-ffmpeg"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(ffmpeg, "find_ffmpeg", lambda: str(program))


def test_an_ffmpeg_that_hangs_is_ended_and_the_limit_grows_with_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ffmpeg(tmp_path, "exec sleep 600", monkeypatch)
    monkeypatch.setattr(ffmpeg, "WAIT_SECONDS", 0.25)
    monkeypatch.setattr(ffmpeg, "WAIT_SECONDS_PER_MB", 0.75)
    path = tmp_path / "a.wav"
    path.write_bytes(bytes(1_000_000))
    with pytest.raises(UnusableInput, match=r"a\.wav: keeps ffmpeg busy for more than 1 seconds"):
        list(ffmpeg.decode(path))


def test_an_ffmpeg_that_breaks_down_in_the_middle_does_not_count_as_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ffmpeg(tmp_path, "head -c 64000 /dev/zero; kill -SEGV $$", monkeypatch)
    with pytest.raises(UnusableInput, match="makes ffmpeg break down"):
        list(ffmpeg.decode(write_wav(tmp_path / "a.wav", tone(440, 1))))


def test_more_sound_than_a_file_of_its_size_can_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ffmpeg(tmp_path, "yes zzzzzzz | head -c 60000000", monkeypatch)
    (tmp_path / "small.flac").write_bytes(bytes(1000))
    with pytest.raises(UnusableInput, match=r"gives more sound than 1000 bytes can hold; convert it"):
        list(ffmpeg.decode(tmp_path / "small.flac"))
    (tmp_path / "larger.flac").write_bytes(bytes(100_000))
    assert sum(map(len, ffmpeg.decode(tmp_path / "larger.flac"))) == 15_000_000


def test_complaints_without_end_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ffmpeg(tmp_path, "yes 'invalid frame' | head -c 30000000 >&2; head -c 64000 /dev/zero", monkeypatch)
    (samples,) = ffmpeg.decode(write_wav(tmp_path / "a.wav", tone(440, 1)))
    assert len(samples) == 16000


@pytest.mark.skipif(sys.platform != "linux", reason="no such limit")
def test_ffmpeg_has_two_gigabytes_of_memory_in_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ffmpeg(tmp_path, 'until [ "$(ulimit -v)" = 2097152 ]; do :; done; head -c 64000 /dev/zero', monkeypatch)
    monkeypatch.setattr(ffmpeg, "WAIT_SECONDS", 20)
    (samples,) = ffmpeg.decode(write_wav(tmp_path / "a.wav", tone(440, 1)))
    assert len(samples) == 16000


def png(width: int, height: int) -> bytes:
    """A PNG that claims a size that it does not hold."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 6, 0, 0, 0])
    image = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + image


def test_a_cover_that_claims_gigabytes_costs_nothing(tmp_path: Path) -> None:
    cover = b"\0image/png\0\x03\0" + png(30_000, 30_000)
    frame = b"APIC" + len(cover).to_bytes(4, "big") + b"\0\0" + cover
    path = tmp_path / "covered.mp3"
    path.write_bytes(id3(frame) + encoded("mp3"))
    assert len(np.concatenate(list(ffmpeg.decode(path)))) >= 2 * SAMPLE_RATE_HZ


def test_standard_input_that_does_not_fit_on_the_disk_is_a_sentence(tmp_path: Path) -> None:
    model = make_untrained_model(tmp_path, PictureSettings(1, 0))
    command = (
        f"ulimit -f 2000; exec '{sys.executable}' -m audionet label - --graph '{model.graph}' --labels '{model.labels}'"
    )
    finished = subprocess.run(["bash", "-c", command], input=bytes(1 << 22), capture_output=True, check=False)
    assert finished.returncode == 2
    line, last = finished.stderr.decode().splitlines()
    assert line.startswith("audionet: -: cannot be saved in ")
    assert line.endswith("(File too large); free space, or name a file instead (skipped)")
    assert last == "audionet: no clip could be labelled"


def test_a_name_that_is_no_unicode_stands_in_json_as_it_is(tmp_path: Path, audionet: Run) -> None:
    model = make_untrained_model(tmp_path, PictureSettings(1, 0))
    clip = write_wav(tmp_path / os.fsdecode(b"caf\xe9.wav"), tone(440, 1))
    finished = audionet("label", clip, "--format", "json", "--graph", model.graph)
    assert json.loads(finished.stdout)[0]["clip"] == str(clip)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_too_many_open_files_are_not_taken_for_a_broken_ffmpeg(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, "refused")

    path = write_wav(tmp_path / "a.wav", tone(440, 1))
    ffmpeg.find_ffmpeg()  # which may start programs too
    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(AudionetError, match=r"too many files are open; raise the limit \(ulimit -n\)"):
        list(ffmpeg.decode(path))
