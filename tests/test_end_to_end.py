"""The commands as a user runs them, on the sample voices."""

import json
import re
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import audionet
from audionet import LabelOptions
from audionet.audio.decoding import decode
from audionet.model.bundle import load_model
from audionet.settings import SAMPLE_RATE_HZ
from tests import freeze
from tests.conftest import ROOT, SAMPLE_CLIPS, SAMPLE_VOICES, Run, run_program, tone, write_wav

pytestmark = pytest.mark.slow

VOICES = ["allison", "carlo", "june", "paola"]


@pytest.fixture(scope="module")
def workshop(golden_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the folder, far from the project, that `make demo` has made."""
    return Path(shutil.copytree(golden_run / "demo", tmp_path_factory.mktemp("workshop") / "demo"))


def test_the_sample_voices_are_as_promised() -> None:
    files = [path for path in SAMPLE_VOICES.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 6_000_000
    for voice in VOICES:
        assert len(list((SAMPLE_VOICES / voice).glob("*.mp3"))) >= 5
        assert len(list((SAMPLE_CLIPS / voice).glob("*.mp3"))) >= 3
    for folder in (SAMPLE_VOICES, SAMPLE_CLIPS):
        notice = (folder / "NOTICE.md").read_text()
        for credit in ("Allison Smith", "June Wallack", "Carlo Flora", "Paola Dal Zot", "http://www.voip.ammdomus.it"):
            assert credit in notice


def test_make_demo_gives_every_held_out_clip_its_voice(golden_run: Path) -> None:
    printed = (golden_run / freeze.DEMO).read_text(encoding="utf-8")
    best = re.findall(r"^\.\./tf_files/test_audio/(\w+)/\S+\n  (\w+) ", printed, re.MULTILINE)
    assert len(best) == 20
    assert all(label == voice for voice, label in best)
    assert "20 clips: 20 right, 0 wrong, 0 called unknown\naccuracy: 100.0% (20 of 20 clips" in printed
    assert ". .venv/bin/activate" in printed
    assert not (golden_run / "tf_files" / "data_image").exists()  # which are the user's own


@pytest.mark.parametrize("kind", ["hiss", "hum"])
def test_a_talk_in_steady_noise_20_db_below_is_understood(workshop: Path, tmp_path: Path, kind: str) -> None:
    clips = [np.concatenate(list(decode(SAMPLE_CLIPS / voice / f"{voice}-clip-2.mp3"))) for voice in VOICES]
    turn_seconds = 5
    turns = [clip[: turn_seconds * SAMPLE_RATE_HZ].astype(float) for clip in clips * 2]
    talk = np.concatenate([turn * 2000 / turn.std() for turn in turns])
    times = np.arange(len(talk)) / SAMPLE_RATE_HZ
    hum = np.sum([np.sin(2 * np.pi * 50 * number * times) / number for number in range(1, 9)], axis=0)
    noise = hum if kind == "hum" else np.random.default_rng(0).standard_normal(len(talk))
    talk += 0.1 * talk.std() * noise / noise.std()
    segments = audionet.timeline(
        write_wav(tmp_path / "talk.wav", talk.astype(np.int16)), LabelOptions(workshop / "tf_files")
    )
    right_seconds = 0.0
    for n, voice in enumerate(VOICES * 2):
        start, end = n * turn_seconds, (n + 1) * turn_seconds
        heard = [min(s.end_seconds, end) - max(s.start_seconds, start) for s in segments if s.label == voice]
        right_seconds += sum(seconds for seconds in heard if seconds > 0)
    assert right_seconds >= 0.7 * len(turns) * turn_seconds


def test_a_second_time_no_work_is_done(workshop: Path, audionet_here: Run) -> None:
    def times() -> dict[Path, int]:
        # The list of known digests grows: pictures that had just been drawn when they were first read join it later.
        files = (path for path in workshop.rglob("*") if path.name != "pictures.sha256.json")
        return {path: path.stat().st_mtime_ns for path in files if path.is_file()}

    before = times()
    prepared = audionet_here("prepare", SAMPLE_VOICES, cwd=workshop)
    assert "20 recordings: 0 drawn (0 pictures), 20 unchanged" in prepared.stdout
    retrained = audionet_here("retrain", "--steps", 500, cwd=workshop)
    assert "bottlenecks: 0 computed" in retrained.stdout
    assert times() == before
    # What was measured is printed again.
    assert "held-out accuracy:" in retrained.stdout
    assert "from 20 recordings" in retrained.stdout
    assert "confusion (rows: the truth, columns: taken for)" in retrained.stdout
    assert all(voice in retrained.stdout for voice in VOICES)


@pytest.mark.skipif(
    shutil.which("unshare") is None or run_program(["unshare", "-rn", "true"], check=False).returncode != 0,
    reason="no network namespaces here",
)
def test_everything_works_with_the_network_cut_and_without_a_system_ffmpeg(tmp_path: Path) -> None:
    command = [str(shutil.which("unshare")), "-rn", sys.executable, "-m", "audionet"]
    poor = {"PATH": str(tmp_path / "no-programs"), "HOME": str(tmp_path / "home")}
    clip = SAMPLE_CLIPS / "june" / "june-clip-1.mp3"
    for voice in ("carlo", "june"):
        (tmp_path / "voices" / voice).mkdir(parents=True)
        for recording in sorted((SAMPLE_CLIPS / voice).glob("*.mp3"))[1:4]:  # which are short
            shutil.copy(recording, tmp_path / "voices" / voice)
    # Quiet: on a slow machine there are lines of progress.
    prepare = ["prepare", "voices", "--chunk-seconds", "7", "--overlap", "0", "-q"]
    for typed in (prepare, ["retrain", "--steps", "500", "-q"], ["label", str(clip)]):
        finished = run_program([*command, *typed], folder=tmp_path, variables=poor)
        assert finished.stderr == ""
    assert finished.stdout.splitlines()[1].split()[0] == "june"


def test_a_wheel_labels_with_a_model_trained_elsewhere(workshop: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(ROOT / "audionet", source / "audionet", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    # With the setuptools that is here: to build it in an environment of its own would take a network.
    run_program([*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(source)])
    (wheel,) = tmp_path.glob("audionet-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for path in (ROOT / "audionet" / "weights").iterdir():
        assert f"audionet/weights/{path.name}" in names
    for name in ("report.html", "report.css", "report.js"):
        assert f"audionet/report/templates/{name}" in names
    installed = tmp_path / "installed"
    run_program([*pip, "install", "--no-deps", "--target", str(installed), str(wheel)])
    typed = ["label", SAMPLE_CLIPS / "carlo" / "carlo-clip-2.mp3", "--graph", workshop / "tf_files"]
    program = "import sys, audionet; from audionet.__main__ import main; print(audionet.__file__); sys.exit(main())"
    finished = run_program(program, *map(str, typed), folder=tmp_path, variables={"PYTHONPATH": str(installed)})
    where, _, best, *_ = finished.stdout.splitlines()
    assert (str(installed) in where, best.split()[0]) == (True, "carlo")


def test_noise_silence_and_a_tone_are_unknown(workshop: Path, tmp_path: Path, audionet_here: Run) -> None:
    random = np.random.default_rng(0)
    sounds = {
        "noise": random.normal(0, 3000, 10 * SAMPLE_RATE_HZ).astype(np.int16),
        "silence": np.zeros(10 * SAMPLE_RATE_HZ, np.int16),
        "tone": tone(1000, 10),
    }
    clips = [write_wav(tmp_path / f"{name}.wav", samples) for name, samples in sounds.items()]
    found = json.loads(audionet_here("label", *clips, "--format", "json", cwd=workshop).stdout)
    assert [clip["label"] for clip in found] == ["unknown"] * 3
    assert all(0 <= clip["score"] <= 1 and clip["best"] in VOICES for clip in found)
    found = json.loads(audionet_here("label", *clips, "--no-unknown", "--format", "json", cwd=workshop).stdout)
    assert all(clip["label"] in VOICES for clip in found)


def test_the_timeline_of_a_spliced_minute(workshop: Path, tmp_path: Path, audionet_here: Run) -> None:
    order = ["paola", "allison", "carlo"]
    parts = [np.concatenate([voice_samples(voice)] * 2)[: 20 * SAMPLE_RATE_HZ] for voice in order]
    minute = write_wav(tmp_path / "minute.wav", np.concatenate(parts))
    (clip,) = json.loads(audionet_here("label", minute, "--timeline", "--format", "json", cwd=workshop).stdout)
    assert [segment["label"] for segment in clip["segments"]] == order
    assert [segment["end_seconds"] for segment in clip["segments"]] == pytest.approx([20, 40, 60], abs=1.5)


def test_two_seconds_of_a_voice_are_enough(workshop: Path) -> None:
    """At least 97 % right, with a model of 20-second chunks."""
    files = workshop / "tf_files"
    model = load_model(LabelOptions(files / "retrained_graph.pb", files / "retrained_labels.txt"))
    length = 2 * SAMPLE_RATE_HZ
    right = []
    for voice in VOICES:
        samples = voice_samples(voice, clips=3)
        for start in range(0, len(samples) - length + 1, length):
            scores, _ = model.score(model.renderer.render(samples[start : start + length]))
            right.append(model.labels[int(scores.argmax())] == voice)
    assert len(right) > 50
    assert np.mean(right) >= 0.97


def voice_samples(voice: str, clips: int = 5) -> np.ndarray:
    """So many of a voice's held-out clips, one after the other."""
    paths = sorted((SAMPLE_CLIPS / voice).glob("*.mp3"))[:clips]
    return np.concatenate([block for path in paths for block in decode(path)])


def noisy(samples: np.ndarray, noise: np.ndarray, below_db: float = 20) -> np.ndarray:
    """The sound in noise so far below it."""
    gain: float = 10 ** (-below_db / 20) * samples.std() / noise.std()
    return samples + gain * noise


def in_hall(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The sound with echoes of one second in all, about as loud as itself."""
    echoes = rng.normal(size=SAMPLE_RATE_HZ) * 10 ** (-3 * np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ)
    echoes[0] = np.sqrt(np.square(echoes).sum())
    spectra = [np.fft.rfft(each, len(samples) + len(echoes)) for each in (samples, echoes)]
    heard = np.fft.irfft(spectra[0] * spectra[1])[: len(samples)]
    return np.asarray(heard * samples.std() / heard.std())


def wind(white: np.ndarray) -> np.ndarray:
    """White noise of which what lies below 150 Hz is left, as of wind in a microphone."""
    spectrum, hz = np.fft.rfft(white), np.fft.rfftfreq(len(white), 1 / SAMPLE_RATE_HZ)
    return np.asarray(np.fft.irfft(spectrum / np.sqrt(1 + (hz / 150) ** 8), len(white)))


def pink(white: np.ndarray) -> np.ndarray:
    """White noise made pink."""
    spectrum = np.fft.rfft(white)
    return np.asarray(np.fft.irfft(spectrum / np.sqrt(np.arange(len(spectrum)).clip(1)), len(white)))


def hum(length: int, frequency_hz: float, harmonics: int = 1) -> np.ndarray:
    """A tone of the mains, with harmonics that become softer."""
    tones = [tone(frequency_hz * n, length / SAMPLE_RATE_HZ) / n for n in range(1, harmonics + 1)]
    return np.asarray(np.sum(tones, axis=0))


def over_gsm(samples: np.ndarray) -> np.ndarray:
    """Sound as a mobile phone of the nineties passes it on: GSM 06.10."""
    import soundfile

    from audionet.audio.ffmpeg import decode

    with tempfile.TemporaryDirectory() as folder:
        wide = write_wav(Path(folder, "wide.wav"), samples)
        narrow = np.concatenate(list(decode(wide, sample_rate_hz=8000)))
        gsm = Path(folder, "gsm.wav")
        soundfile.write(gsm, narrow / 32768, 8000, format="WAV", subtype="GSM610")
        return np.concatenate(list(decode(gsm))).astype(float)


SILENCE = np.zeros(10 * SAMPLE_RATE_HZ)
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]
# What people hear past: in how many of twelve clips the voice may be unknown, and how a clip is changed.
HEARD_PAST: dict[str, tuple[int, Change]] = {
    "quieter": (0, lambda clip, _: clip / 4),
    "white noise": (2, lambda clip, rng: noisy(clip, rng.normal(size=len(clip)))),
    "pink noise": (2, lambda clip, rng: noisy(clip, pink(rng.normal(size=len(clip))))),
    "silence in front": (1, lambda clip, _: np.concatenate([SILENCE, clip])),
    "silence behind": (1, lambda clip, _: np.concatenate([clip, SILENCE])),
    "faint noise in front": (
        1,
        lambda clip, rng: np.concatenate([rng.normal(0, clip.std() / 1000, len(SILENCE)), clip]),
    ),
    "hum": (1, lambda clip, _: noisy(clip, hum(len(clip), 50))),
    "harmonics": (1, lambda clip, _: noisy(clip, hum(len(clip), 60, 8))),
    "offset": (1, lambda clip, _: clip + 0.02 * 32768),
    "GSM": (1, lambda clip, _: over_gsm(clip)),  # ffmpeg 5.1 resamples it more coarsely
    "clipped": (1, lambda clip, _: clip * (4 * 32768 / np.abs(clip).max())),  # when it is written
    "few bits": (1, lambda clip, _: (clip / 256).round() * 256),
    "hall": (2, in_hall),
    "wind": (2, lambda clip, rng: noisy(clip, wind(rng.normal(size=len(clip))), 6)),
}


@pytest.mark.parametrize(("most_unknown", "change"), HEARD_PAST.values(), ids=HEARD_PAST)
def test_what_people_hear_past_does_not_decide(
    workshop: Path, tmp_path: Path, audionet_here: Run, most_unknown: int, change: Change
) -> None:
    """Three clips of each voice: 12 dB quieter; in noise 20 dB below; with 10 s of silence, or of noise 60 dB below;
    with the hum of the mains, clipped, in a hall, in wind. No voice is taken for another, and hardly one is unknown.
    """
    rng = np.random.default_rng(0)
    for voice in VOICES:
        for path in sorted((SAMPLE_CLIPS / voice).glob("*.mp3"))[:3]:
            changed = change(np.concatenate(list(decode(path))).astype(float), rng)
            write_wav(tmp_path / "clips" / voice / f"{path.stem}.wav", changed.clip(-32768, 32767).round())
    found = json.loads(audionet_here("label", tmp_path / "clips", "--format", "json", cwd=workshop).stdout)
    assert len(found) == 12
    assert all(clip["best"] == Path(clip["clip"]).parent.name for clip in found)
    assert sum(clip["label"] == "unknown" for clip in found) <= most_unknown
