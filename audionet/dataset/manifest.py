"""audionet.json: how the pictures of a folder were made, and of which recordings."""

import math
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np

from audionet.audio.channels import USUAL
from audionet.audio.chunks import Part
from audionet.audio.levels import Conditions
from audionet.errors import AudionetError, explaining
from audionet.settings import PICTURE_SIZE, PictureSettings, SoundChoice
from audionet.spectrogram.augmentation import ORIGINAL, Augmentation
from audionet.spectrogram.filter_bank import pack, unpack
from audionet.spectrogram.jpeg import LONGEST_CHUNK_SECONDS, LONGEST_START_SECONDS
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system import untrusted as checked
from audionet.system.files import Syncer, json_bytes, read_json, write_durably
from audionet.system.untrusted import Refused, StoredRecord, stored, taking_apart

FILE_NAME = "audionet.json"
LARGEST_WEIGHT = 1e3  # in a filter bank; ours are up to 1
JPG_BEGINNING, JPG_END = b"\xff\xd8", b"\xff\xd9"
FORMAT = 1  # of audionet.json; a reader refuses others
Item = TypeVar("Item")


def _part(value: Any) -> Part:
    start, end = checked.sequence(value)
    return Part(checked.number(start, 0), math.inf if end is None else checked.number(end, 0))


def _borders(parts: Iterable[Part]) -> list[tuple[float, float | None]]:
    """Parts as JSON has them, which has no word for infinity."""
    return [(start, None if math.isinf(end) else end) for start, end in parts]


def _conditions(value: Any) -> Conditions:
    return Conditions(*(checked.number(checked.mapping(value)[name]) for name in Conditions._fields))


def _sounding(value: Any) -> Augmentation:
    start, part = (checked.number(each, 0, 1) for each in checked.sequence(value))
    return Augmentation(part=part, start=start)


def _tuple_of(value: Any, read: Callable[[Any], Item]) -> tuple[Item, ...]:
    return tuple(checked.several(value, read))


@dataclass(frozen=True, slots=True)
class ChunkEntry(StoredRecord):
    """One chunk: its picture's file name without the suffix, and its place in the recording.

    level_db, clipped: how loud what is drawn of it is (out_of_range.py), and what share of it is clipped (levels.py);
        None if it is not known.
    picture_bytes, sound_bytes: the sizes of its JPG and its WAV; None if it is not known, or there is no WAV.
    sounding: the part of the picture that the network sees, see augmentation.sounding_part.
    """

    # First in the file, as in those of before; it is left out where all of the picture is seen.
    sounding: Annotated[Augmentation, stored("sounding", _sounding, write=lambda seen: [seen.start, seen.part])] = (
        field(default=ORIGINAL, kw_only=True)
    )
    name: Annotated[str, stored("name", checked.inner_path)]
    start_seconds: Annotated[float, stored("start_seconds", checked.number, 0, LONGEST_START_SECONDS)]
    seconds: Annotated[float, stored("seconds", checked.number, 0, LONGEST_CHUNK_SECONDS)]
    level_db: Annotated[float | None, stored("level_db", checked.optional, checked.number)]
    clipped: Annotated[float | None, stored("clipped", checked.optional, checked.number, 0, 1)]
    picture_bytes: Annotated[int | None, stored("picture_bytes", checked.optional, checked.whole)]
    sound_bytes: Annotated[int | None, stored("sound_bytes", checked.optional, checked.whole)]


