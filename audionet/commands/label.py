"""label: clips -> the class of each, with scores."""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

from audionet.clips import ClipScores, find_clips, score_clip
from audionet.errors import UnusableInput
from audionet.model import Model, load_model
from audionet.pictures import SUFFIXES
from audionet.segments import Segment, Timeline, find_segments
from audionet.settings import LabelOptions

logger = logging.getLogger(__name__)


def label(clips: Iterable[Path | str] | Path | str, options: LabelOptions | None = None) -> list[ClipScores]:
    """The scores of recordings, of folders of them, or of pictures that `prepare` made, in the order given.

    A clip that cannot be used is left out, with a warning. Raises AudionetError when there is no usable model.
    """
    if isinstance(clips, (str, Path)):
        clips = [clips]
    options = options or LabelOptions()
    model = load_model(options)
    found = label_each(map(Path, clips), model, allow_unknown=options.allow_unknown)
    return [scored for scored in found if isinstance(scored, ClipScores)]


def label_each(
    clips: Iterable[Path], model: Model, name: str | None = None, allow_unknown: bool = True
) -> Iterator[ClipScores | UnusableInput]:
    """The scores of each clip as soon as they are known, or why it has none.

    name: what to call the clip instead of by its path.
    """
    for path in clips:
        empty = True
        for clip in find_clips([path]):
            empty = False
            try:
                yield score_clip(clip, model, name, allow_unknown)
            except UnusableInput as error:
                yield _skipped(UnusableInput(name or error.path, error.reason))
        if empty:
            yield _skipped(UnusableInput(path, "holds no clips"))


def timeline(clip: Path | str, options: LabelOptions | None = None) -> list[Segment]:
    """Which class is heard when in a recording: segments in order, without gaps.

    Raises AudionetError when there is no usable model, or the recording cannot be used.
    """
    options = options or LabelOptions()
    return find_segments(Path(clip), load_model(options), options.allow_unknown)


def timeline_each(
    clips: Iterable[Path], model: Model, name: str | None = None, allow_unknown: bool = True
) -> Iterator[Timeline | UnusableInput]:
    """The timeline of each clip as soon as it is known, or why it has none; as `label_each`."""
    for path in clips:
        empty = True
        for clip in find_clips([path]):
            empty = False
            try:
                if clip.suffix.lower() in SUFFIXES:
                    raise UnusableInput(clip, "is a picture; a timeline needs the recording")
                yield Timeline(name or str(clip), find_segments(clip, model, allow_unknown))
            except UnusableInput as error:
                yield _skipped(UnusableInput(name or error.path, error.reason))
        if empty:
            yield _skipped(UnusableInput(path, "holds no clips"))


def _skipped(error: UnusableInput) -> UnusableInput:
    logger.warning("%s (skipped)", error)
    return error
