"""What the beginning of a file says of the sound in it: of WAV in any of its forms, AIFF, CAF; or what it is else."""

import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from audionet.settings import MOST_CHANNELS
from audionet.system.files import open_file, read_beginning, read_part

WAV_PCM, WAV_FLOAT, WAV_EXTENSIBLE = 1, 3, 0xFFFE
WAV_ORDERS = {b"RIFF": "<", b"RF64": "<", b"BW64": "<", b"riff": "<", b"RIFX": ">"}  # of the bytes of numbers
FORMS = {WAV_PCM: ("s", (16, 24, 32)), WAV_FLOAT: ("f", (32, 64))}  # ffmpeg's letter for samples, and bits of each
BEGINNING_BYTES = 1 << 16  # of a file, in which it says how its samples lie there
# How the chunks of a file lie there: the name and length of each; where the first is; of what all are multiples; and
# how much longer they say that they are.
RIFF_CHUNKS = struct.Struct("<4sI"), 12, 2, 0
FORM_CHUNKS = struct.Struct(">4sI"), 12, 2, 0
W64_CHUNKS, ASF_CHUNKS = (struct.Struct("<16sQ"), 40, 8, 24), (struct.Struct("<16sQ"), 0, 1, 24)
CAF_CHUNKS = struct.Struct(">4sQ"), 8, 1, 0
CHUNKS = {b"RIFX": FORM_CHUNKS, b"FORM": FORM_CHUNKS, b"riff": W64_CHUNKS, b"caff": CAF_CHUNKS, b"0&\xb2u": ASF_CHUNKS}
SOUND_CHUNKS = (b"data", b"SSND", b"6&\xb2u")  # how the chunk begins that holds the sound; in AVI it is a list
CAF_FORM = struct.Struct(">d4sIIIII")  # rate, kind, flags, bytes of a block, frames of a block, channels, bits
CAF_FLOAT, CAF_LITTLE_ENDIAN = 1, 2  # flags
WAV_NMS_ADPCM, NMS_ADPCM = 0x38, "adpcm_nms"  # of telephone exchanges; ffmpeg takes it for AMR, and has no decoder
WAV_EVEN_BLOCKS = (WAV_PCM, WAV_FLOAT, 6, 7, WAV_EXTENSIBLE)  # blocks of equal length, as A-law and mu-law have too

# What a recorder leaves that lost its power: AIFF and W64 without the lengths, which it would have written last. ffmpeg
# refuses them; their samples lie there all the same.
AIFF_ORDERS = {b"NONE": "be", b"twos": "be", b"sowt": "le", b"fl32": "be", b"FL32": "be", b"fl64": "be", b"FL64": "be"}
AIFF_COMMON, AIFF_OFFSET_BYTES = struct.Struct(">HIHHQ"), 8  # channels, frames, bits, rate; what is before the samples
EXPONENT_BIAS, MANTISSA_BITS = 16383, 63  # of the rate, a number of 80 bits
HIGHEST_RATE_HZ = 1 << 20
# How a recording begins, or more sound in the same WAV, behind bytes that may fill up what is before it.
RECORDING = re.compile(rb"\0{0,7}(RIFF.{4}WAVE|FORM.{4}AIF[FC]|0&\xb2u|riff|caff|fLaC|OggS|data)", re.DOTALL)
FOLLOWING_BYTES = 19
OTHER_THAN_SOUND = re.compile(rb"\0?[ -~]{4}|\0\0|ID3")  # a chunk's name, what fills up, or a tag
# What stands for the length of sound that is written into a pipe: 0, about 2 GiB (SoX, arecord), about 4 GiB, and more
# than there can be.
NO_LENGTHS = range(1), range(0x7FFFE000, 0x80000001), range(0xFFFF0000, 1 << 32), range(1 << 60, 1 << 64)

