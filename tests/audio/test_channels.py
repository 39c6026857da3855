"""Which sound of a file is heard: tracks of films, channels that cancel each other out, and channels without a name."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

import audionet
from audionet.audio import plain_files
from audionet.audio.channels import USUAL, StreamInfo, stream_info
from audionet.audio.chunks import read_chunks
from audionet.audio.decoding import count_channels, decode
from audionet.audio.ffmpeg import find_ffmpeg
from audionet.commands.label import ClipJob, run_each
from audionet.errors import AudionetError, UnusableInput
from audionet.inference.clips import ScoringJob
from audionet.inference.timeline import TimelineJob
from audionet.inference.windows import Windows, WindowsJob
from audionet.model.bundle import load_model
from audionet.options import LabelOptions, PrepareOptions
from audionet.settings import SAMPLE_RATE_HZ, PictureSettings, SoundChoice
from tests.conftest import make_untrained_model, pitch_hz, tone, write_wav


@pytest.fixture(params=["whoever reads it", "ffmpeg"])
def who_reads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said of one or two channels holds whoever reads the file; of more, ffmpeg always does."""
    if request.param == "ffmpeg":
        monkeypatch.setattr(plain_files, "is_plain", lambda beginning: False)  # noqa: ARG005


def pitch(path: Path, choice: SoundChoice | None = None) -> float:
    """The loudest frequency of a file's sound; 0 of silence."""
    return pitch_hz(np.concatenate(list(decode(path, choice or USUAL))))


def level(path: Path, choice: SoundChoice) -> float:
    return float(np.abs(np.concatenate(list(decode(path, choice))).astype(float)).max())


def stereo(path: Path, left: np.ndarray, right: np.ndarray) -> Path:
    return write_wav(path, np.stack([left, right], axis=1))


@pytest.fixture
def sides(tmp_path: Path, who_reads: None) -> Path:  # noqa: ARG001
    """500 Hz on the left, 1500 Hz on the right."""
    return stereo(tmp_path / "sides.wav", tone(500, 1, 0.2), tone(1500, 1, 0.4))


@pytest.mark.parametrize(("channel", "heard"), [("left", 500), ("right", 1500), ("1", 500), ("2", 1500), ("mix", 1500)])
def test_a_channel_is_heard_alone(sides: Path, channel: str, heard: float) -> None:
    assert pitch(sides, SoundChoice(channel=channel)) == heard


def test_the_mix_is_of_both(sides: Path) -> None:
    left, mix = (level(sides, SoundChoice(channel=channel)) for channel in ("left", "mix"))
    assert left == pytest.approx(0.2 * 32767, rel=0.02)
    assert mix == pytest.approx(0.3 * 32767, rel=0.2)


@pytest.mark.usefixtures("who_reads")
@pytest.mark.parametrize("gain", [1.0, 0.97])
def test_channels_in_antiphase_are_noticed_and_the_louder_one_heard(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, gain: float
) -> None:
    sound = tone(440, 2, 0.5)
    path = stereo(tmp_path / "a.wav", (gain * sound).astype(np.int16), -sound)
    assert pitch(path) == 440
    assert caplog.text.count("its channels cancel each other out") == 1
    assert ("right alone" if gain < 1 else "left alone") in caplog.text
    assert level(path, SoundChoice(channel="mix")) < 0.1 * 32767  # as asked for


@pytest.mark.usefixtures("who_reads")
def test_an_offset_in_both_channels_does_not_hide_that_they_cancel_each_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sound = tone(440, 2, 0.5)
    path = stereo(tmp_path / "a.wav", sound + 6000, 6000 - sound)
    samples = np.concatenate(list(decode(path))).astype(float)
    assert "cancel each other out" in caplog.text
    assert np.std(samples) == pytest.approx(0.5 * 32767 / np.sqrt(2), rel=0.02)


@pytest.mark.usefixtures("who_reads")
@pytest.mark.parametrize("seconds", [40, 200, 700])
def test_antiphase_is_noticed_after_long_silence_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, seconds: int
) -> None:
    silence, sound = np.zeros(seconds * SAMPLE_RATE_HZ, np.int16), tone(440, 2, 0.5)
    path = stereo(tmp_path / "a.wav", np.concatenate([silence, sound]), np.concatenate([silence, -sound]))
    samples = np.concatenate(list(decode(path)))
    assert len(samples) == (seconds + 2) * SAMPLE_RATE_HZ
    assert np.array_equal(samples[-len(sound) :], sound)
    assert caplog.text.count("cancel each other out") == 1


