"""label: clips -> the class of each, with scores."""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

from audionet.clips import ClipScores, find_clips, score_clip
from audionet.errors import UnusableInput
from audionet.model import Model, load_model
from audionet.settings import LabelOptions

logger = logging.getLogger(__name__)


def label(clips: Iterable[Path | str] | Path | str, options: LabelOptions | None = None) -> list[ClipScores]:
    """The scores of recordings, of folders of them, or of pictures that `prepare` made, in the order given.

    A clip that cannot be used is left out, with a warning. Raises AudionetError when there is no usable model.
    """
    if isinstance(clips, (str, Path)):
        clips = [clips]
    model = load_model(options or LabelOptions())
    return [scored for scored in label_each(map(Path, clips), model) if isinstance(scored, ClipScores)]


def label_each(clips: Iterable[Path], model: Model, name: str | None = None) -> Iterator[ClipScores | UnusableInput]:
    """The scores of each clip as soon as they are known, or why it has none.

    name: what to call the clip instead of by its path.
    """
    for path in clips:
        empty = True
        for clip in find_clips([path]):
            empty = False
            try:
                yield score_clip(clip, model, name)
            except UnusableInput as error:
                yield _skipped(UnusableInput(name or error.path, error.reason))
        if empty:
            yield _skipped(UnusableInput(path, "holds no clips"))


def _skipped(error: UnusableInput) -> UnusableInput:
    logger.warning("%s (skipped)", error)
    return error
