"""The clips of a folder as they arrive."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from audionet.dataset.kinds import is_passed_over
from audionet.errors import AudionetError
from audionet.inference.clips import is_clip

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
SETTLED_SECONDS = 3.0  # so long a file has not changed before it counts as whole
MOST_CLIPS = 100_000  # in the folder, which is what is held in memory

State = tuple[int, int]  # size in bytes, time of change in nanoseconds


def watch_folder(
    folder: Path, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> Iterator[list[Path]]:
    """The clips in a folder, at any depth, in batches, each as soon as it has settled; those first that are there.

    A clip that changes comes again. Never ends. Raises AudionetError when the folder is gone or holds too much.
    """
    if not folder.is_dir():
        there = "is no folder" if folder.exists() else "no such folder"
        raise AudionetError(f"{folder}: {there}; make it first, or name another")
    logger.info("watching %s; Ctrl-C ends it", folder)
    seen: dict[Path, State] = {}
    waiting: dict[Path, tuple[State, float]] = {}
    warned: set[str] = set()
    while True:
        present = _look(folder, warned)
        now = clock()
        # What is gone or changed is forgotten, so that memory grows with the folder alone.
        seen = {path: state for path, state in seen.items() if present.get(path) == state}
        waiting = {
            path: waiting[path] if path in waiting and waiting[path][0] == state else (state, now)
            for path, state in present.items()
            if path not in seen
        }
        settled = sorted(path for path, (_, since) in waiting.items() if now - since >= SETTLED_SECONDS)
        seen |= {path: waiting[path][0] for path in settled}
        if settled:
            yield settled
        else:
            sleep(POLL_SECONDS)


def _look(folder: Path, warned: set[str]) -> dict[Path, State]:
    """The clips that are there, and their states. What can't be read is named once."""

    def warn(error: OSError) -> None:
        if Path(error.filename) == folder:
            raise AudionetError(f"{folder}: can no longer be read ({error.strerror})") from error
        if error.filename not in warned:
            warned.add(error.filename)
            logger.warning("%s: folder skipped, it cannot be read (%s)", error.filename, error.strerror)

    clips: dict[Path, State] = {}
    for place, folders, names in os.walk(folder, onerror=warn):
        folders[:] = [name for name in folders if not is_passed_over(name, is_folder=True)]
        for name in names:
            path = Path(place, name)
            if is_passed_over(name) or not is_clip(path):
                continue
            try:
                status = path.stat()
            except OSError:
                continue  # gone since it was listed, or a link to nothing
            clips[path] = (status.st_size, status.st_mtime_ns)
            if len(clips) > MOST_CLIPS:
                raise AudionetError(f"{folder}: holds more than {MOST_CLIPS} clips; move those labelled somewhere else")
    return clips