@pytest.mark.usefixtures("who_reads")
def test_faint_stereo_and_mono_are_left_as_they_are(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    faint = tone(440, 1, 0.005)
    assert pitch(stereo(tmp_path / "stereo.wav", faint, faint)) == 440
    assert pitch(write_wav(tmp_path / "mono.wav", faint)) == 440
    assert pitch(stereo(tmp_path / "one.wav", faint, 0 * faint)) == 440
    assert pitch(stereo(tmp_path / "none.wav", 0 * faint, 0 * faint)) == 0
    assert caplog.text == ""


@pytest.mark.parametrize("channels", [9, 16, 64])
def test_many_channels_without_a_layout_are_mixed_in_equal_parts(tmp_path: Path, channels: int) -> None:
    sound = tone(440, 1, 0.5)
    path = write_wav(tmp_path / "a.wav", np.stack([sound] * channels, axis=1))
    samples = np.concatenate(list(decode(path)))
    assert np.abs(samples - sound.astype(int)).max() <= channels
    assert count_channels(path) == channels
    alone = np.stack([0 * sound] * (channels - 1) + [sound], axis=1)
    assert pitch(write_wav(tmp_path / "b.wav", alone), SoundChoice(channel=str(channels))) == 440
    assert pitch(tmp_path / "b.wav") == 440


def test_more_channels_than_can_be_mixed_are_said_to_be_too_many(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", np.stack([tone(440, 0.5)] * 65, axis=1))
    for choice in (USUAL, SoundChoice(channel="64")):
        with pytest.raises(UnusableInput, match="has 65 channels, of 64 at most; save those that matter"):
            pitch(path, choice)


def test_a_channel_that_is_not_there_is_said_to_be_missing(sides: Path, tmp_path: Path) -> None:
    with pytest.raises(
        UnusableInput, match=r"has 2 channels, so that there is no channel 3 \(--channel mix takes all\)"
    ):
        pitch(sides, SoundChoice(channel="3"))
    with pytest.raises(UnusableInput, match="has 1 channel, so that there is no channel 2"):
        pitch(write_wav(tmp_path / "mono.wav", tone(440, 1)), SoundChoice(channel="right"))


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A film whose first track is silent, and whose second is the default one."""
    write_wav(tmp_path / "1.wav", 0 * tone(440, 1))
    write_wav(tmp_path / "2.wav", tone(440, 1))
    options = "-v error -i 1.wav -i 2.wav -map 0 -map 1 -disposition:a:0 0 -disposition:a:1 default -c:a flac film.mkv"
    subprocess.run([find_ffmpeg(), *options.split()], cwd=tmp_path, check=True)
    return tmp_path / "film.mkv"


def test_the_default_track_is_heard_or_the_one_asked_for(film: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert pitch(film) == 440
    said = f"{film}: has 2 sound tracks, of which number 2 is heard (--track chooses another)"
    assert caplog.messages == [said]  # which of them matters where they are of two languages
    caplog.clear()
    assert pitch(film, SoundChoice(track=1)) == 0
    assert pitch(film, SoundChoice(track=2)) == 440
    with pytest.raises(UnusableInput, match="has no sound track 3"):
        pitch(film, SoundChoice(track=3))
    assert caplog.text == ""


def test_a_silent_default_track_is_told_of_where_there_are_others(
    film: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = tmp_path / "other.mkv"
    options = f"-v error -i {film} -map 0 -disposition:a:0 default -disposition:a:1 0 -c copy {other}"
    subprocess.run([find_ffmpeg(), *options.split()], check=True)
    assert pitch(other) == 0
    said = "has 2 sound tracks, of which number 1 is heard, and is silent (--track chooses another)"
    assert caplog.messages == [f"{other}: {said}"]


def test_what_ffmpeg_says_of_a_file_is_understood() -> None:
    line = "[info]   Stream #0:0: Audio: mp3, 44100 Hz, mono, fltp, 128 kb/s\n"
    assert stream_info(line) == StreamInfo(True, 1, is_known=True)
    other = line.replace("0:0", "0:2").replace("mono", "stereo").replace("44100", "8000")
    heard = "[info]   Stream #0:2 -> #0:0 (mp3 (mp3float) -> pcm_f32le (native))\n"
    # Of a film with two programmes, what belongs to both is listed twice.
    assert stream_info(other + line + other + heard) == StreamInfo(False, 2, 2)
    assert stream_info("[out#0] Output #0, s16le\n" + line) == StreamInfo(False)
    assert stream_info("") == StreamInfo(False)
    assert stream_info("[info] -1.5\n[Eval @ 0x1f] [info] 2.0\n").times == (-1.5, 2.0)
    assert stream_info("[info]     title           : [info] -599.0\n").times == ()


@pytest.mark.parametrize("bad", [{"channel": "middle"}, {"channel": "0"}, {"channel": "65"}, {"track": 0}])
def test_a_choice_that_makes_no_sense_is_refused(bad: dict[str, object]) -> None:
    for options in (SoundChoice, PrepareOptions, LabelOptions):
        with pytest.raises(AudionetError, match=r"--(channel|track) .*: must be"):
            options(**bad)  # type: ignore[arg-type]


def test_prepare_draws_the_channel_asked_for_and_knows_when_another_is(sides: Path, tmp_path: Path) -> None:
    (tmp_path / "data" / "a").mkdir(parents=True)
    sides.rename(tmp_path / "data" / "a" / "sides.wav")
    pictures = {"image_dir": tmp_path / "pictures", "pictures": PictureSettings(0.5, 0)}
    report = audionet.prepare(tmp_path / "data", PrepareOptions(channel="each", **pictures))  # type: ignore[arg-type]
    assert report.made_chunks == 4  # two of each side
    again = audionet.prepare(tmp_path / "data", PrepareOptions(channel="each", **pictures))  # type: ignore[arg-type]
    assert again.kept_chunks == 4
    assert pitch(tmp_path / "pictures" / "a" / "sides_nohash_0000.wav") == 500
    assert pitch(tmp_path / "pictures" / "a" / "sides_nohash_0003.wav") == 1500
    with pytest.raises(AudionetError, match=r"other settings \(--channel each, now left\); add --force"):
        audionet.prepare(tmp_path / "data", PrepareOptions(channel="left", **pictures))  # type: ignore[arg-type]


@pytest.mark.usefixtures("who_reads")
@pytest.mark.parametrize(
    ("right", "said"), [("copy", "right is the same as left"), ("silence", "right is silent"), ("own", "")]
)
def test_where_each_channel_is_heard_one_without_sound_of_its_own_is_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, right: str, said: str
) -> None:
    sounds = {"copy": tone(500, 1, 0.2), "silence": np.zeros(SAMPLE_RATE_HZ), "own": tone(1500, 1, 0.2)}
    path = stereo(tmp_path / "a.wav", tone(500, 1, 0.2), sounds[right])
    chunks = list(read_chunks(path, PictureSettings(0.5, 0), SoundChoice(channel="each")))
    assert len(chunks) == 4
    assert [record.getMessage() for record in caplog.records] == (
        [f"{path}: {said} (--channel chooses one, or the mix)"] if said else []
    )


@pytest.mark.parametrize("job", [ScoringJob, TimelineJob, WindowsJob])
def test_label_says_once_which_channel_has_no_sound_of_its_own_and_what_is_odd_about_the_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, job: type[ClipJob]
) -> None:
    monkeypatch.chdir(tmp_path)
    sound = tone(500, 2, 0.2)
    clips = [stereo(Path(f"{n}.wav"), sound, right) for n, right in enumerate((sound, 0 * sound, tone(900, 2)))]
    clips[0].write_bytes(clips[0].read_bytes()[:-32000])
    files = make_untrained_model(tmp_path, PictureSettings(1, 0))
    model = load_model(LabelOptions(files.graph, files.labels))
    found = list(run_each(job(model, choice=SoundChoice(channel="each")), clips))
    assert [clip.clip for clip in found if not isinstance(clip, UnusableInput)] == [
        "0.wav (left)", "0.wav (right)", "1.wav (left)", "1.wav (right)", "2.wav (left)", "2.wav (right)",
    ]  # fmt: skip
    assert sorted(record.getMessage().partition(" (")[0][:60] for record in caplog.records) == [
        "0.wav: is cut off: of the 2 s of sound that its header promi",
        "0.wav: right is the same as left",
        "1.wav: right is silent",
    ]


def test_label_takes_each_channel_for_a_clip(sides: Path, tmp_path: Path) -> None:
    model = make_untrained_model(tmp_path, PictureSettings(1, 0))
    mono = write_wav(tmp_path / "mono.wav", tone(440, 1))
    found = audionet.label([sides, mono], LabelOptions(model.graph, model.labels, channel="each"))
    assert [Path(clip.clip).name for clip in found] == ["sides.wav (left)", "sides.wav (right)", "mono.wav"]
    assert found[0].scores != found[1].scores
    (left,) = audionet.label(sides, LabelOptions(model.graph, model.labels, channel="left"))
    assert left.scores == found[0].scores
    job = WindowsJob(load_model(LabelOptions(model.graph, model.labels)), choice=SoundChoice(channel="each"))
    windows = [clip for clip in run_each(job, [sides, mono]) if isinstance(clip, Windows)]
    assert [(Path(clip.recording).name, clip.channel) for clip in windows] == [
        ("sides.wav", 1), ("sides.wav", 2), ("mono.wav", 1),
    ]  # fmt: skip