NOT_AUDIO = "is not audio that ffmpeg can read"
NO_CONTENTS = "is cut off or damaged, and its table of contents is missing"
NO_DECODER = "holds sound of a kind that ffmpeg cannot decode; convert it with the program that wrote it"
# What ffmpeg prints -> what it means to a person; of several, the first counts.
EXPLANATIONS = {
    "moov atom not found": NO_CONTENTS,
    "Missing packet table": NO_CONTENTS,  # of a CAF
    "no 'data' tag found": "is cut off or damaged, and no sound is found in it",
    "End of file": "is cut off or damaged, and ends before its sound begins",
    **dict.fromkeys(("Decoder (codec", "no decoder found", "Unknown decoder", "Not yet implemented"), NO_DECODER),
    "Format not on whitelist": NOT_AUDIO,
    **dict.fromkeys(("matches no streams", "does not contain any stream"), "has no sound in it"),
    **dict.fromkeys(("Invalid data found", "Invalid argument", "could not find codec parameters"), NOT_AUDIO),
    "Failed to find two consecutive MPEG audio frames": NOT_AUDIO,
}

# What files are that are called as recordings are, or lie among them, and what helps.
OTHER_KINDS = {
    re.compile(rb"\s*<(!doctype html|html|head|body)", re.IGNORECASE): "a web page; download the recording again",
    re.compile(rb"\s*<\?xml|\s*[{\[]\s*[\"{]"): "a text for programs (XML or JSON); download the recording again",
    re.compile(rb"PK\x03\x04|7z\xbc\xaf|Rar!|\x1f\x8b|BZh\d|\xfd7zXZ"): "an archive; unpack it",
    re.compile(rb"version https://git-lfs"): "a note of Git LFS of where the recording is; fetch it with git lfs pull",
    re.compile(rb"(\.git|\.\.)?/annex/objects/"): "a note of git-annex on the recording; fetch it with git annex get",
    re.compile(rb"#EXTM3U|\[playlist\]|#EXTINF", re.IGNORECASE): "a playlist; add the recordings that it lists",
    re.compile(rb"MThd"): "MIDI, which is notes and no sound; play and record it",
    re.compile(rb"%PDF|\x89PNG|\xff\xd8\xff|GIF8"): "a document or a picture",
    re.compile(rb"SQLite format 3"): "a database, as Audacity's projects are; export the sound as WAV",
    re.compile(rb"Salted__|-----BEGIN PGP"): "encrypted; decrypt it",
}
# Of samples without a header, nothing says how many there are a second, nor how each is written.
WITHOUT_HEADERS = (".pcm", ".raw", ".s16", ".sw")


class WavForm(NamedTuple):
    """What the fmt chunk of a WAV says of the samples.

    kind: how they are coded. bits: that each takes, of which valid_bits are filled. mask: of speakers; 0 is unsaid.
    more: what else it says but zeros; of an extensible form, the end of the name of its kind.
    """

    kind: int
    channels: int
    rate_hz: int
    block_bytes: int
    bits: int
    valid_bits: int
    mask: int
    more: bytes


def wav_form(chunk: bytes, order: str = "<") -> WavForm | None:
    """What a fmt chunk says, whose numbers are in an order of bytes; None if it is too short to say it."""
    if len(chunk) < 16:
        return None
    kind, channels, rate_hz, _, block_bytes, bits = struct.unpack_from(f"{order}HHIIHH", chunk)
    valid_bits, mask, more = bits, 0, chunk[16:].rstrip(b"\0")
    if kind == WAV_EXTENSIBLE and len(chunk) >= 40:
        valid_bits, mask, kind = struct.unpack_from(f"{order}HIH", chunk, 18)
        more = chunk[26:40]
    return WavForm(kind, channels, rate_hz, block_bytes, bits, valid_bits, mask, more)


