"""Who reads a file: the same sound comes out, and what is in the file alone decides."""

import io
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

import audionet
from audionet.audio import decoding, ffmpeg
from audionet.audio.channels import USUAL
from audionet.audio.ffmpeg import decode as decode_by_ffmpeg
from audionet.audio.resampling import can_resample, resample
from audionet.errors import UnusableInput
from audionet.options import PrepareOptions
from audionet.parallel.child import Children
from audionet.settings import SAMPLE_RATE_HZ, PictureSettings, SoundChoice
from audionet.spectrogram.transform import SpectrogramRenderer
from tests.bad_inputs import FLOAT, encoded, riff, sine
from tests.conftest import chirps, pitch_hz, tone, write_wav

RENDERER = SpectrogramRenderer.make(PictureSettings(chunk_seconds=2, overlap_seconds=0))
# Of samples from those of ffmpeg, as float32 on the scale of 16 bits. Two decoders of Vorbis round differently.
LARGEST_DIFFERENCE = {"OGG VORBIS": 1.05}
OTHERS_DIFFERENCE = 0.05


@pytest.fixture
def by_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were given to ffmpeg."""
    given: list[Path] = []

    def decode(path: Path, choice: SoundChoice = USUAL, rate_hz: int = SAMPLE_RATE_HZ) -> Iterator[np.ndarray]:
        given.append(path)
        return decode_by_ffmpeg(path, choice, rate_hz)

    monkeypatch.setattr(ffmpeg, "decode", decode)
    return given


def samples_of(path: Path, choice: SoundChoice = USUAL) -> np.ndarray:
    return np.concatenate(list(decoding.decode(path, choice)))


def ffmpegs(path: Path, choice: SoundChoice = USUAL) -> np.ndarray:
    return np.concatenate(list(decode_by_ffmpeg(path, choice)))


def file_of(kind: str, channels: int, rate_hz: int) -> bytes:
    """Two seconds of chirps in noise, another in each channel."""
    sound = np.stack([chirps(n, 300, 0.4 * rate_hz, 2.0) for n in range(channels)], axis=1) / 32768
    sound = np.repeat(0.7071 * sound, 4, axis=0)[: 2 * rate_hz]  # of more than 16 bits
    wavs = {"wav16": 16, "wav24": 24, "wav32": 32}
    if kind in wavs:
        return riff(sound, wavs[kind], rate_hz=rate_hz)
    if kind == "float":
        return riff(sound, 32, FLOAT, rate_hz=rate_hz)
    file = io.BytesIO()
    container, _, subtype = kind.partition(" ")
    soundfile.write(file, sound, rate_hz, format=container, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize(
    "kind", ["wav16", "wav24", "wav32", "float", "WAVEX PCM_24", "FLAC PCM_16", "FLAC PCM_24", "OGG VORBIS"]
)
@pytest.mark.parametrize(
    ("channels", "rate_hz", "choice"),
    [(1, 44100, USUAL), (2, 22050, USUAL), (2, 16000, USUAL), (2, 16000, SoundChoice(channel="right"))],
)
def test_the_sound_is_that_of_ffmpeg_and_pictures_are_within_one_grey_level(
    tmp_path: Path, by_ffmpeg: list[Path], kind: str, channels: int, rate_hz: int, choice: SoundChoice
) -> None:
    path = tmp_path / "a.bin"  # the name says nothing
    path.write_bytes(file_of(kind, channels, rate_hz))
    found, expected = samples_of(path, choice), ffmpegs(path, choice)
    assert by_ffmpeg == []
    assert len(found) == len(expected)
    assert np.abs(found - expected).max() <= LARGEST_DIFFERENCE.get(kind, OTHERS_DIFFERENCE)
    drawn = [RENDERER.render(samples[: 2 * SAMPLE_RATE_HZ]).astype(int) for samples in (found, expected)]
    assert np.abs(drawn[0] - drawn[1]).max() <= 1


@pytest.mark.parametrize("kind", ["wav16", "FLAC PCM_24", "OGG VORBIS"])
def test_a_part_at_the_rate_of_the_file_is_that_of_ffmpeg(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path, choice = tmp_path / "a.bin", SoundChoice(channel="right")
    path.write_bytes(file_of(kind, 2, 44_100))
    expected_hz, expected = ffmpeg.source_samples(path, choice, 0.5, 0.25) or (0, np.empty((0, 0)))
    monkeypatch.setattr(ffmpeg, "find_ffmpeg", lambda: "none is needed")
    found_hz, found = decoding.source_samples(path, choice, 0.5, 0.25) or (0, np.empty((0, 0)))
    assert found_hz == expected_hz == 44_100
    assert found.shape == expected.shape == (11_025, 1)
    assert np.abs(found - expected).max() <= LARGEST_DIFFERENCE.get(kind, OTHERS_DIFFERENCE)


@pytest.mark.parametrize("rate_hz", [8000, 12000, 22050, 24000, 32000, 48000, 88200, 96000, 192000, 250000, 384000])
def test_any_usual_rate_is_resampled_as_ffmpeg_does_it(tmp_path: Path, rate_hz: int) -> None:
    noise = np.random.default_rng(0).integers(-20000, 20000, rate_hz // 5 + 1).astype(np.int16)
    path = write_wav(tmp_path / "a.wav", noise, rate_hz)
    assert can_resample(rate_hz, SAMPLE_RATE_HZ)
    expected = ffmpegs(path)
    found = np.clip(resample(noise.astype(float), rate_hz, SAMPLE_RATE_HZ), -32768, 32768)
    assert len(found) == len(expected)
    assert np.abs(found - expected).max() <= OTHERS_DIFFERENCE


@pytest.mark.parametrize("wanted_hz", [8000, 22050, 48000, 96000])
@pytest.mark.parametrize("kind", ["wav16", "OGG VORBIS"])
def test_other_rates_are_made_as_ffmpeg_makes_them(
    tmp_path: Path, by_ffmpeg: list[Path], kind: str, wanted_hz: int
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(file_of(kind, 2, 48000))
    found = np.concatenate(list(decoding.decode(path, USUAL, wanted_hz)))
    assert by_ffmpeg == []
    expected = np.concatenate(list(decode_by_ffmpeg(path, USUAL, wanted_hz)))
    assert len(found) == len(expected)
    assert np.abs(found - expected).max() <= LARGEST_DIFFERENCE.get(kind, OTHERS_DIFFERENCE)


def test_a_resampled_tone_keeps_its_pitch_and_strength_and_what_lies_above_is_gone() -> None:
    seconds = np.arange(44100) / 44100
    found = resample(np.sin(2 * np.pi * 1000 * seconds) + np.sin(2 * np.pi * 12_000 * seconds), 44100, SAMPLE_RATE_HZ)[
        1000:-1000
    ]
    there = np.arange(1000, 1000 + len(found)) / SAMPLE_RATE_HZ
    assert np.abs(found - np.sin(2 * np.pi * 1000 * there)).max() < 1e-3


def pages(vorbis: bytes) -> list[bytes]:
    return [b"OggS" + page for page in vorbis.split(b"OggS")[1:]]


WAV, VORBIS, FLAC = file_of("wav16", 1, 16000), file_of("OGG VORBIS", 1, 16000), file_of("FLAC PCM_16", 1, 16000)
FLIPPED = bytes(byte ^ 0x55 if 9000 <= n < 9003 else byte for n, byte in enumerate(FLAC))
UNUSUAL = {
    "data size 0": WAV[:40] + bytes(4) + WAV[44:],
    "data size all ones": WAV[:40] + b"\xff" * 4 + WAV[44:],
    "cut off in the middle": WAV[:20001],
    "RF64": b"RF64" + WAV[4:8] + b"WAVEds64" + struct.pack("<IQQQI", 28, 0, len(WAV) - 44, 0, 0) + WAV[12:],
    "three channels": riff(sine(channels=3), 16),
    "8 bits": riff(sine(), 8),
    "doubles": riff(sine(), 64, FLOAT),
    "not a number": riff(np.where(np.arange(32000) % 100, sine(), np.nan), 32, FLOAT),
    "floats of Cool Edit that call themselves whole numbers": (
        b"RIFF"
        + bytes(4)
        + b"WAVEfmt "
        + struct.pack("<IHHIIHHHH", 20, 1, 1, 16000, 64000, 4, 32, 2, 1)
        + b"data"
        + struct.pack("<I", 128000)
        + (sine() * 32768).astype("<f4").tobytes()
    ),
    "a rate of nobody's": riff(sine(rate_hz=22254), 16, rate_hz=22254),
    "DTS in a WAV": WAV[:44] + bytes.fromhex("fe7f0180") * (len(WAV[44:]) // 4),
    "a mask of other speakers": file_of("WAVEX PCM_16", 2, 16000).replace(
        struct.pack("<HI", 16, 3), struct.pack("<HI", 16, 48)
    ),
    "A-law": encoded("wav", "-c:a", "pcm_alaw"),
    "FLAC, cut off": FLAC[:30000],
    "FLAC of unknown length": FLAC[:21] + bytes([FLAC[21] & 0xF0]) + bytes(4) + FLAC[26:],
    "FLAC, damaged": FLIPPED,
    "FLAC, twice": FLAC + FLAC,
    "Vorbis, cut off": VORBIS[: len(VORBIS) * 2 // 3],
    "Vorbis, a page lost": b"".join(pages(VORBIS)[:-2] + pages(VORBIS)[-1:]),
    "Vorbis, twice": VORBIS + VORBIS,
    "Vorbis, and something behind": VORBIS + b"behind" * 100,
    "Opus": encoded("opus"),
    "FLAC in Ogg": encoded("ogg", "-c:a", "flac"),
    "MP3": encoded("mp3"),
}


@pytest.mark.parametrize("kind", ["float", "WAV DOUBLE", "AIFF FLOAT", "CAF FLOAT", "of whole numbers", "wv"])
def test_what_goes_beyond_full_scale_is_brought_down_and_not_clipped(tmp_path: Path, kind: str) -> None:
    path, scale = tmp_path / "a.wav", 32768.0 if kind == "of whole numbers" else 5.0
    sound = np.repeat(sine(channels=2) / np.abs(sine()).max(), 2, axis=0) * [1.0, 0.25]
    sound[-1] = np.nan if kind == "CAF FLOAT" else 0
    path.write_bytes(riff(scale * sound, 32, FLOAT))
    if " " in kind and kind != "of whole numbers":
        container, subtype = kind.split()
        soundfile.write(path, scale * sound, SAMPLE_RATE_HZ, format=container, subtype=subtype)
    if kind == "wv":
        path = path.rename(tmp_path / "b.wav").with_suffix(".wv")
        assert ffmpeg.ask_ffmpeg("-i", str(tmp_path / "b.wav"), "-c:a", "wavpack", str(path)).returncode == 0
    for choice, expected in [(USUAL, sound.mean(axis=1)), (SoundChoice(channel="2"), sound[:, 1])]:
        heard = samples_of(path, choice) / 32768
        assert np.abs(heard - expected)[: len(sound) - 100].max() < 1e-4


@pytest.mark.parametrize("form", ["WAV FLOAT", "WAV DOUBLE", "AIFF FLOAT"])
@pytest.mark.parametrize("wrong", [1e6, -300.0, np.inf, np.nan])
def test_a_wrong_sample_is_told_of_and_silent_and_the_rest_as_loud_as_without_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, form: str, wrong: float
) -> None:
    path, (container, subtype) = tmp_path / "a.bin", form.split()
    for scale in (1.0, 4.0):
        sound = scale * sine(channels=2)
        right = sound.copy()
        right[[200, 9000], 1] = wrong
        soundfile.write(path, right, SAMPLE_RATE_HZ, format=container, subtype=subtype)
        right[[200, 9000], 1] = 0
        caplog.clear()
        expected = right / max(1.0, np.abs(sound).max())
        assert np.abs(samples_of(path) / 32768 - expected.mean(axis=1)).max() < 1e-4
        assert caplog.text.count(f"{path}: holds 2 samples which no microphone gives") == 1


@pytest.mark.parametrize("what", UNUSUAL)
def test_what_is_out_of_the_ordinary_is_ffmpegs(tmp_path: Path, by_ffmpeg: list[Path], what: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(UNUSUAL[what])
    outcomes: list[bytes | str] = []
    for _ in ("by whoever reads it", "by ffmpeg"):
        try:
            samples = samples_of(path) if not outcomes else ffmpegs(path)
            outcomes.append(samples.tobytes())
        except UnusableInput as error:
            outcomes.append(error.reason)
    assert by_ffmpeg[:1] == [path]
    assert outcomes[0] == outcomes[1] != b""


def test_what_ffmpeg_says_of_a_damaged_file_is_words(tmp_path: Path) -> None:
    form = b"NIST_1A\n   1024\nchannel_count -i 1\nsample_count -i 9000\nsample_rate -i 16000\nsample_n_bytes -i 2\n"
    form += b"sample_byte_format -s2 01\nsample_coding -s26 pcm,embedded-shorten-v2.00\nend_head\n"
    path = tmp_path / "SA1.WAV"  # as TIMIT has it
    path.write_bytes(form.ljust(1024) + b"ajkg\x02" + bytes(20000))
    with pytest.raises(UnusableInput, match=r"cannot be decoded \([A-Za-z ]+\)|is not audio that ffmpeg can read"):
        samples_of(path)


@pytest.mark.parametrize(("suffix", "form"), [("ul", "mulaw"), ("ALAW", "alaw"), ("ulaw", "wav")])
def test_a_telephones_samples_without_a_header_have_its_sample_rate(tmp_path: Path, suffix: str, form: str) -> None:
    source, path = write_wav(tmp_path / "a.wav", tone(440, 2)), tmp_path / f"b.{suffix}"
    ffmpeg.ask_ffmpeg("-i", str(source), "-ar", "8000", "-f", form, str(path))
    samples = samples_of(path)
    assert len(samples) == pytest.approx(2 * SAMPLE_RATE_HZ, abs=100)
    assert pitch_hz(samples) == pytest.approx(440, abs=2)


def test_a_track_that_is_asked_for_is_found_by_ffmpeg(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(440, 1))
    assert np.array_equal(samples_of(path, SoundChoice(track=1)), tone(440, 1))
    with pytest.raises(UnusableInput, match="has no sound track 2"):
        samples_of(path, SoundChoice(track=2))


def test_much_sound_in_a_few_bytes_is_given_to_ffmpeg_with_its_limits(tmp_path: Path, by_ffmpeg: list[Path]) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(1000 * 4000, np.int16), 4000, format="FLAC")
    path = tmp_path / "a.flac"
    path.write_bytes(file.getvalue())
    with pytest.raises(UnusableInput, match=rf"gives more sound than {len(path.read_bytes())} bytes can hold"):
        samples_of(path)
    assert by_ffmpeg == [path]


def test_fifty_hours_in_a_header_cost_nothing(tmp_path: Path, by_ffmpeg: list[Path]) -> None:
    claimed = (1 << 36) - 1
    fields = int.from_bytes(FLAC[18:26], "big") >> 36 << 36 | claimed
    path = tmp_path / "a.flac"
    path.write_bytes(FLAC[:18] + fields.to_bytes(8, "big") + FLAC[26:])
    assert len(samples_of(path)) == 2 * SAMPLE_RATE_HZ
    assert by_ffmpeg == [path]


def test_antiphase_is_noticed_in_every_format(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sound = tone(440, 2, 0.5)
    path = tmp_path / "a.flac"
    soundfile.write(path, np.stack([sound // 2, -sound], axis=1), SAMPLE_RATE_HZ, format="FLAC")
    loud = samples_of(path)  # a sound in both channels, one of them half as loud, is a quarter as loud in the mix
    assert np.array_equal(loud, (sound // 2 - sound) / 2)
    soundfile.write(path, np.stack([sound, -sound], axis=1), SAMPLE_RATE_HZ, format="FLAC")
    assert np.array_equal(samples_of(path), sound)
    assert "left alone is heard" in caplog.text


@pytest.mark.parametrize("how", ["crash", "hang"])
def test_a_file_that_makes_libsndfile_fail_costs_itself_alone(
    two_classes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    strange = Children("tests.parallel.strange_answers", 1 << 20)
    monkeypatch.setattr(decoding, "_libsndfile", strange)
    monkeypatch.setattr(ffmpeg, "WAIT_SECONDS", 1.0)
    (two_classes / "low" / "bad.flac").write_bytes(b"fLaC" + how.encode())
    report = audionet.prepare(two_classes, PrepareOptions(tmp_path / "pictures", PictureSettings(1, 0)))
    strange.close()
    (skipped,) = report.skipped
    said = {"crash": "makes libsndfile break down; convert it", "hang": "keeps libsndfile busy for more than 1 seconds"}
    assert Path(skipped.path).name == "bad.flac"
    assert skipped.reason.startswith(said[how])
    assert report.made == 8
