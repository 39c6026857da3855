#!/usr/bin/env python3
"""Make the sample voices in tf_files/ from four of Debian's packages of telephone prompts.

    python scripts/make_sample_voices.py                  fetches the packages with apt-get
    python scripts/make_sample_voices.py --packages DIR   uses the .deb files in DIR

Each voice becomes five recordings of about a minute and a half in tf_files/data_audio/<voice>/ and five clips of
about fifteen seconds in tf_files/test_audio/<voice>/, all MP3. A recording is a row of prompts with pauses between
them. No prompt is in two files, and a prompt that is in a test clip of one voice is in no recording of another: a
prompt's name alone decides where it goes, so the words never tell the voice.

The prompts of paola have an offset and a hum of the mains, which would tell her from the others as well as her voice.
They are taken out before the MP3s are made.
"""

import argparse
import hashlib
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SAMPLE_RATE_HZ = 8000  # of the prompts: telephone quality
BIT_RATE = "24k"  # of the MP3s
PAUSE_SECONDS = 0.35  # between two prompts
SHORTEST_PROMPT_SECONDS, LONGEST_PROMPT_SECONDS = 1.0, 12.0
RECORDING_SECONDS = (90, 74, 96, 80, 86)  # at least; a recording ends with the prompt that reaches it
CLIP_SECONDS = (12, 10, 14, 11, 13)
SHARES = (7,) * len(RECORDING_SECONDS) + (1,) * len(CLIP_SECONDS)  # of the prompts, a file
# Folders and names that hold no words of the speaker.
NOT_SPEECH = ("silence/", "beep", "tt-monkeys")

# 48 dB an octave from 75 Hz downwards, where there is no voice.
HIGH_PASS = ",".join(["highpass=frequency=75"] * 4)

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Voice:
    """A speaker, and the package and folder that hold the prompts. `artist` and `licence` go into the MP3s' tags.

    filters: ffmpeg's, for what is not the voice.
    """

    name: str
    package: str
    folder: str
    artist: str
    licence: str
    filters: str = "anull"


VOICES = (
    Voice("allison", "asterisk-core-sounds-en-wav", "en_US_f_Allison", "Allison Smith", "CC BY-SA 3.0"),
    Voice("carlo", "asterisk-core-sounds-it-wav", "it_IT_m_Carlo", "Carlo Flora", "CC BY 3.0"),
    Voice("june", "asterisk-core-sounds-fr-wav", "fr_CA_f_June", "June Wallack", "CC BY-SA 3.0"),
    Voice(
        "paola",
        "asterisk-prompt-it-menardi-wav",
        "it_IT_f_Menardi",
        "Marco Menardi e Paola Dal Zot, http://www.voip.ammdomus.it",
        "CC BY-SA 3.0 IT",
        HIGH_PASS,
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, metavar="DIR", help="folder with the four .deb files")
    parser.add_argument("--voice", metavar="NAME", choices=[voice.name for voice in VOICES], help="only this one")
    parser.add_argument("--output", type=Path, metavar="DIR", default=ROOT / "tf_files")
    options = parser.parse_args()
    voices = [voice for voice in VOICES if options.voice in (None, voice.name)]
    with tempfile.TemporaryDirectory() as temporary:
        packages = options.packages or Path(temporary)
        if options.packages is None:
            names = [voice.package for voice in voices]
            subprocess.run(["apt-get", "download", *names], cwd=packages, check=True)
        for voice in voices:
            extracted = Path(temporary) / voice.name
            subprocess.run(["dpkg-deb", "-x", next(packages.glob(f"{voice.package}_*.deb")), extracted], check=True)
            make_voice(voice, extracted / "usr/share/asterisk/sounds" / voice.folder, options.output)


def make_voice(voice: Voice, prompts: Path, output: Path) -> None:
    """Write a voice's recordings and clips."""
    shutil.rmtree(output / "data_audio" / voice.name, ignore_errors=True)
    shutil.rmtree(output / "test_audio" / voice.name, ignore_errors=True)
    files = [("data_audio", f"{n + 1:02d}", seconds) for n, seconds in enumerate(RECORDING_SECONDS)]
    files += [("test_audio", f"clip-{n + 1}", seconds) for n, seconds in enumerate(CLIP_SECONDS)]
    buckets = sort_into_buckets(prompts)
    for (folder, name, seconds), bucket in zip(files, buckets, strict=True):
        samples = b"".join(take(bucket, seconds))
        path = output / folder / voice.name / f"{voice.name}-{name}.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        encode(samples, path, voice)
        print(f"{path.relative_to(output)}: {len(samples) / 2 / SAMPLE_RATE_HZ:.1f} s")


def sort_into_buckets(prompts: Path) -> list[list[Path]]:
    """The prompts by the file they go to, in an order that has nothing to do with their meaning."""
    buckets: list[list[Path]] = [[] for _ in SHARES]
    places = [number for number, share in enumerate(SHARES) for _ in range(share)]
    seen = set()
    for path in sorted(prompts.rglob("*.wav"), key=lambda path: name_hash(path, prompts)):
        name = path.relative_to(prompts).as_posix()
        content = hashlib.sha256(path.read_bytes()).digest()
        if not name.startswith(NOT_SPEECH) and content not in seen:
            seen.add(content)
            buckets[places[name_hash(path, prompts) % len(places)]].append(path)
    return buckets


def name_hash(path: Path, prompts: Path) -> int:
    """A number that depends on the prompt's name alone."""
    return int(hashlib.sha256(path.relative_to(prompts).as_posix().encode()).hexdigest()[:12], 16)


def take(prompts: list[Path], seconds: float) -> Iterator[bytes]:
    """The samples of the first prompts, with pauses, until they last `seconds`."""
    wanted = seconds * SAMPLE_RATE_HZ * 2
    taken = 0
    for path in prompts:
        with wave.open(str(path)) as file:
            assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (SAMPLE_RATE_HZ, 2, 1), path
            samples = file.readframes(file.getnframes())
        if not SHORTEST_PROMPT_SECONDS <= len(samples) / 2 / SAMPLE_RATE_HZ <= LONGEST_PROMPT_SECONDS:
            continue
        pause = bytes(2 * round(PAUSE_SECONDS * SAMPLE_RATE_HZ))
        yield samples + pause
        taken += len(samples) + len(pause)
        if taken >= wanted:
            return
    raise SystemExit(f"make_sample_voices.py: only {taken / 2 / SAMPLE_RATE_HZ:.0f} of {seconds} seconds of prompts")


def encode(samples: bytes, path: Path, voice: Voice) -> None:
    """Write an MP3 with credits in its tags."""
    command = ["ffmpeg", "-v", "error", "-y", "-f", "s16le", "-ar", str(SAMPLE_RATE_HZ), "-ac", "1", "-i", "pipe:0"]
    command += ["-af", voice.filters, "-b:a", BIT_RATE, "-metadata", f"artist={voice.artist}"]
    command += ["-metadata", f"copyright={voice.licence}"]
    subprocess.run([*command, "-bitexact", str(path)], input=samples, check=True)


if __name__ == "__main__":
    main()
