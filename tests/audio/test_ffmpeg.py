import re
import struct
import subprocess
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from audionet.audio import ffmpeg
from audionet.audio.channels import USUAL
from audionet.audio.decoding import decode
from audionet.errors import AudionetError, UnusableInput
from audionet.settings import SAMPLE_RATE_HZ
from tests.bad_inputs import encoded, unfinished
from tests.conftest import chirps, pitch_hz, tone, write_wav


def decoded(path: Path) -> np.ndarray:
    return np.concatenate(list(ffmpeg.decode(path)))


@pytest.fixture
def fresh_search() -> None:
    """Forget which ffmpeg was found, before and after."""
    ffmpeg.find_ffmpeg.cache_clear()


def test_samples_at_the_right_rate_arrive_unchanged(tmp_path: Path) -> None:
    samples = tone(440, 3)
    assert np.array_equal(decoded(write_wav(tmp_path / "a.wav", samples)), samples)


def wav_of(data: bytes, bits: int, *, valid_bits: int = 0, is_float: bool = False, order: str = "<") -> bytes:
    """A WAV, or RIFX, of 16 kHz, mono. valid_bits: what of a sample's bits is used, if the header has that."""
    kind = 3 if is_float else 1
    form = struct.pack(f"{order}HHIIHH", 0xFFFE if valid_bits else kind, 1, 16000, 2000 * bits, bits // 8, bits)
    if valid_bits:
        form += struct.pack(f"{order}HHIH", 22, valid_bits, 4, kind) + bytes.fromhex("000000001000800000aa00389b71")
    lengths = [struct.pack(f"{order}I", length) for length in (20 + len(form) + len(data), len(form), len(data))]
    name = b"RIFF" if order == "<" else b"RIFX"
    return name + lengths[0] + b"WAVEfmt " + lengths[1] + form + b"data" + lengths[2] + data


SOUND = chirps(3, 300, 3000, 1)
IN_32_BITS = (SOUND.astype("<i4") << 16).tobytes()
W64_MARK = bytes.fromhex("f3acd3118cd100c04f8edb8a")
MISREAD = {
    "24 bits in 32": wav_of(IN_32_BITS, 32, valid_bits=24),
    "20 bits in 32": wav_of(IN_32_BITS, 32, valid_bits=20),
    "16 bits in 32, after another chunk": wav_of(IN_32_BITS, 32, valid_bits=16).replace(
        b"fmt ", b"bext\3\0\0\0abc\0fmt ", 1
    ),
    "more bits than there are": wav_of(SOUND.tobytes(), 16, valid_bits=24),
    "24 bits in 32, W64": b"".join(
        [
            b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000") + struct.pack("<Q", 152 + len(IN_32_BITS)),
            b"wave" + W64_MARK + b"fmt " + W64_MARK + struct.pack("<Q", 64),
            wav_of(b"", 32, valid_bits=24)[20:60] + b"data" + W64_MARK + struct.pack("<Q", 24 + len(IN_32_BITS)),
            IN_32_BITS,
        ]
    ),
    "RIFX": wav_of(SOUND.astype(">i2").tobytes(), 16, order=">"),
    "RIFX of 32-bit float": wav_of((SOUND / 32768).astype(">f4").tobytes(), 32, is_float=True, order=">"),
}


@pytest.mark.parametrize("what", MISREAD)
def test_samples_that_ffmpeg_takes_for_others_by_itself_arrive_unchanged(tmp_path: Path, what: str) -> None:
    """It makes noise of them: of the upper half of the numbers, of the lower byte first, of whole numbers as float."""
    path = tmp_path / "a.wav"
    path.write_bytes(MISREAD[what])
    assert np.array_equal(decoded(path), SOUND)
    assert np.array_equal(soundfile.read(path)[0] * 32768, SOUND)


def caf_of(data: bytes, block_bytes: int, bits: int, flags: int, channels: int = 1) -> bytes:
    """A CAF of 16 kHz. flags: 1 for floating point, 2 for the lowest byte first."""
    form = struct.pack(">d4sIIIII", 16000, b"lpcm", flags, block_bytes, 1, channels, bits)
    sizes = [struct.pack(">q", size) for size in (len(form), len(data) + 4)]
    return b"caff\0\1\0\0desc" + sizes[0] + form + b"data" + sizes[1] + bytes(4) + data


@pytest.mark.parametrize(
    "content",
    [
        caf_of((SOUND.astype(">i4") << 16).astype(">i4").tobytes(), 4, 24, 0),
        caf_of(IN_32_BITS, 4, 20, 2),
        caf_of(np.repeat(np.frombuffer(IN_32_BITS, "<i4"), 2).tobytes(), 8, 24, 2, channels=2),
        caf_of(SOUND.astype(">i2").tobytes(), 2, 12, 0),
        caf_of((SOUND / 32768).astype("<f4").tobytes(), 4, 32, 3),
    ],
    ids=["24 bits in 32", "20 bits in 32", "stereo", "12 bits in 16", "float"],
)
def test_samples_that_do_not_fill_their_bytes_in_a_caf_arrive_unchanged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.caf"
    path.write_bytes(content)
    assert np.array_equal(decoded(path), SOUND)


def test_a_long_wav_that_was_never_finished_is_heard_to_its_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.wav"
    for length in (0, len(SOUND) * 2):
        path.write_bytes(unfinished(wav_of(SOUND.tobytes(), 16), length))
        assert np.array_equal(decoded(path), SOUND)
    before, data, sound = wav_of(SOUND.tobytes(), 16).partition(b"data")
    path.write_bytes(before + data + struct.pack("<I", 2000) + sound[4:])  # as of over 4 GB: the rest of it
    assert np.array_equal(decoded(path), SOUND)
    assert "a.wav: holds 1 s of sound, of which its header tells of 0.1 s; all are used" in caplog.text


@pytest.mark.parametrize(
    ("container", "codec", "lengths"),
    [
        ("aiff", "pcm_s16be", [(b"FORM", 4), (b"SSND", 4)]),
        ("aiff", "pcm_s24be", [(b"FORM", 4), (b"COMM", 10), (b"SSND", 4)]),
        ("aiff", "pcm_s16le", [(b"FORM", 4)]),  # AIFF-C
        ("aiff", "pcm_f32be", [(b"FORM", 4), (b"SSND", 4)]),
        ("w64", "pcm_s16le", [(b"riff", 16), (b"data\xf3\xac", 16)]),
        ("w64", "pcm_f32le", [(b"data\xf3\xac", 16)]),
    ],
)
def test_aiff_and_w64_that_were_never_finished_are_heard_to_their_end(
    tmp_path: Path, container: str, codec: str, lengths: list[tuple[bytes, int]]
) -> None:
    source = write_wav(tmp_path / "a.wav", SOUND)
    path = tmp_path / f"a.{container}"
    subprocess.run([ffmpeg.find_ffmpeg(), "-v", "error", "-i", str(source), "-c:a", codec, str(path)], check=True)
    content = bytearray(path.read_bytes())
    for mark, place in lengths:
        start, size = content.index(mark) + place, 8 if container == "w64" else 4
        content[start : start + size] = bytes(size)
    path.write_bytes(content)
    assert np.array_equal(decoded(path), SOUND)


def test_a_long_recording_arrives_whole_and_in_blocks(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).integers(-9999, 9999, 100 * SAMPLE_RATE_HZ).astype(np.int16)
    blocks = list(ffmpeg.decode(write_wav(tmp_path / "a.wav", samples)))
    assert len(blocks) > 1
    assert np.array_equal(np.concatenate(blocks), samples)


def test_stereo_at_44_khz_becomes_mono_at_16_khz(tmp_path: Path) -> None:
    left, right = tone(500, 2, 0.6, 44100), tone(500, 2, 0.2, 44100)
    path = write_wav(tmp_path / "a.wav", np.stack([left, right], axis=1), 44100)
    samples = decoded(path)
    assert len(samples) == pytest.approx(2 * SAMPLE_RATE_HZ, abs=32)
    spectrum = np.abs(np.fft.rfft(samples[:SAMPLE_RATE_HZ].astype(float)))
    assert np.argmax(spectrum) == 500
    assert spectrum[500] / (SAMPLE_RATE_HZ / 2) == pytest.approx(0.4 * 32767, rel=0.02)


@pytest.mark.parametrize("name", ["-i.wav", "a:b.wav", "50% of 'it'.wav", 'say "é".wav', "%03d.wav"])
def test_no_name_is_taken_for_an_option_an_address_or_a_pattern(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = tone(440, 1)
    write_wav(tmp_path / name, samples)
    monkeypatch.chdir(tmp_path)
    assert np.array_equal(decoded(Path(name)), samples)


CUT_OFF = {
    "wav": "",
    "rf64.wav": "-rf64 always",
    "adpcm.wav": "-c:a adpcm_ms",
    "w64": "",
    "caf": "",
    "aiff": "",
    "au": "",
    "flac": "",
    "mp3": "-b:a 64k",
    "m4a": "-movflags faststart",
    "mka": "-c:a pcm_s16le",
    "avi": "-c:a pcm_s16le",
    "wma": "",
}


@pytest.mark.parametrize("name", CUT_OFF)
def test_of_a_recording_that_is_cut_off_it_is_said_how_much_is_there(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    noise = np.random.default_rng(0).integers(-9999, 9999, 8 * SAMPLE_RATE_HZ).astype(np.int16)
    path = encode(noise, tmp_path / f"a.{name}", options=CUT_OFF[name])
    assert len(decoded(path)) / SAMPLE_RATE_HZ == pytest.approx(8, abs=0.2)
    assert caplog.text == ""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 3 // 4 + 1])
    there = len(decoded(path)) / SAMPLE_RATE_HZ
    assert there == pytest.approx(6, abs=0.3)
    (said,) = re.findall(
        rf"{path}: is cut off: of the (?:7.9|8|8.1) s of .* that its header promises, (.*) s are", caplog.text
    )
    assert float(said) == pytest.approx(there, abs=0.06)


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv"])
def test_of_a_film_that_is_cut_off_it_is_said_how_much_sound_is_there(
    tmp_path: Path, steps: np.ndarray, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    options = "-map 0:v -map 1:a -c:v mpeg4 -c:a aac -movflags faststart"
    path = encode(steps, tmp_path / name, "-f lavfi -i testsrc=s=160x120:d=8", options)
    decoded(path)
    assert caplog.text == ""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert 3 < len(decoded(path)) / SAMPLE_RATE_HZ < 5
    assert re.search(
        rf"{path}: is cut off: of the 8(.1)? s of sound that its header promises, (3|4).* s are", caplog.text
    )


FRAGMENTS = "-movflags frag_keyframe+empty_moov+default_base_moof -frag_duration 1000000"


@pytest.mark.parametrize("name", ["a.ogg", "a.opus", "a.m4a"])
def test_of_a_recording_that_ends_within_a_piece_it_is_said_that_it_is_cut_off(
    tmp_path: Path, steps: np.ndarray, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = encode(steps, tmp_path / name, options=FRAGMENTS if name == "a.m4a" else "")
    decoded(path)
    assert caplog.text == ""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 3 // 4])
    assert 3 < len(decoded(path)) / SAMPLE_RATE_HZ < 7
    assert f"{path}: is cut off, for its last piece is not whole; what is there is used" in caplog.text


def test_what_a_radio_sent_may_begin_and_end_at_any_moment(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = encode(tone(440, 20), tmp_path / "a.opus")
    content = path.read_bytes()
    pages = [page.start() for page in re.finditer(b"OggS", content)]
    path.write_bytes(content[: pages[2]] + content[pages[10] : -100])
    assert 8 < len(decoded(path)) / SAMPLE_RATE_HZ < 12
    assert caplog.text == ""


def test_a_segment_of_a_longer_recording_is_no_recording_that_is_cut_off(
    tmp_path: Path, steps: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    encode(steps, tmp_path / "%d.m4a", options="-f segment -segment_time 2")
    assert len(decoded(tmp_path / "2.m4a")) / SAMPLE_RATE_HZ == pytest.approx(2, abs=0.1)
    assert caplog.text == ""


@pytest.mark.parametrize(
    "name", ["a.wav", "chunk.wav", "a.aiff", "a.caf", "a.w64", "a.m4a", "fragments.m4a", "a.wma", "a.flac"]
)
def test_another_recording_behind_the_end_of_one_is_told_of(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = encode(tone(440, 1)[:-1], tmp_path / name, options=FRAGMENTS if name == "fragments.m4a" else "")
    other = encode(tone(440, 5), tmp_path / f"other.{name}", options="-ar 44100 -ac 2") if name == "a.flac" else path
    alone = np.concatenate(list(decode(path)))
    behind = other.read_bytes()
    path.write_bytes(path.read_bytes() + behind[behind.index(b"data") if name == "chunk.wav" else 0 :])
    assert np.array_equal(np.concatenate(list(decode(path)))[: len(alone)], alone)
    said = "has pieces that ffmpeg can't read" if name == "a.flac" else "another recording follows behind its end, and"
    assert f"{path}: {said}" in caplog.text


@pytest.mark.parametrize("other", ["b.ogg", "b.opus", "b.flac"])
def test_of_recordings_of_two_forms_put_together_it_is_said_what_is_not_heard(
    tmp_path: Path, other: str, caplog: pytest.LogCaptureFixture
) -> None:
    first = encode(tone(440, 5), tmp_path / ("a.flac" if other == "b.flac" else "a.ogg"), options="-ar 44100")
    second = encode(tone(440, 5), tmp_path / other, options="-ar 48000" if other == "b.opus" else "-ar 22050")
    first.write_bytes(first.read_bytes() + second.read_bytes())
    is_heard = len(decoded(first)) > 9.8 * SAMPLE_RATE_HZ  # which releases of ffmpeg differ in
    assert ("they are not heard" in caplog.text) != is_heard


@pytest.mark.parametrize(
    "claimed", [0, 0xFFFFFFFF, 0xFFFFFFFF - 36, 0x7FFFF000, 0x7FFFFF00, 2 * len(tone(440, 1)) + 50], ids=hex
)
def test_what_stands_for_an_unknown_length_is_no_promise(
    tmp_path: Path, claimed: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_wav(tmp_path / "a.wav", tone(440, 1))
    content = path.read_bytes()
    path.write_bytes(content[:40] + struct.pack("<I", claimed) + content[44:])
    assert np.array_equal(decoded(path), tone(440, 1))
    assert caplog.text == ""


def mp3(path: Path, rate_hz: int, channels: int) -> Path:
    """Three seconds of chirps."""
    wav = write_wav(path.with_suffix(".wav"), chirps(rate_hz, 300, 3000, 3))
    options = ["-ar", str(rate_hz), "-ac", str(channels)]
    subprocess.run([ffmpeg.find_ffmpeg(), "-v", "error", "-i", str(wav), *options, str(path)], check=True)
    return path


def test_the_samples_are_those_of_ffmpegs_usual_conversion(tmp_path: Path) -> None:
    path = mp3(tmp_path / "a.mp3", 44100, 2)
    usual = [ffmpeg.find_ffmpeg(), "-v", "error", "-i", str(path), "-ac", "1", "-ar", "16000", "-f", "s16le", "pipe:1"]
    expected = np.frombuffer(subprocess.run(usual, capture_output=True, check=True).stdout, "<i2")
    assert np.abs(decoded(path) - expected).max() <= 1.5  # the usual conversion rounds after the change of rate


def test_recordings_of_several_formats_put_together_are_heard_to_the_end(tmp_path: Path) -> None:
    parts = [mp3(tmp_path / "a.mp3", 44100, 2), mp3(tmp_path / "b.mp3", 22050, 1), mp3(tmp_path / "c.mp3", 32000, 2)]
    whole = tmp_path / "whole.mp3"
    whole.write_bytes(b"".join(part.read_bytes() for part in parts))
    lost = sum(len(decoded(part)) for part in parts) - len(decoded(whole))
    assert lost <= 2 * (SAMPLE_RATE_HZ // 10 + 500)  # at each border a tenth of a second, and what the resampler holds


@pytest.fixture(scope="module")
def steps() -> np.ndarray:
    """Eight seconds of a tone that rises by 100 Hz a second, so that the pitch says when it was."""
    return np.concatenate([tone(400 + 100 * second, 1) for second in range(8)])


def times(samples: np.ndarray) -> list[int | None]:
    """Of each second, which of `steps` is heard in its middle; None of silence."""
    middles = samples[: len(samples) // SAMPLE_RATE_HZ * SAMPLE_RATE_HZ].reshape(-1, SAMPLE_RATE_HZ)[:, 6000:10000]
    return [round(pitch_hz(middle) / 100) - 4 if np.abs(middle).max() > 300 else None for middle in middles]


def encode(sound: np.ndarray, path: Path, before: str = "", options: str = "") -> Path:
    """A file that ffmpeg makes of sound. before: the options before the sound's file."""
    wav = write_wav(path.with_name("sound.wav"), sound)
    command = [ffmpeg.find_ffmpeg(), "-v", "error", *before.split(), "-i", str(wav), *options.split(), str(path)]
    subprocess.run(command, check=True)
    return path


@pytest.mark.parametrize("late", [0, 2])
@pytest.mark.parametrize(
    ("name", "codec"),
    list(
        zip(
            "mp4 mov mkv flv ogv wmv ts m2ts mpg".split(),
            "aac pcm_s16le flac aac libvorbis wmav2 aac mp2 mp2".split(),
            strict=True,
        )
    ),
)
def test_sound_that_begins_later_than_a_film_is_heard_when_a_player_plays_it(
    tmp_path: Path, steps: np.ndarray, late: int, name: str, codec: str
) -> None:
    film = encode(
        steps,
        tmp_path / f"film.{name}",
        f"-f lavfi -i color=s=32x32:d=11 -itsoffset {late}",
        f"-map 0:v -map 1:a -c:a {codec}",
    )
    samples = decoded(film)
    padded = np.append(samples, np.zeros(SAMPLE_RATE_HZ // 10))  # wmav2 drops what does not fill its last block
    assert times(padded)[: 8 + late] == [None] * late + list(range(8))
    assert len(samples) == pytest.approx((8 + late) * SAMPLE_RATE_HZ, abs=0.1 * SAMPLE_RATE_HZ)
    rate_hz, part = ffmpeg.source_samples(film, USUAL, 1.0, 3.0) or (0, np.empty(0))
    assert rate_hz == SAMPLE_RATE_HZ
    assert times(part[:, 0]) == ([None, 0, 1] if late else [1, 2, 3])


FINE = {"a.ogg": "-c:a libvorbis -page_duration 200000", "a.mka": "-c:a flac -cluster_time_limit 200"}


@pytest.mark.parametrize("name", ["a.flac", "a.ogg", "a.opus", "a.mka", "a.ts"])
def test_what_follows_a_hole_in_a_recording_is_heard_at_its_time_and_the_hole_told_of(
    tmp_path: Path, steps: np.ndarray, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = encode(steps, tmp_path / name, options=FINE.get(name, ""))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + content[len(content) * 3 // 4 :])
    heard = times(np.concatenate(list(decode(path))))
    assert all(second in (time, None) for time, second in enumerate(heard))
    assert None in heard
    assert (heard[0], heard[1], heard[7]) == (0, 1, 7)
    (missing,) = re.findall(rf"{path}: has holes: (.*) s of its sound are missing or damaged, and silence", caplog.text)
    assert float(missing) == pytest.approx(2, abs=1.25)  # whole pages are lost


@pytest.mark.parametrize("first", [12, 4])
def test_a_film_whose_number_of_channels_changes_keeps_its_length(
    tmp_path: Path, steps: np.ndarray, first: int
) -> None:
    """Television goes from two channels to six where a film begins; ffmpeg then begins its filters anew."""
    seconds = first + 8
    two, six = (
        encode(sound, tmp_path / f"{channels}.ac3", options=f"-ac {channels}").read_bytes()
        for channels, sound in ((2, np.tile(steps, 2)[: first * SAMPLE_RATE_HZ]), (6, steps))
    )
    both = tmp_path / "both.ac3"
    both.write_bytes(two + six)
    film = tmp_path / "film.mkv"
    subprocess.run([ffmpeg.find_ffmpeg(), "-v", "error", "-i", str(both), "-c", "copy", str(film)], check=True)
    samples = decoded(film)
    assert len(samples) == pytest.approx(seconds * SAMPLE_RATE_HZ, abs=0.2 * SAMPLE_RATE_HZ)
    assert times(samples)[first + 1 : first + 6] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("name", ["a.mp3", "a.aac"])
def test_where_no_time_is_kept_a_hole_is_told_of(
    tmp_path: Path, steps: np.ndarray, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = encode(np.tile(steps, 2), tmp_path / name)
    assert len(decoded(path)) > 15 * SAMPLE_RATE_HZ
    assert caplog.text == ""
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) * 3 // 4] = bytes(len(content) * 3 // 4 - len(content) // 2)
    path.write_bytes(content)
    decoded(path)
    assert re.search(rf"{name}: seems to be damaged: about [345] s of 1[567] s are missing", caplog.text)


@pytest.mark.parametrize("name", ["a.flac", "a.ts", "a.mka", "a.opus"])
def test_nothing_is_lost_or_added_where_two_files_were_put_together(
    tmp_path: Path, steps: np.ndarray, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = encode(steps, tmp_path / name)
    path.write_bytes(path.read_bytes() * 2)
    assert times(decoded(path))[:15] == [*range(8), *range(7)]
    assert caplog.text == ""


def test_leaving_early_ends_the_process(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(440, 100))
    blocks = ffmpeg.decode(path)
    next(blocks)
    blocks.close()  # type: ignore[attr-defined]  # would hang, or leave a child, if ffmpeg were still waiting to write
    running = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert not any(str(path) in command for command in running)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"this is no sound\n" * 100, "is not audio that ffmpeg can read"),
        (b"<html><body>Not found</body></html>", "is not audio that ffmpeg can read, but a web page; download the rec"),
        (
            b'{"error": "not found"}',
            "is not audio that ffmpeg can read, but a text for programs .XML or JSON.; download",
        ),
        (b"PK\3\4" + bytes(2000), "is not audio that ffmpeg can read, but an archive; unpack it"),
        (b"version https://git-lfs.github.com/spec/v1\noid x\n", "is not audio .* of Git LFS .* with git lfs pull"),
        (
            b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:2,\na.ts\n",
            "is not audio .* but a playlist; add the recordings that it",
        ),
        (encoded("ogg")[:50], "is cut off or damaged, and ends before its sound begins"),
        (
            b"\0\0\0\x18ftypM4A \0\0\0\0M4A isom\0\0\1\0mdat" + bytes(248),
            "is cut off or damaged, and its table of contents",
        ),
        (
            wav_of(SOUND.tobytes(), 16)[:36] + b"LIST\5\0\0\0INFOx" + SOUND.tobytes(),
            "is cut off or damaged, and no sound",
        ),
        (wav_of(SOUND.tobytes(), 16, is_float=True), "holds sound of a kind that ffmpeg cannot decode; convert it"),
        (
            wav_of(SOUND.tobytes(), 4).replace(b"fmt \x10\0\0\0\1", b"fmt \x10\0\0\0\x38"),  # NMS ADPCM
            "holds sound of a kind that ffmpeg cannot decode; convert it",
        ),
    ],
    ids="empty text page answer ZIP LFS playlist Ogg-cut-off M4A-cut-off no-sound half-floats NMS-ADPCM".split(),
)
def test_what_is_no_audio_is_named_with_the_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "notes.mp3"
    path.write_bytes(content)
    with pytest.raises(UnusableInput, match=f"notes.mp3: {reason}"):
        decoded(path)


def test_a_film_without_sound_is_named_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "silent.mp4"
    command = [ffmpeg.find_ffmpeg(), "-v", "error", "-f", "lavfi", "-i", "color=s=32x32:d=1", str(path)]
    subprocess.run(command, check=True)
    with pytest.raises(UnusableInput, match="has no sound in it"):
        decoded(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match=r"gone.mp3: cannot be read \(No such file"):
        decoded(tmp_path / "gone.mp3")


@pytest.mark.usefixtures("fresh_search")
def test_without_a_system_ffmpeg_the_packaged_one_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    samples = tone(440, 1)
    assert np.array_equal(decoded(write_wav(tmp_path / "a.wav", samples)), samples)
    assert "imageio_ffmpeg" in ffmpeg.find_ffmpeg()
    ffmpeg.find_ffmpeg.cache_clear()


@pytest.mark.usefixtures("fresh_search")
def test_a_broken_ffmpeg_is_one_sentence_and_not_the_files_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "ffmpeg"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(AudionetError, match=r"ffmpeg does not work \(it ends with status 3\); reinstall") as caught:
        decoded(write_wav(tmp_path / "a.wav", tone(440, 1)))
    assert not isinstance(caught.value, UnusableInput)
    ffmpeg.find_ffmpeg.cache_clear()