@dataclass(frozen=True)
class RecordingEntry(StoredRecord):
    """One recording as it was when its pictures were made.

    mtime_ns: its time of change in nanoseconds; with size_bytes, a quick sign that nothing changed.
    sha256: of the file's bytes.
    group, fold, parts: see folders.Recording.
    conditions: of its sound, see levels.Conditions; None if they are not known. needed_rate_hz: the sample rate that
        would show its sound, which lies above or below what is drawn; None if that is not so, or not known.
    """

    # First in the file, as in those of before; each is left out where there is nothing to say.
    parts: Annotated[tuple[Part, ...], stored("parts", _tuple_of, _part, write=_borders)] = field(
        default=(), kw_only=True
    )
    conditions: Annotated[Conditions | None, stored("conditions", _conditions, write=Conditions._asdict)] = field(
        default=None, kw_only=True
    )
    needed_rate_hz: Annotated[int | None, stored("needed_rate_hz", checked.whole)] = field(default=None, kw_only=True)
    size_bytes: Annotated[int, stored("size_bytes", checked.whole)]
    # Some disks have files of 1601, others of after 2262.
    mtime_ns: Annotated[int, stored("mtime_ns", checked.whole, -(2**93), 2**93)]
    sha256: Annotated[str, stored("sha256", checked.sha256)]
    chunks: Annotated[tuple[ChunkEntry, ...], stored("chunks", _tuple_of, ChunkEntry.from_json)]
    group: Annotated[str | None, stored("group", checked.optional, checked.text)]
    fold: Annotated[int | None, stored("fold", checked.optional, checked.whole)]


@dataclass
class PictureIndex:
    """The renderer of a folder's pictures and the recordings in it, by `<class>/<path in the class folder>`.

    sound: the track and channel that were asked for.
    unfinished: `<class>/<recording>`, as chunks' files begin, of recordings that may have files that are not listed.
    fitted: whether the length of the chunks was chosen by that of the recordings.
    """

    renderer: SpectrogramRenderer
    recordings: dict[str, RecordingEntry] = field(default_factory=dict)
    unfinished: list[str] = field(default_factory=list)
    sound: SoundChoice = USUAL
    fitted: bool = False
    _syncer: Syncer = field(default_factory=Syncer, init=False, repr=False, compare=False)

    def add(self, key: str, entry: RecordingEntry, folder: Path) -> None:
        """List a recording whose files have just been written into `folder`, and bring them to the disk meanwhile."""
        self.recordings[key] = entry
        for chunk in entry.chunks:
            suffixes = (".jpg",) if chunk.sound_bytes is None else (".jpg", ".wav")
            self._syncer.begin([folder / f"{chunk.name}{suffix}" for suffix in suffixes])

    def lengths_seconds(self) -> list[float]:
        """How long each recording is in which there are chunks, as far as they reach, or each of its parts."""
        lengths: list[float] = []
        for entry in self.recordings.values():
            if entry.parts:
                lengths += (part.seconds for part in entry.parts)
            elif entry.chunks:
                lengths.append(max(chunk.start_seconds + chunk.seconds for chunk in entry.chunks))
        return lengths

    def save(self, folder: Path) -> None:
        """Write audionet.json into `folder`, once the files that it lists are on the disk."""
        self._syncer.wait()
        recordings = {key: self.recordings[key].to_json() for key in sorted(self.recordings)}
        content: dict[str, Any] = {"format": FORMAT} | renderer_to_json(self.renderer)
        if self.sound != USUAL:
            content["sound"] = self.sound.to_json()
        if self.fitted:
            content["fitted"] = True
        if self.unfinished:
            content["unfinished"] = self.unfinished
        write_durably(folder / FILE_NAME, json_bytes(content, "recordings", recordings))

    @classmethod
    def load(cls, folder: Path) -> "PictureIndex | None":
        """Read audionet.json in `folder`; None if there is none. Raises AudionetError if it is damaged."""
        path, anew = folder / FILE_NAME, "make the pictures anew with audionet prepare --force"
        with explaining(f"{path}: damaged or not written by audionet; {anew}", Refused):
            try:
                content = read_json(path)
            except (FileNotFoundError, NotADirectoryError):
                return None
            except OSError as error:
                raise AudionetError(f"{path}: cannot be read ({error.strerror})") from error
            with taking_apart():
                written_as = checked.whole(content["format"], -FORMAT)
            if written_as != FORMAT:
                raise AudionetError(f"{path}: written by another version of audionet (format {written_as}); {anew}")
            with taking_apart():
                listed = checked.mapping(content["recordings"])
                recordings = {checked.inner_path(key): RecordingEntry.from_json(value) for key, value in listed.items()}
                unfinished = checked.several(content.get("unfinished", []), checked.inner_path)
                renderer, sound = renderer_from_json(content), _sound_from_json(content)
                return cls(renderer, recordings, unfinished, sound, content.get("fitted") is True)


