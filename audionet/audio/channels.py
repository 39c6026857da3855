"""Which of a recording's sound tracks and channels is heard, at which time, and how they become one."""

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from audionet.audio.headers import promised
from audionet.audio.levels import SILENT_DB, levels_db
from audionet.errors import warn_of
from audionet.settings import FULL_SCALE, MOST_CHANNELS, SoundChoice
from audionet.system.files import read_beginning
from audionet.system.text import count

# A mix this much below its loudest channel is no picture of what a listener hears: the channels cancel each other out.
# A sound in one of two channels alone loses 6 dB in the mix, one in the centre of six about 10.
FAR_QUIETER_DB = 12.0
SUSPICIOUS_DB = -30.0  # below full scale; the channels of a louder mix are not looked at
MOST_LOOKS = 16  # at blocks of silence, whose channels might not be silent; then one is heard along with the mix
CANCELLED = (
    "its channels cancel each other out, or most of them are silent; of them, {name} alone is heard (--channel chooses "
    "another)"
)
TRACKS = "has {tracks} sound tracks, of which number {heard} is heard{silent} (--track chooses another)"
DAMAGED = (
    "seems to be damaged: about {missing:.0f} s of {whole:.0f} s are missing, and what follows them, if anything, is "
    "heard earlier by as much; get the recording anew, or cut it there"
)
CUT_OFF = (
    "is cut off: of the {whole:g} s of sound that its header promises, {there:g} s are there, and used; "
    "get the recording anew if the rest matters"
)
LONGER = "holds {there:g} s of sound, of which its header tells of {told:g} s; all are used"
TORN = "is cut off, for its last piece is not whole; what is there is used; get the recording anew if the rest matters"
HOLES = (
    "has holes: {missing:g} s of its sound are missing or damaged, and silence stands there, so that all else is heard "
    "at its time; get the recording anew if they matter"
)
UNLIKE = (
    "has pieces that ffmpeg can't read, for they are damaged, or in another form than its beginning; they are not "
    "heard; get the recording anew, or cut it there"
)
# Fewer errors may come of what is no sound, and one of each piece whose time lies back, which is heard all the same.
# Where Oggs put together are of several forms, releases end at the second one, with a single error.
MANY_ERRORS, LIES_BACK = 20, "non monotonically increasing dts"
CHANGED = re.compile("(Channel|Sample rate) change is not supported|failed to create or replace stream")
FOLLOWED = "another recording follows behind its end, and is not heard, or in part; cut them apart"
WRONG = "holds {samples} which no microphone gives: no numbers, or far louder than all others; silence stands there"
# Float samples, unlike whole numbers, would be mixed without dividing by what their weights sum up to.
TO_MONO = "aresample=rematrix_maxval=1,aformat=sample_fmts=flt:sample_rates={}:channel_layouts=mono"
# What a recording has beyond 16 bits is not heard; where it is silent, its pictures would be darker than others'.
TO_16_BITS = "aformat=sample_fmts=s16|s16p,aformat=sample_fmts=flt|fltp"
LARGEST_CHANNEL_COUNT, BYTES_PER_SAMPLE = 1024, 4
# So much may lack of what a header promises; encoders add some.
LEAST_MISSING_SECONDS, LEAST_MISSING_OF_OTHERS = 0.1, 0.5
LENGTH, BEGIN = re.compile(r"Duration: (\d+):(\d+):([\d.]+)"), re.compile(r"Duration: .*, start: (-?[\d.]+)")
ESTIMATE, ENDS_EARLY = "Estimating duration from bitrate", re.compile("File ended prematurely|partial file")
UNPROMISED = re.compile("Input #0, (asf|mpeg|ogg)")  # where a length is made of the file's size, or of a time
# By FILLED, in a line of its own, and not in one with a title that a stranger gave the file.
PRINTED = re.compile(r"^(?:\[Eval @ \w+\] )?\[info\] (-?\d+\.\d+)$", re.MULTILINE)
OTHERS = re.compile(r"Stream #0:\d+[^:\n]*: (?!Audio|.*\(attached pic\))")
AUDIO, HEARD = re.compile(r"Stream #0:(\d+)[^:\n]*: Audio: "), re.compile(r"Stream #0:(\d+) -> #0:0")
STREAM = re.compile(r"Stream #0:\d+.*?: Audio: .*?, \d+ Hz, ([^,]+)")
FLOATS = re.compile(r"Audio: (pcm_f|wavpack\b[^\n]* fltp?\b)")  # not lossy ones, which may overshoot a little
# Containers that say when each piece of sound is heard. In films (MP4, Matroska, FLV, MPEG-TS and PS; Ogg and ASF with
# a picture), it may begin later than the picture; elsewhere, what comes before the first piece is the encoder's own.
ASF_PICTURE = rb"\xc0\xef\x19\xbcM\[\xcf\x11\xa8\xfd\0\x80_\\D\+"  # the name of a stream of pictures
FILMS = re.compile(rb".{4}(ftyp|moov|mdat|wide|free|skip)|\x1aE\xdf\xa3|FLV|0&\xb2u.*" + ASF_PICTURE, re.DOTALL)
# MPEG-TS and PS, whose clock runs on; and Ogg, of which ffmpeg 9 would count from the first sound on.
CLOCKED = re.compile(rb"G.{187}G|.{4}G.{191}G|\0\0\x01\xba|OggS.{0,512}?(\x80theora|OVP80|BBCD\0)", re.DOTALL)
TIMED = re.compile(rb"fLaC|OggS|0&\xb2u")
OPUS = re.compile(rb"OggS.{24}OpusHead", re.DOTALL)
CONTAINER_BYTES = 1 << 13  # of a file, in which it says what is in it
LONGEST_GAP_SECONDS, SHORTEST_GAP_SECONDS = 600, 0.1  # beyond, it is a fault of the clock, or may be the encoder's
# What is missing becomes silence; but nothing is left out where times run back, as in files put together: they are
# counted on from there, and so are they from the first piece on, also where the number of channels changes, for which
# ffmpeg begins anew. ld(0): the time at which the next piece is expected, ld(2): what the times are wrong by, ld(4):
# how much silence there is, ld(3): how much of it was told of. Printed is, in seconds, when the first piece is heard,
# below 0, and then the silence, a piece late, for of the last piece ffmpeg gives a wrong time. At the seam of Opus that
# was put behind itself, older releases take the header, by its letters, for 0.96 s of sound.
OPUS_SEAM = "+lt(abs(ld(1)-.96*SR),2)"
FILLED = (
    f"asetpts='st(1,PTS-ld(2)-ld(0));st(2,ld(2)+if(not(N)+gt(ld(1),{LONGEST_GAP_SECONDS}*SR)+lt(ld(1),-SR)"
    "{seam},ld(1),0));"
    f"if(N,0,print(-PTS/SR));if(gte(ld(4),ld(3)+{SHORTEST_GAP_SECONDS}),st(3,print(ld(4))));"
    "st(1,max(PTS-ld(2),ld(0)));st(0,ld(1)+NB_SAMPLES);st(4,(ld(1)-NB_CONSUMED_SAMPLES)/SR);ld(1)',"
    f"aresample=async=1:min_comp={SHORTEST_GAP_SECONDS}"
)

