"""Whatever people feed the commands: recordings and pictures of every kind of badness, made to order."""

import io
import os
import socket
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from audionet.audio.ffmpeg import find_ffmpeg
from audionet.spectrogram import jpeg as pictures
from audionet.spectrogram.jpeg import Origin
from tests.conftest import chirps, tone, write_wav

PCM, FLOAT = 1, 3  # format tags of WAV


@dataclass(frozen=True)
class Input:
    """A file to make at a path. `usable`: whether something can be heard, or seen, in it."""

    what: str
    name: str
    make: Callable[[Path], object]
    usable: bool


def riff(
    samples: np.ndarray, bits: int, tag: int = PCM, rate_hz: int = 16000, claimed_bytes: int | None = None
) -> bytes:
    """A WAV of samples -1 to 1 (n, or n x channels) in any depth; `claimed_bytes` is what its header says."""
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    if tag == FLOAT:
        data = samples.astype(f"<f{bits // 8}").tobytes()
    elif bits == 8:
        data = (samples * 127 + 128).astype(np.uint8).tobytes()
    else:
        whole = (samples * (2.0 ** (bits - 1) - 1)).astype("<i8")
        data = whole.reshape(-1, 1).view(np.uint8)[:, : bits // 8].tobytes()
    frame = channels * bits // 8
    size = len(data) if claimed_bytes is None else claimed_bytes
    header = struct.pack("<HHIIHH", tag, channels, rate_hz, rate_hz * frame, frame, bits)
    return (
        b"RIFF"
        + struct.pack("<I", min(size + 36, 2**32 - 1))
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + header
        + (b"data" + struct.pack("<I", size) + data)
    )


def sine(seconds: float = 2.0, rate_hz: int = 16000, channels: int = 1) -> np.ndarray:
    wave = 0.5 * np.sin(2 * np.pi * 300 * np.arange(round(seconds * rate_hz)) / rate_hz)
    return wave if channels == 1 else np.repeat(wave[:, None], channels, axis=1)


def wav(seconds: float = 2.0) -> Callable[[Path], object]:
    return lambda path: write_wav(path, chirps(0, 200, 400, seconds))


def raw(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def with_holes(value: float) -> np.ndarray:
    samples = sine()
    samples[100:2000:7] = value
    return samples


def encoded(format_name: str, *options: str, seconds: float = 2.0) -> bytes:
    """Chirps as ffmpeg encodes them."""
    command = [find_ffmpeg(), "-v", "error", "-f", "s16le", "-ar", "16000", "-ac", "1", "-i", "pipe:0"]
    command += [*options, "-f", format_name, "pipe:1"]
    sound = chirps(0, 200, 400, seconds).tobytes()
    return subprocess.run(command, input=sound, stdout=subprocess.PIPE, check=True).stdout


def film(*options: str) -> bytes:
    command = [find_ffmpeg(), "-v", "error", "-f", "lavfi", "-i", "testsrc=s=32x32:d=2", "-f", "lavfi", "-i"]
    command += ["sine=d=2", *options, "-f", "matroska", "pipe:1"]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout


def id3(frame: bytes) -> bytes:
    return b"ID3\x03\0\0" + bytes(len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0)) + frame


def claims_hours(mp3: bytes) -> bytes:
    """An MP3 whose header (Info or Xing) speaks of a million frames."""
    place = max(mp3.find(b"Info"), mp3.find(b"Xing"))
    return mp3[: place + 8] + struct.pack(">I", 1_000_000) + mp3[place + 12 :]


def unfinished(wav: bytes, length: int = 0) -> bytes:
    """A long WAV as a recorder leaves it that loses its power: how long it is, in bytes, would be written last."""
    sizes = b"ds64" + struct.pack("<IQQQI", 28, 0, length, 0, 0)
    return b"RF64\xff\xff\xff\xffWAVE" + sizes + wav[12:40] + b"\xff\xff\xff\xff" + wav[44:]


# Its table of contents would be written last.
UNFINISHED_M4A = b"\0\0\0\x18ftypM4A \0\0\0\0M4A isom\0\0\0\0mdat" + bytes(20_000)


def nms_adpcm() -> bytes:
    """A WAV of 4 bits a sample, as telephone exchanges write it."""
    wav = bytearray(riff(sine(rate_hz=8000), 8, rate_hz=8000))
    wav[20:22], wav[32:36] = struct.pack("<H", 0x38), struct.pack("<HH", 82, 4)
    return bytes(wav)


def damaged_middle(content: bytes) -> bytes:
    third = len(content) // 3
    return content[:third] + np.random.default_rng(0).bytes(third) + content[2 * third :]


def jpg(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(file, "JPEG")
    content = file.getvalue()
    place = content.index(b"\xff\xc0") + 5  # the frame's header: height and width
    return content[:place] + struct.pack(">HH", height, width) + content[place + 4 :]


def our_picture(fingerprint: str = "0123456789abcdef") -> bytes:
    return pictures.encode(np.zeros((299, 299), np.uint8), Origin(fingerprint, 0.0, 2.0))


def link(target: str) -> Callable[[Path], object]:
    return lambda path: path.symlink_to(target)


def a_socket(path: Path) -> None:
    # A socket's path may be no longer than 107 bytes.
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(before)


def unreadable(path: Path) -> None:
    wav()(path)
    path.chmod(0)


def huge(path: Path) -> None:
    with open(path, "wb") as file:
        file.write(jpg(8, 8))
        file.truncate(100 << 20)


def named(name: str, what: str) -> Input:
    return Input(f"a name {what}", name, wav(), True)


def sounds() -> list[Input]:
    """What lies in a class folder of recordings."""
    mp3 = encoded("mp3", "-b:a", "64k")
    cover = film("-an", "-frames:v", "1", "-c:v", "mjpeg")
    picture = id3(b"APIC" + struct.pack(">IH", len(cover) + 14, 0) + b"\0image/jpeg\0\x03\0" + cover)
    square = np.where(sine() > 0, 32767, -32768).astype(np.int16)
    found = [
        Input("an empty file", "empty.mp3", raw(b""), False),
        Input("an MP3 cut off in the middle", "cut off.mp3", raw(mp3[: len(mp3) // 2]), True),
        Input("an MP3 cut off in its first frame", "crumb.mp3", raw(mp3[:30]), False),
        Input("an ID3 tag and nothing else", "tag.mp3", raw(id3(b"TIT2\0\0\0\5\0\0\0song")), False),
        Input("a cover and nothing else", "cover.mp3", raw(picture), False),
        Input("an MP3 with a cover", "covered.mp3", raw(picture + mp3), True),
        Input("a text named .mp3", "notes.mp3", raw(b"Monday: two robins in the garden\n" * 50), False),
        Input("a web page named .mp3", "404.mp3", raw(b"<!DOCTYPE html><html><body>Not found</body></html>"), False),
        Input("noise without a format", "noise.mp3", raw(np.random.default_rng(1).bytes(20_000)), False),
        Input("zeros", "zeros.wav", raw(bytes(20_000)), False),
        Input("a WAV named .mp3", "really.mp3", wav(), True),
        Input("an MP3 named .wav", "really.wav", raw(mp3), True),
        Input("an MP3 named .txt", "song.txt", raw(id3(b"TIT2\0\0\0\5\0\0\0song") + mp3), True),
        Input("an MP3 without a suffix", "song", raw(mp3), True),
        Input("a playlist named .mp3", "playlist.mp3", raw(b"#EXTM3U\n#EXTINF:2,\ngood.wav\n"), False),
        Input("a concat script named .mp3", "script.mp3", raw(b"ffconcat version 1.0\nfile good.wav\n"), False),
        Input("FLAC", "a.flac", raw(encoded("flac")), True),
        Input("Ogg", "a.ogg", raw(encoded("ogg", "-c:a", "flac")), True),
        Input("a film with sound", "film.mkv", raw(film("-c:v", "mpeg4")), True),
        Input("a film without sound", "silent film.mkv", raw(film("-an", "-c:v", "mpeg4")), False),
        Input("one sample", "one.wav", lambda path: write_wav(path, tone(300, 1)[:1]), False),
        Input("no sample", "none.wav", lambda path: write_wav(path, tone(300, 1)[:0]), False),
        Input("50 ms", "short.wav", wav(0.05), False),
        Input("0.1 s, the least that is used", "just enough.wav", wav(0.1), True),
        Input("silence", "silence.wav", lambda path: write_wav(path, np.zeros(32000, np.int16)), True),
        Input("full-scale clipping", "clipped.wav", lambda path: write_wav(path, square), True),
        Input(
            "a DC offset and nothing else", "offset.wav", lambda p: write_wav(p, np.full(32000, 9999, np.int16)), True
        ),
        Input("float samples that are NaN", "nan.wav", raw(riff(with_holes(np.nan), 32, FLOAT)), True),
        Input("float samples that are infinite", "infinite.wav", raw(riff(with_holes(np.inf), 32, FLOAT)), True),
        Input("float samples far over full scale", "loud.wav", raw(riff(with_holes(1e30), 64, FLOAT)), True),
        Input("nothing but NaN", "all nan.wav", raw(riff(np.full(32000, np.nan), 32, FLOAT)), True),
        *(
            Input(f"{rate / 1000:g} kHz", f"{rate}.wav", raw(riff(sine(2, rate), 16, PCM, rate)), True)
            for rate in (8000, 11025, 22050, 44100, 48000, 96000, 192000)
        ),
        *(Input(f"{bits} bits", f"{bits} bits.wav", raw(riff(sine(), bits)), True) for bits in (8, 16, 24, 32)),
        *(Input(f"{bits}-bit float", f"{bits} float.wav", raw(riff(sine(), bits, FLOAT)), True) for bits in (32, 64)),
        *(
            Input(name, f"{n} channels.wav", raw(riff(sine(2, 16000, n), 16)), True)
            for n, name in ((2, "stereo"), (6, "5.1 channels"), (8, "7.1 channels"))
        ),
        Input("a sample rate of 0", "no rate.wav", raw(riff(sine(), 16, PCM, 0)), False),
        Input("a long WAV (RF64) that was never finished", "unfinished.wav", raw(unfinished(riff(sine(), 16))), True),
        Input("an M4A that was never finished", "unfinished.m4a", raw(UNFINISHED_M4A), False),
        Input("a WAV of NMS ADPCM", "exchange.wav", raw(nms_adpcm()), False),
        Input("a WAV header that claims hours", "4 GB.wav", raw(riff(sine(), 16, claimed_bytes=2**32 - 64)), True),
        Input("a WAV header that claims nothing", "0 bytes.wav", raw(riff(sine(), 16, claimed_bytes=0)), True),
        Input("a WAV header and nothing else", "header.wav", raw(riff(sine(), 16)[:44]), False),
        Input("a VBR MP3 without a header", "vbr.mp3", raw(encoded("mp3", "-q:a", "4", "-write_xing", "0")), True),
        Input("an MP3 header that claims hours", "hours.mp3", raw(claims_hours(mp3)), True),
        Input("two MP3s one after the other", "two.mp3", raw(mp3 + encoded("mp3", "-ar", "44100")), True),
        Input("an MP3 with a damaged middle", "damaged.mp3", raw(damaged_middle(encoded("mp3", seconds=6.0))), True),
        named("two  spaces .wav", "with spaces"),
        named('it\'s "said".wav', "with quotes"),
        named("v1.2.final.wav", "with dots"),
        named("-i.wav", "with a leading dash"),
        named("two\nlines.wav", "with a line feed"),
        named("\x1b[31mred.wav", "with a terminal's escape code"),
        named("\N{BIRD}\N{MUSICAL NOTE}.wav", "of emoji"),
        named(os.fsdecode(b"caf\xe9.wav"), "with bytes that are no UTF-8"),
        named(f"{'x' * 246}.wav", "of 250 characters"),
        named("%03d 100%.wav", "with percent signs"),
        named("$(touch hacked);`id`.wav", "that a shell would run"),
        named("a_nohash_0001.wav", "with _nohash_"),
        Input("a link to a recording", "link.wav", link("good.wav"), True),
        Input("a link to nothing", "gone.wav", link("nowhere.wav"), False),
        Input("a link to itself", "loop.wav", link("loop.wav"), False),
        Input("a link to a folder", "folder", link("../CON"), False),
        Input("a file that may not be read", "secret.wav", unreadable, False),
        Input("a named pipe", "pipe.wav", os.mkfifo, False),
        Input("a socket", "socket.wav", a_socket, False),
        Input("a link to a device", "device.wav", link("/dev/zero"), False),
    ]
    return found


def bad_pictures(image_dir: Path) -> list[Input]:
    """What lies beside the pictures that prepare made in image_dir."""
    ours = next(image_dir.rglob("*.jpg")).read_bytes()
    return [
        Input("a text named .jpg", "notes.jpg", raw(b"no picture\n" * 100), False),
        Input("an empty .jpg", "empty.jpg", raw(b""), False),
        Input("half a picture", "half.jpg", raw(ours[: len(ours) // 2]), False),
        Input("a picture from elsewhere", "photo.jpg", raw(jpg(8, 8)), False),
        Input("a JPG that claims 60000 x 60000 pixels", "bomb.jpg", raw(jpg(60_000, 60_000)), False),
        Input("a .jpg of 100 MB", "huge.jpg", huge, False),
        Input("a picture made with other settings", "other.jpg", raw(our_picture()), False),
        Input("a named pipe called .jpg", "pipe.jpg", os.mkfifo, False),
        Input("a link to a device called .jpg", "device.jpg", link("/dev/zero"), False),
    ]


CLASS_FOLDERS = {
    "a class named like an option": "--force",
    "a class named as Windows reserves": "CON",
    "a class named <script>": "<script>",
    "a class named with a line feed": "two\nlines",
}


def can_be_made(made: Input, folder: Path) -> bool:
    """Make it. False where this system does not allow such a file."""
    made_here: Any = folder / made.name
    try:
        made.make(made_here)
    except (OSError, AttributeError, ValueError):
        return False
    return True