def chunk_names_of(recordings: Mapping[str, RecordingEntry]) -> set[str]:
    """The names of all chunks of these recordings."""
    return {chunk.name for entry in recordings.values() for chunk in entry.chunks}


def _sound_from_json(content: dict[str, Any]) -> SoundChoice:
    """The track and channel that were asked for. It is called while a file is taken apart."""
    sound = checked.mapping(content.get("sound", {}))
    return SoundChoice(checked.optional(sound.get("track"), checked.whole), sound.get("channel"))


def renderer_to_json(renderer: SpectrogramRenderer) -> dict[str, Any]:
    """A renderer as plain values, for audionet.json and for the model."""
    return {
        "pictures": renderer.settings.as_json(),
        "filter_bank": pack(renderer.filter_bank),
        "color_table": pack(renderer.color_table),
    }


def renderer_from_json(content: dict[str, Any]) -> SpectrogramRenderer:
    """The renderer that `renderer_to_json` described. Raises Refused for anything else.

    Pictures made with other constants (size, range) than this version's are refused too.
    """
    with taking_apart():
        described = checked.mapping(content["pictures"])
        settings = PictureSettings(
            chunk_seconds=checked.number(described["chunk_seconds"]),
            overlap_seconds=checked.number(described["overlap_seconds"]),
            representation=checked.text(described["representation"]),
            colormap=checked.text(described["colormap"]),
            high_pass_hz=checked.number(described.get("high_pass_hz", 0.0)),
            sample_rate_hz=checked.whole(described["sample_rate_hz"]),
            window_samples=checked.whole(described["window_samples"], 1),
            every_column=described.get("columns_a_window", 1) == 1,
        )
        if settings.as_json() != described:
            raise Refused("pictures made with other constants")
        filter_bank = unpack(content["filter_bank"], np.float32, (PICTURE_SIZE, settings.transform_samples // 2 + 1))
        if filter_bank is None or not ((filter_bank >= 0) & (filter_bank <= LARGEST_WEIGHT)).all():
            raise Refused("no filter bank")
        return SpectrogramRenderer(settings, filter_bank, unpack(content["color_table"], np.uint8, (256, 3)))


def whole_entry(entry: RecordingEntry, folder: Path, keep_wav: bool) -> RecordingEntry | None:
    """The entry with the sizes of its files, if they are all there, and whole; else None.

    A file is whole if it has the size that the index says, which is written after the file is on the disk. One of
    another size, or of which the index says nothing, is looked at: it may have been changed by hand.
    """
    chunks = []
    for chunk in entry.chunks:
        picture = _whole_size(folder / f"{chunk.name}.jpg", chunk.picture_bytes)
        sound = _whole_size(folder / f"{chunk.name}.wav", chunk.sound_bytes) if keep_wav else chunk.sound_bytes
        if picture is None or (keep_wav and sound is None):
            return None
        chunks.append(replace(chunk, picture_bytes=picture, sound_bytes=sound))
    return replace(entry, chunks=tuple(chunks))


def _whole_size(path: Path, expected: int | None) -> int | None:
    """The size in bytes of a JPG or WAV that is whole; None if it is not whole, or not there."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            return None
        if status.st_size == expected:
            return expected
        with open(path, "rb") as file:
            beginning = file.read(12)
            file.seek(-min(2, status.st_size), os.SEEK_END)
            end = file.read()
    except OSError:
        return None
    if path.suffix == ".jpg":
        is_whole = beginning.startswith(JPG_BEGINNING) and end == JPG_END
    else:
        is_whole = beginning[:4] == b"RIFF" and int.from_bytes(beginning[4:8], "little") + 8 == status.st_size
    return status.st_size if is_whole else None