USUAL = SoundChoice()  # the default track, all of its channels mixed


class Container(NamedTuple):
    """What of a container matters here.

    filters: what puts each piece of sound where the container says, with silence where some is lost, if it says that.
    is_film: if it holds a film. is_clocked: if its times are those of a clock of its own.
    """

    filters: tuple[str, ...] = ()
    is_film: bool = False
    is_clocked: bool = False

    @classmethod
    def of(cls, path: Path) -> "Container":
        """By the beginning of a file."""
        beginning = read_beginning(path, CONTAINER_BYTES)
        is_clocked = CLOCKED.match(beginning) is not None
        is_film = is_clocked or FILMS.match(beginning) is not None
        filled = FILLED.format(seam=OPUS_SEAM if OPUS.match(beginning) else "")
        return cls((filled,) if is_film or TIMED.match(beginning) else (), is_film, is_clocked)

    def options(self) -> list[str]:
        """What ffmpeg is told before the file: of clocks, it would forget when the picture began."""
        return ["-copyts"] if self.is_clocked else []


@dataclass(frozen=True)
class StreamInfo:
    """What ffmpeg said of the sound in a file. is_mono is False, and a number 0, where it did not say.

    track: which of the tracks is heard, from 1. is_float: whether samples may go beyond full scale. errors: how many it
    printed of sound that is not heard. seconds: how long the file is, with what is lost. is_known: unless that is
    guessed, or of several streams, of which another may be longer. is_pcm: whether it is in samples.
    begins_seconds: the time of the file's beginning. times: what FILLED printed, if the container keeps times.
    """

    is_mono: bool
    tracks: int = 0
    track: int = 0
    is_float: bool = False
    errors: int = 0
    seconds: float = 0.0
    is_known: bool = False
    is_pcm: bool = False
    begins_seconds: float = 0.0
    times: tuple[float, ...] = ()

    def late_seconds(self, container: Container, place_seconds: float = 0.0) -> float:
        """How long nothing is heard before a film's sound, from a place in it on."""
        late = -sum(self.times[:1]) - (self.begins_seconds + place_seconds if container.is_clocked else 0.0)
        return late if container.is_film and SHORTEST_GAP_SECONDS <= late <= LONGEST_GAP_SECONDS else 0.0

    def filled_seconds(self) -> float:
        """How much sound is missing, and silent instead: what was said last, each time that ffmpeg began."""
        pairs = pairwise([*self.times[1:], 0.0])
        return sum(time for time, following in pairs if time >= SHORTEST_GAP_SECONDS > following)


