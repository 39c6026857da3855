"""What of a recording is not its sound: measured, and told where two classes differ in it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from audionet.audio.ffmpeg import decode
from audionet.audio.levels import Conditions, conditions, of_recording
from audionet.dataset.conditions import out_of_range, unlike_conditions
from audionet.dataset.samples import Sample
from audionet.settings import PictureSettings
from tests.conftest import sample_of, tone, write_wav

USUAL = PictureSettings()
Change = Callable[[np.ndarray], np.ndarray]


def band(sound: np.ndarray, low_hz: float, high_hz: float) -> np.ndarray:
    """What lies between two frequencies."""
    spectrum, frequencies = np.fft.rfft(sound), np.fft.rfftfreq(len(sound), 1 / 16_000)
    return np.asarray(np.fft.irfft(np.where((frequencies >= low_hz) & (frequencies <= high_hz), spectrum, 0)))


def speech(seed: int, cut_off_hz: float = 8000.0) -> np.ndarray:
    """Two seconds of bursts of noise with pauses, as float samples: up to a frequency, with faint noise throughout."""
    random = np.random.default_rng(seed)
    times = np.arange(32_000) / 16_000
    bursts = np.clip(4 * np.sin(2 * np.pi * 2 * times + random.uniform(0, 6)), 0, 1)
    voice, faint = (band(random.normal(0, level, len(times)), 150, cut_off_hz) for level in (2500, 20))
    return np.asarray(voice * bursts + faint)


def test_conditions_are_measured() -> None:
    sound = speech(1, cut_off_hz=3500) + tone(50, 2, 0.05) + 655
    found = conditions(np.rint(sound).astype(np.int16), 16_000)
    assert found is not None
    assert found.offset == pytest.approx(0.02, abs=0.001)
    assert found.cut_off_hz == pytest.approx(3500, abs=50)
    voice, hum = np.mean(speech(1, cut_off_hz=3500) ** 2), (0.05 * 32767) ** 2 / 2
    assert found.rumble_db == pytest.approx(10 * np.log10(hum / (voice + hum)), abs=1.5)
    assert found.level_db == pytest.approx(10 * np.log10((voice + hum) / 32767**2), abs=0.2)
    pauses = conditions(np.rint(speech(1)).astype(np.int16), 16_000)
    assert pauses is not None
    assert pauses.floor_db == pytest.approx(20 * np.log10(20 / 32767), abs=1)


def test_silence_has_no_conditions() -> None:
    assert conditions(np.zeros(16_000, np.int16), 16_000) is None
    assert of_recording([]) is None


def recordings(name: str, change: Change | None = None, count: int = 4) -> list[Sample]:
    """Samples of a class whose recordings are changed speech."""
    found = []
    for n in range(count):
        sound = speech(hash_of(name) + n)
        changed = sound if change is None else change(sound)
        known = conditions(np.rint(changed.clip(-32768, 32767)).astype(np.int16), 16_000)
        found.append(sample_of(name, f"{n}.wav", 0, 2, conditions=known))
    return found


def hash_of(name: str) -> int:
    """A seed of its own for each class."""
    return sum(name.encode())


DIFFERENCES: dict[str, Change] = {
    "an offset (2.0% of full scale)": lambda sound: sound + 655,
    "hum or rumble below 60 Hz": lambda sound: sound + tone(50, 2, 0.01),
    "end at 4.0 kHz": lambda sound: band(sound, 0, 4000),
    "dB more noise": lambda sound: sound + np.random.default_rng(3).normal(0, 150, len(sound)),
    "dB fainter": lambda sound: sound / 25,
}


@pytest.mark.parametrize("said", DIFFERENCES)
def test_what_tells_two_classes_apart_and_is_not_their_sound_is_told(said: str) -> None:
    warnings = unlike_conditions([*recordings("anna"), *recordings("ben", DIFFERENCES[said])], USUAL)
    assert [warning for warning in warnings if said in warning], warnings
    assert len(warnings) == 1
    assert "'anna'" in warnings[0]
    assert "'ben'" in warnings[0]


def test_what_lies_below_60_hz_is_no_hum_where_it_is_drawn() -> None:
    whales = recordings("fin whale", lambda sound: sound + tone(20, 2, 0.3))
    (warning,) = unlike_conditions([*recordings("anna"), *whales], PictureSettings(high_pass_hz=10))
    assert "'fin whale' have sound below 60 Hz (0 dB below the whole sound), " in warning
    assert warning.endswith("it is drawn; if it is hum, leave it out with prepare --high-pass 65 --force")


@pytest.mark.parametrize(("with_offset", "without"), [(0, 4), (3, 3), (2, 0)])
def test_what_few_or_some_recordings_of_a_class_have_is_no_difference(with_offset: int, without: int) -> None:
    offset = DIFFERENCES["an offset (2.0% of full scale)"]
    bens = [*recordings("ben", offset, with_offset), *recordings("ben", count=without)]
    assert unlike_conditions([*recordings("anna"), *bens, *recordings("carl")], USUAL) == []


def test_a_recording_of_a_telephone_is_known_by_its_end(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for rate_hz, expected in ((8000, 4000), (44_100, 8000)):
        path = write_wav(tmp_path / f"{rate_hz}.wav", random.normal(0, 3000, 2 * rate_hz).astype(np.int16), rate_hz)
        found = conditions(np.concatenate(list(decode(path))), 16_000)
        assert isinstance(found, Conditions)
        assert found.cut_off_hz == pytest.approx(expected, rel=0.15)


def test_a_click_in_silence_says_nothing() -> None:
    samples = np.zeros(20 * 16_000, np.int16)
    samples[14_000:14_400] = 20_000
    assert conditions(samples, 16_000) is None


@pytest.mark.parametrize(("recordings", "is_conditional"), [(3, False), (30, True)])
def test_what_one_recording_of_many_lacks_is_no_reason_to_draw_all_anew(recordings: int, is_conditional: bool) -> None:
    needed = dict.fromkeys(map(str, range(recordings)), None) | {"pause.wav": 8000}
    (sentence,) = out_of_range(needed, USUAL)
    assert ("if it is what is to be told apart" in sentence) == is_conditional