class Samples(NamedTuple):
    """How samples lie in a file: what ffmpeg calls their form, and where the first is."""

    form: str
    channels: int
    rate_hz: int
    place: int

    def options(self) -> list[str]:
        """How ffmpeg is told."""
        told = ["-format_whitelist", self.form, "-f", self.form, "-ar", str(self.rate_hz), "-ac", str(self.channels)]
        return [*told, "-skip_initial_bytes", str(self.place)]


# A telephone's samples without a header, 8000 a second, by the suffix; ffmpeg by itself plays them at 44.1 kHz.
TELEPHONES = {".ul": "mulaw", ".ulaw": "mulaw", ".al": "alaw", ".alaw": "alaw"}
HEADERS = (b"RIFF", b".snd", b"OggS", b"fLaC", b"ID3")

# The boxes of MP4: the length of each, with this, and its name. Of so many, an hour of tiny fragments is looked at.
BOX, MOST_BOXES = struct.Struct(">I4s"), 1 << 17
# A page of Ogg: its time, and, behind its header, so many sizes, as the header ends with, that sum up to its content's.
PAGE, PAGE_BYTES, LARGEST_PAGE = re.compile(rb"OggS\0.(.{8})", re.DOTALL), 27, 1 << 16
LATEST_BEGIN_SAMPLES = 200_000  # at most there are in the first page of a recording


def what_is_wrong(path: Path, messages: str, is_sound: bool) -> str:
    """What ffmpeg's messages about a file mean to a person; "" if nobody knows. is_sound: whether it has a track."""
    for symptom, meaning in EXPLANATIONS.items():
        if symptom in messages and not (meaning == NOT_AUDIO and is_sound):
            return meaning + (_what_it_is_instead(path) if meaning == NOT_AUDIO else "")
    return ""


def _what_it_is_instead(path: Path) -> str:
    """What a file is that ffmpeg cannot read, and what helps: `, but an archive; unpack it`; "" if nobody knows."""
    beginning = read_beginning(path, BEGINNING_BYTES)
    for pattern, kind in OTHER_KINDS.items():
        if pattern.match(beginning):
            return f", but {kind}"
    if path.suffix.lower() in WITHOUT_HEADERS:
        return ", for it has no header; save it as WAV with the program that knows its sample rate"
    return ""


def what_ffmpeg_overlooks(path: Path) -> list[str]:
    """What ffmpeg must be told of a file that it would misread by itself."""
    beginning = read_beginning(path, BEGINNING_BYTES)
    telephone = TELEPHONES.get(path.suffix.lower())
    if telephone and not beginning.startswith(HEADERS):
        return ["-f", telephone, "-ar", "8000"]
    samples = _unfinished_samples(beginning)
    if samples is not None:
        return samples.options()
    decoder = _misread_decoder(beginning)
    return (["-c:a", decoder] if decoder else []) + (["-ignore_length", "1"] if _goes_on(path, beginning) else [])


def _misread_decoder(beginning: bytes) -> str | None:
    """The decoder that ffmpeg must be told for the samples of a file; None where it finds the right one itself.

    By itself, it takes RIFX, whose numbers begin with their highest byte, for RIFF. In WAV, W64 and CAF, it misreads
    whole numbers that do not fill their bytes, such as 24 bits in 32. Of both it makes noise.
    beginning: the first BEGINNING_BYTES of any file.
    """
    if beginning[:4] == b"caff":
        return _misread_in_caf(beginning)
    order = WAV_ORDERS.get(beginning[:4])
    form = wav_form(_form_of_wav(beginning), order) if order else None
    if form is None:
        return None
    if form.kind == WAV_NMS_ADPCM and form.bits in (2, 3, 4):
        return NMS_ADPCM
    is_partly_filled = form.valid_bits > 0 and (form.valid_bits + 7) // 8 != form.bits // 8
    if form.bits % 8 or form.block_bytes * 8 != form.channels * form.bits or not (order == ">" or is_partly_filled):
        return None
    if (form.kind, form.bits) == (WAV_PCM, 8):
        return "pcm_u8"
    return _form(form.kind, form.bits, "le" if order == "<" else "be", "pcm_")