def stream_info(messages: str) -> StreamInfo:
    """What is in a file, from the messages that ffmpeg printed when it opened it."""
    of_input, _, of_output = messages.partition("] Output #0")
    layouts: list[str] = STREAM.findall(of_input)
    tracks, heard = sorted(set(map(int, AUDIO.findall(of_input)))), HEARD.search(of_input)  # of two programmes: twice
    track = tracks.index(int(heard[1])) + 1 if heard and int(heard[1]) in tracks else 0
    is_mono = bool(layouts) and all(layout.strip() in ("mono", "1 channels", "1 channel") for layout in layouts)
    is_float = FLOATS.search(of_input) is not None
    errors = of_output.count("[error]") - of_output.count(LIES_BACK) + MANY_ERRORS * bool(CHANGED.search(of_output))
    length, begin = LENGTH.search(of_input), BEGIN.search(of_input)
    is_alone = len(tracks) == 1 and not OTHERS.search(of_input) and (errors or ESTIMATE not in of_input)
    is_known = not UNPROMISED.search(of_input) and bool(is_alone or ENDS_EARLY.search(messages))
    begins, is_pcm = float(begin[1]) if begin else 0.0, "Audio: pcm" in of_input
    ends = int(length[1]) * 3600 + int(length[2]) * 60 + float(length[3]) if length else 0.0
    times, seconds = tuple(float(time) for time in PRINTED.findall(messages)), max(0.0, ends - max(0.0, begins))
    return StreamInfo(is_mono, len(tracks), track, is_float, errors, seconds, is_known, is_pcm, begins, times)


class OpenRecording(Protocol):
    """A recording whose channels can be had one by one, if its mix is to be doubted."""

    path: Path
    choice: SoundChoice

    @property
    def is_mono(self) -> bool:
        """Whether it has but one channel; False where that is not known."""

    @property
    def sample_rate_hz(self) -> int:
        """The sample rate of its blocks."""

    def part(self, start_seconds: float, seconds: float) -> np.ndarray | None:
        """A part of it at this rate, samples x channels; None if it can't be had."""

    def channel(self, number: int) -> Iterator[np.ndarray]:
        """Blocks of one channel, by its number from 0."""


