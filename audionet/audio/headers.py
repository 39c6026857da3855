"""What the beginning of a file says of the sound in it: of a WAV in any of its forms, and of a CAF."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from audionet.system.files import open_file

WAV_PCM, WAV_FLOAT, WAV_EXTENSIBLE = 1, 3, 0xFFFE
WAV_ORDERS = {b"RIFF": "<", b"RF64": "<", b"BW64": "<", b"riff": "<", b"RIFX": ">"}  # of the bytes of numbers
DECODERS = {
    (WAV_PCM, 8): "pcm_u8",
    **{(WAV_PCM, bits): f"pcm_s{bits}{{}}" for bits in (16, 24, 32)},  # {}: le or be
    **{(WAV_FLOAT, bits): f"pcm_f{bits}{{}}" for bits in (32, 64)},
}
BEGINNING_BYTES = 1 << 16  # of a file, in which it says how its samples lie there
W64_FORM = 64  # where a W64 has what the fmt chunk of a WAV has
CAF_FORM = struct.Struct(">d4sIIIII")  # rate, kind, flags, bytes of a block, frames of a block, channels, bits
CAF_FLOAT, CAF_LITTLE_ENDIAN = 1, 2  # flags
WAV_NMS_ADPCM, NMS_ADPCM = 0x38, "adpcm_nms"  # of telephone exchanges; ffmpeg takes it for AMR, and has no decoder
WAV_EVEN_BLOCKS = (WAV_PCM, WAV_FLOAT, 6, 7, WAV_EXTENSIBLE)  # blocks of equal length, as A-law and mu-law have too


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


# A telephone's samples without a header, 8000 a second, by the suffix; ffmpeg by itself plays them at 44.1 kHz.
TELEPHONES = {".ul": "mulaw", ".ulaw": "mulaw", ".al": "alaw", ".alaw": "alaw"}
HEADERS = (b"RIFF", b".snd", b"OggS", b"fLaC", b"ID3")


def what_ffmpeg_overlooks(path: Path) -> list[str]:
    """What ffmpeg must be told of a file that it would misread by itself."""
    try:
        with open_file(path) as file:
            beginning = file.read(BEGINNING_BYTES)
    except (OSError, ValueError):  # whoever reads the file says what is wrong with it
        return []
    telephone = TELEPHONES.get(path.suffix.lower())
    if telephone and not beginning.startswith(HEADERS):
        return ["-f", telephone, "-ar", "8000"]
    decoder = _misread_decoder(beginning)
    return (["-c:a", decoder] if decoder else []) + (["-ignore_length", "1"] if _is_unfinished(beginning) else [])


def _misread_decoder(beginning: bytes) -> str | None:
    """The decoder that ffmpeg must be told for the samples of a file; None where it finds the right one itself.

    By itself, it takes RIFX, whose numbers begin with their highest byte, for RIFF, and whole numbers that do not fill
    their bytes, as of 24 bits in 32, for others, in WAV, W64 and CAF: it gives noise.
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
    decoder = DECODERS.get((form.kind, form.bits))
    return decoder and decoder.format("le" if order == "<" else "be")


def _misread_in_caf(beginning: bytes) -> str | None:
    """As _misread_decoder, of a CAF, whose first chunk always says how its samples lie there."""
    if beginning[8:12] != b"desc" or len(beginning) < 20 + CAF_FORM.size:
        return None
    _, kind, flags, block_bytes, _, channels, bits = CAF_FORM.unpack_from(beginning, 20)
    sample_bytes, rest = divmod(block_bytes, channels or 1)
    if kind != b"lpcm" or rest or sample_bytes == (bits + 7) // 8:
        return None
    decoder = DECODERS.get((WAV_FLOAT if flags & CAF_FLOAT else WAV_PCM, 8 * sample_bytes))
    return decoder and decoder.format("le" if flags & CAF_LITTLE_ENDIAN else "be")


def _is_unfinished(beginning: bytes) -> bool:
    """Whether a file is a long WAV (RF64) whose recorder stopped before it wrote the length of the sound."""
    return beginning[:4] in (b"RF64", b"BW64") and beginning[12:16] == b"ds64" and not any(beginning[28:36])


def _form_of_wav(beginning: bytes) -> bytes:
    """The content of the fmt chunk; nothing if there is none."""
    if beginning.startswith(b"riff"):
        return beginning[W64_FORM : W64_FORM + 40]
    for name, body, length in riff_chunks(beginning, "big" if beginning.startswith(b"RIFX") else "little"):
        if name == b"fmt ":
            return beginning[body : body + length]
    return b""


def riff_chunks(content: bytes, order: Literal["little", "big"] = "little") -> Iterator[tuple[bytes, int, int]]:
    """The chunks of a WAV: the name of each, where its body begins, and how long it says it is."""
    place = 12
    while place + 8 <= len(content):
        length = int.from_bytes(content[place + 4 : place + 8], order)
        yield content[place : place + 4], place + 8, length
        place += 8 + length + length % 2