def _misread_in_caf(beginning: bytes) -> str | None:
    """As _misread_decoder, of a CAF, whose first chunk always says how its samples lie there."""
    if beginning[8:12] != b"desc" or len(beginning) < 20 + CAF_FORM.size:
        return None
    _, kind, flags, block_bytes, _, channels, bits = CAF_FORM.unpack_from(beginning, 20)
    sample_bytes, rest = divmod(block_bytes, channels or 1)
    if kind != b"lpcm" or rest or sample_bytes == (bits + 7) // 8:
        return None
    order = "le" if flags & CAF_LITTLE_ENDIAN else "be"
    return _form(WAV_FLOAT if flags & CAF_FLOAT else WAV_PCM, 8 * sample_bytes, order, "pcm_")


def _goes_on(path: Path, beginning: bytes) -> bool:
    """Whether the sound of a WAV goes on behind the end that its header tells of: that of a long one (RF64) was never
    written, or a plain one has more than the 4 GB that its header can tell of."""
    if beginning[:4] in (b"RF64", b"BW64"):
        return beginning[12:16] == b"ds64" and not any(beginning[28:36])
    ends = (body + length for name, body, length in chunks(beginning) if name == b"data")
    return beginning[:4] == b"RIFF" and is_more_sound(read_part(path, next(ends, 0), FOLLOWING_BYTES))


def is_more_sound(following: bytes) -> bool:
    """Whether FOLLOWING_BYTES behind the sound of a WAV are more of it, for nothing else begins with them."""
    return len(following) == FOLLOWING_BYTES and OTHER_THAN_SOUND.match(following) is None


def _form_of_wav(beginning: bytes) -> bytes:
    """The content of the fmt chunk of a WAV or W64; nothing if there is none."""
    places = (slice(body, body + length) for name, body, length in chunks(beginning) if name[:4] == b"fmt ")
    return beginning[next(places, slice(0))]


def chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The chunks of a WAV in any of its forms, AIFF or CAF: the name of each, where its body begins, and its length."""
    form, place, multiple, too_much = CHUNKS.get(content[:4], RIFF_CHUNKS)
    while place + form.size <= len(content):
        name, length = form.unpack_from(content, place)
        place, length = place + form.size, max(0, length - too_much)
        yield name, place, length
        place += length + -length % multiple


class Promised(NamedTuple):
    """What a file promises: how many times the sound that is there; whether another recording follows; and whether it
    ends within a piece of sound, so that nobody knows how much is missing."""

    share: float = 1.0
    is_followed: bool = False
    is_torn: bool = False


def promised(path: Path, size_bytes: int) -> Promised:
    """What a file of so many bytes promises: a WAV in any of its forms, AIFF, CAF, AVI, WMA, MP4 or Ogg."""
    beginning, long_bytes = read_beginning(path, BEGINNING_BYTES), 0
    if beginning[4:8] == b"ftyp":
        return _promised_by_boxes(path, size_bytes)
    if beginning.startswith(b"OggS"):
        return Promised(is_torn=_is_torn_ogg(path, size_bytes, beginning))
    for name, body, length in chunks(beginning) if beginning[:4] in (*WAV_ORDERS, *CHUNKS) else ():
        if name == b"ds64":
            long_bytes = int.from_bytes(beginning[body + 8 : body + 16], "little")
        elif name.startswith(SOUND_CHUNKS) or beginning[body : body + 4] == b"movi":
            length, there = long_bytes or length, size_bytes - body
            if there <= 0 or any(length in lengths for lengths in NO_LENGTHS):
                break
            following = read_part(path, body + length, FOLLOWING_BYTES)
            share = max(float(not is_more_sound(following)), length / there)
            return Promised(share, RECORDING.match(following) is not None)
    return Promised()


def _promised_by_boxes(path: Path, size_bytes: int) -> Promised:
    """As promised, of an MP4. In one of fragments, as cameras leave, no box says how long all is."""
    names, place = [b""], 0
    with suppress(OSError, struct.error), open_file(path) as file:
        while place < size_bytes and len(names) < MOST_BOXES:
            file.seek(place)
            length, name = BOX.unpack(file.read(BOX.size))
            names.append(name)
            place += int.from_bytes(file.read(8), "big") if length == 1 else length or size_bytes
    is_torn = b"moof" in names and place > size_bytes and names[-1] in (b"moof", b"mdat")
    return Promised(is_followed=names.count(b"ftyp") > 1, is_torn=is_torn)


def _is_torn_ogg(path: Path, size_bytes: int, beginning: bytes) -> bool:
    """Whether an Ogg file ends within a page. Who records a radio stops at any moment: what begins in the middle of a
    stream may end so."""
    times = (int.from_bytes(page[1], "little", signed=True) for page in PAGE.finditer(beginning))
    is_radio = next((time for time in times if time > 0), 0) > LATEST_BEGIN_SAMPLES
    end = read_part(path, max(0, size_bytes - LARGEST_PAGE), LARGEST_PAGE)
    place = end.rfind(b"OggS\0") + PAGE_BYTES
    sizes = end[place : place + end[place - 1]] if PAGE_BYTES <= place < len(end) else b""
    return not is_radio and place + len(sizes) + sum(sizes) > len(end)


def _unfinished_samples(beginning: bytes) -> Samples | None:
    """How the samples lie in a file whose lengths were never written; None for any other."""
    is_aiff = beginning[:4] == b"FORM" and beginning[8:12] in (b"AIFF", b"AIFC")
    found = _of_aiff(beginning) if is_aiff else _of_w64(beginning) if beginning.startswith(b"riff") else None
    return found if found and 0 < found.channels <= MOST_CHANNELS and 0 < found.rate_hz <= HIGHEST_RATE_HZ else None


def _of_aiff(beginning: bytes) -> Samples | None:
    common, is_cut_off = None, beginning[4:8] == bytes(4)
    for name, body, length in chunks(beginning):
        if name == b"COMM" and len(beginning) >= body + 22:
            common = beginning[body : body + 22]
        if name == b"SSND" and common is not None and (is_cut_off or length <= AIFF_OFFSET_BYTES):
            channels, _, bits, exponent, mantissa = AIFF_COMMON.unpack_from(common)
            shift = MANTISSA_BITS - (exponent - EXPONENT_BIAS)
            kind = common[18:22] if beginning[8:12] == b"AIFC" else b"NONE"
            order = AIFF_ORDERS.get(kind)
            if order is None or not 0 <= shift <= MANTISSA_BITS:
                return None
            form = _form(WAV_FLOAT if kind.lower().startswith(b"fl") else WAV_PCM, (bits + 7) // 8 * 8, order)
            return Samples(form, channels, mantissa >> shift, body + AIFF_OFFSET_BYTES) if form else None
    return None


def _of_w64(beginning: bytes) -> Samples | None:
    form, is_cut_off = wav_form(_form_of_wav(beginning)), beginning[16:24] == bytes(8)
    for name, body, length in chunks(beginning):
        if name[:4] == b"data" and form is not None and (is_cut_off or not length):
            known = _form(form.kind, form.bits, "le")
            return Samples(known, form.channels, form.rate_hz, body) if known else None
    return None


def _form(kind: int, bits: int, order: str, before: str = "") -> str | None:
    """What ffmpeg calls samples of a kind, WAV_PCM or WAV_FLOAT: `s16le`, or, with `pcm_` before it, their decoder."""
    letter, known = FORMS.get(kind, ("", ()))
    return f"{before}{letter}{bits}{order}" if bits in known else None