def mix_or_loudest(opened: OpenRecording, blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """The blocks of a mix; from the first block on that is far quieter than a channel, those of the loudest channel."""
    position = looked = 0
    first: Generator[np.ndarray, None, None] | None = None
    for block in blocks:
        mix_db = float(levels_db(block))
        limit_db = max(mix_db + FAR_QUIETER_DB, SILENT_DB)
        is_suspect = mix_db < SUSPICIOUS_DB and not opened.is_mono
        if is_suspect and looked >= MOST_LOOKS:
            first = first or _without_first(opened.channel(0), position)
            is_suspect = bool(levels_db(next(first, block)) > limit_db)
        looked += is_suspect
        start, seconds = position / opened.sample_rate_hz, len(block) / opened.sample_rate_hz
        channels = opened.part(start, seconds) if is_suspect else None
        if channels is not None and channels.shape[1] > 1:
            levels = levels_db(channels)
            loudest = int(levels.argmax())
            if levels[loudest] > limit_db:
                _tell(opened, CANCELLED.format(name=channel_name(loudest, channels.shape[1])))
                first = None  # which ends its ffmpeg
                yield from _without_first(opened.channel(loudest), position)
                return
        if mix_db > SILENT_DB or opened.is_mono:
            # There is sound, and its channels need no more looking at.
            first = None
            yield from chain([block], blocks)
            return
        yield block
        position += len(block)


class Run(OpenRecording, Protocol):
    """A recording that is decoded: what became known of it by that. wrong: how many of its samples are none."""

    size_bytes: int
    wrong: int

    def info(self) -> StreamInfo:
        """What is in the file."""


def noted(run: Run, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """The blocks of a recording, behind which it is said what is odd about it."""
    length, is_silent = 0, True
    for block in blocks:
        is_silent = is_silent and float(levels_db(block)) <= SILENT_DB
        length += len(block)
        yield block
    said, header, there = run.info(), promised(run.path, run.size_bytes), length / run.sample_rate_hz
    missing = there * (header.share - 1) or (said.seconds - there) * said.is_known
    if is_short := missing >= (LEAST_MISSING_SECONDS if said.is_pcm else LEAST_MISSING_OF_OTHERS):
        sentence = DAMAGED if said.errors and not (said.times or said.is_pcm) else CUT_OFF
        _tell(run, sentence.format(whole=round(there + missing, 1), there=round(there, 1), missing=missing))
    elif header.share < 1:
        _tell(run, LONGER.format(there=round(there, 1), told=round(there * header.share, 1)))
    elif header.is_torn:
        _tell(run, TORN)
    if filled_seconds := said.filled_seconds():
        _tell(run, HOLES.format(missing=round(filled_seconds, 1)))
    elif said.errors >= MANY_ERRORS and not is_short:
        _tell(run, UNLIKE)
    if header.is_followed:
        _tell(run, FOLLOWED)
    if run.wrong:
        _tell(run, WRONG.format(samples=count(run.wrong, "sample")))
    if said.tracks > 1 and run.choice.track is None:
        silent = ", and is silent" if is_silent else ""
        _tell(run, TRACKS.format(tracks=said.tracks, heard=said.track, silent=silent))


def _tell(of: OpenRecording, sentence: str) -> None:
    """Say what is odd about a recording, unless it was said before."""
    if of.choice.is_told:
        warn_of(of.path, sentence)


def _without_first(blocks: Iterator[np.ndarray], samples: int) -> Generator[np.ndarray, None, None]:
    for block in blocks:
        if len(block) > samples:
            yield block[samples:]
        samples = max(0, samples - len(block))


def why_not_heard(number: int, channels: int) -> str | None:
    """Why a channel, given by its number from 0, can't be heard of a recording with so many; None if it can."""
    if channels > MOST_CHANNELS:
        return f"has {channels} channels, of {MOST_CHANNELS} at most; save those that matter as recordings of their own"
    if number >= channels:
        return f"has {count(channels, 'channel')}, so that there is no channel {number + 1} (--channel mix takes all)"
    return None


def one_channel(number: int) -> str:
    """The filter that leaves one channel, by its number from 0."""
    return f"pan=mono|c0=c{number}"


def equal_parts(channels: int) -> str:
    """The filter that mixes channels of which nothing is known."""
    return "pan=mono|c0=" + "+".join(f"{1 / channels:.6f}*c{n}" for n in range(channels))


def channel_name(number: int, channels: int) -> str:
    """What to call a channel by its number from 0: left and right, where there are two."""
    return ("left", "right")[number] if channels == 2 else f"channel {number + 1}"


def mono_filters(sample_rate_hz: int, before: Sequence[str] = ()) -> str:
    """The filters that make one channel of 16 bits at a sample rate; before: what comes before the mixing."""
    return ",".join([TO_16_BITS, *before, TO_MONO.format(sample_rate_hz)])


def samples_of(block: bytes) -> NDArray[np.float32]:
    """The samples in what ffmpeg gives as f32le, between -FULL_SCALE and FULL_SCALE; what is no number is silence."""
    samples = np.clip(np.frombuffer(block, "<f4", len(block) // BYTES_PER_SAMPLE), -1, 1) * np.float32(FULL_SCALE)
    # To look for what is no number takes as long as all else, and there is hardly ever any.
    return np.asarray(samples if np.isfinite(samples.sum()) else np.nan_to_num(samples))


def sound_of_wav(wav: bytes) -> tuple[int, np.ndarray] | None:
    """The sample rate, and the int16 samples x channels, of a WAV that ffmpeg wrote; None if it wrote none."""
    start, channels = wav.find(b"data", 36) + 8, int.from_bytes(wav[22:24], "little")
    if start < 44 or not 1 <= channels <= LARGEST_CHANNEL_COUNT:
        return None
    samples = np.frombuffer(wav, "<i2", (len(wav) - start) // (2 * channels) * channels, start)
    return int.from_bytes(wav[24:28], "little"), samples.reshape(-1, channels)
