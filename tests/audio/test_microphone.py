import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from audionet.audio import microphone
from audionet.audio.microphone import Device, find_devices, listen
from audionet.errors import AudionetError
from audionet.settings import SAMPLE_RATE_HZ
from tests.conftest import pitch_hz


def heard(source: str) -> np.ndarray:
    return np.concatenate(list(listen(Device("lavfi", source))))


def test_a_virtual_microphone_is_heard_as_it_is() -> None:
    samples = heard("sine=frequency=1000:duration=2:sample_rate=48000")
    assert samples.dtype == np.float32
    assert len(samples) == pytest.approx(2 * SAMPLE_RATE_HZ, abs=100)
    assert pitch_hz(samples) == pytest.approx(1000, abs=1)
    assert not heard("anullsrc=duration=1").any()


def test_two_channels_are_mixed_to_their_mean() -> None:
    both = heard("sine=frequency=1000:duration=1,volume=8,pan=stereo|c0=c0|c1=0.5*c0")
    one = heard("sine=frequency=1000:duration=1,volume=8")
    assert np.abs(both).max() == pytest.approx(0.75 * np.abs(one).max(), rel=0.01)


def test_blocks_come_as_they_are_heard() -> None:
    blocks = listen(Device("lavfi", "sine=frequency=300,arealtime"))
    first = next(blocks)
    assert 0 < len(first) < SAMPLE_RATE_HZ, "long before a whole window"
    blocks.close()


def test_what_cannot_be_heard_is_said_with_a_remedy() -> None:
    with pytest.raises(AudionetError, match=r"lavfi microphone 'nonsense' can't be heard \(.+\)$"):
        heard("nonsense")
    with pytest.raises(AudionetError, match=r"name one as --microphone NAME, of those that this lists: pactl list"):
        list(listen(Device("pulse", "none such")))


@pytest.fixture
def other_ffmpeg() -> Iterator[None]:
    """Forget what this machine's ffmpeg can hear, before and after."""
    microphone.kinds_of_ffmpeg.cache_clear()
    yield
    microphone.kinds_of_ffmpeg.cache_clear()


@pytest.mark.usefixtures("other_ffmpeg")
@pytest.mark.parametrize(
    ("platform", "wanted", "expected"),
    [
        ("linux", "", ["pulse:default", "alsa:default"]),
        ("linux", "hw:1", ["pulse:hw:1", "alsa:hw:1"]),
        ("linux", "alsa:hw:1", ["alsa:hw:1"]),
        ("darwin", "", ["avfoundation::default"]),
        ("darwin", "0", ["avfoundation::0"]),
        ("win32", "", ["dshow:audio=Microphone (USB: 2)"]),
        ("win32", "Line In", ["dshow:audio=Line In"]),
    ],
)
def test_each_systems_microphones_are_named_as_ffmpeg_wants(
    platform: str, wanted: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = """
 D  alsa            ALSA audio output
 D  avfoundation    AVFoundation input device
 D  dshow           DirectShow capture
 DE pulse           Pulse audio output
  E xv              XV (XVideo) output device
[dshow @ 0x1] "Camera" (video)
[dshow @ 0x1] "Microphone (USB: 2)" (audio)
"""
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(microphone, "_printed", lambda *_: listed)
    assert [f"{device.kind}:{device.ffmpeg_input}" for device in find_devices(wanted)] == expected


@pytest.mark.usefixtures("other_ffmpeg")
def test_an_ffmpeg_without_devices_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone, "_printed", lambda *_: "Devices:\n")
    with pytest.raises(AudionetError, match="can't hear a microphone on this system; install another ffmpeg"):
        find_devices("")


def test_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    blocks = listen(Device("lavfi", "sine"))
    next(blocks)
    blocks.close()
    assert list(tmp_path.iterdir()) == []
