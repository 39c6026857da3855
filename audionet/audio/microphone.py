"""What a microphone hears -> mono samples as they come, through ffmpeg's input devices."""

import functools
import re
import sys
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from audionet.audio.channels import BYTES_PER_SAMPLE, mono_filters, samples_of
from audionet.audio.ffmpeg import ask_ffmpeg, find_ffmpeg, running_ffmpeg
from audionet.errors import AudionetError
from audionet.parallel.process import Messages, listened_to, start_program
from audionet.settings import SAMPLE_RATE_HZ

BLOCK_BYTES = 1 << 16  # read at a time at most: 2 s of sound at 16 kHz
USUAL_RATE_HZ = 48_000  # of microphones
KINDS_WITH_RATES = ("pulse", "alsa", "dshow")  # of devices that can be asked for a sample rate
# ffmpeg's kinds of devices on each system, the likeliest first.
KINDS = {"linux": ("pulse", "alsa"), "darwin": ("avfoundation",), "win32": ("dshow",)}
OTHER_KINDS = ("oss", "openal", "jack", "sndio", "lavfi")  # by name alone: `lavfi:sine` is no microphone, but a test
HOW_TO_LIST = {
    "pulse": "pactl list short sources",
    "alsa": "arecord -L",
    "avfoundation": 'ffmpeg -hide_banner -f avfoundation -list_devices true -i ""',
    "dshow": "ffmpeg -hide_banner -f dshow -list_devices true -i dummy",
}


@dataclass(frozen=True)
class Device:
    """A microphone: ffmpeg's kind of device, and its name there."""

    kind: str
    name: str

    @property
    def ffmpeg_input(self) -> str:
        """The name as ffmpeg wants it: on some systems, a mark before it says that the sound is meant."""
        return {"avfoundation": ":", "dshow": "audio="}.get(self.kind, "") + self.name


def find_devices(wanted: str) -> list[Device]:
    """The devices to try in turn for a microphone's name; "" is the system's own.

    wanted: a name as the system has it, or with ffmpeg's kind of device before it: `alsa:hw:1`.
    Raises AudionetError if there is none.
    """
    kind, colon, name = wanted.partition(":")
    if colon and kind in {kind for kinds in (*KINDS.values(), OTHER_KINDS) for kind in kinds}:
        return [Device(kind, name)]
    kinds = [kind for kind in KINDS.get(sys.platform, OTHER_KINDS) if kind in kinds_of_ffmpeg()]
    if not kinds:
        raise AudionetError(f"{find_ffmpeg()} can't hear a microphone on this system; install another ffmpeg")
    return [Device(kind, wanted or _default_name(kind)) for kind in kinds]


def listen(device: Device, sample_rate_hz: int = SAMPLE_RATE_HZ) -> Generator[np.ndarray, None, None]:
    """Blocks of samples at a sample rate, as `decode` gives them, each as soon as it is heard, until the device ends.

    Raises AudionetError when it can't be opened, or is lost.
    """
    command = [find_ffmpeg(), "-nostdin", "-v", "error", "-f", device.kind]
    # Unless they are asked for more, devices give what people hear, of which no more can be made.
    if sample_rate_hz > USUAL_RATE_HZ and device.kind in KINDS_WITH_RATES:
        command += ["-sample_rate", str(sample_rate_hz)]
    command += ["-i", device.ffmpeg_input, "-map", "0:a:0"]
    command += ["-af", mono_filters(sample_rate_hz), "-flush_packets", "1", "-f", "f32le", "pipe:1"]
    with running_ffmpeg():
        process = start_program(command)
    messages, rest = Messages(), b""  # in weeks of listening, there may be many messages
    with listened_to(process, messages) as output:
        while block := output.read1(BLOCK_BYTES):  # type: ignore[attr-defined]
            block = rest + block
            whole = len(block) - len(block) % BYTES_PER_SAMPLE
            rest = block[whole:]
            yield samples_of(block[:whole])
        status = process.wait()
    if status:
        raise AudionetError(_explain(device, bytes(messages.kept).decode(errors="replace")))


def _explain(device: Device, messages: str) -> str:
    lines = messages.strip().splitlines()
    reason = lines[-1].rpartition(": ")[2].rstrip(".") if lines else "no reason given"
    if "Unknown input format" in messages:
        reason = "this ffmpeg knows no such kind of device"
    known = HOW_TO_LIST.get(device.kind)
    remedy = f"; name one as --microphone NAME, of those that this lists: {known}" if known else ""
    return f"{device.kind} microphone {device.name!r} can't be heard ({reason}){remedy}"


@functools.cache
def kinds_of_ffmpeg() -> frozenset[str]:
    """The kinds of devices that this ffmpeg can hear."""
    listed = _printed("-devices")
    return frozenset(kind for names in re.findall(r"^ D.? +(\S+)", listed, re.MULTILINE) for kind in names.split(","))


def _default_name(kind: str) -> str:
    """What the system's own microphone is called; DirectShow has none, so that the first is taken."""
    if kind != "dshow":
        return "default"
    device = re.search(r'"([^"]+)" \(audio\)', _printed("-f", "dshow", "-list_devices", "true", "-i", "dummy"))
    if device is None:
        raise AudionetError("no microphone was found; connect one, and allow programs to use it")
    return device[1]


def _printed(*arguments: str) -> str:
    """What ffmpeg prints, on either stream."""
    finished = ask_ffmpeg("-hide_banner", *arguments)
    return (finished.stdout + finished.stderr).decode(errors="replace")
