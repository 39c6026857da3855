"""The folder of pictures: its index, which pictures it holds of which recordings, and how they are deleted."""

import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from audionet.dataset.manifest import FILE_NAME, PictureIndex, RecordingEntry, chunk_names_of
from audionet.dataset.names import class_of, split_chunk_name
from audionet.errors import AudionetError
from audionet.options import PrepareOptions
from audionet.settings import HIGH_PASS_HZ, WINDOW_SAMPLES
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.files import resolved
from audionet.values import flag, shown

logger = logging.getLogger(__name__)

# So many seconds of finished work, at most, are done again after a kill. Where the index is long there are more, so
# that writing it takes no more than this share of the time.
SAVE_INTERVAL_SECONDS, SAVE_SHARE = 2.0, 1 / 20


class OpenIndex:
    """The index of a picture folder, which is written only when it differs from what is on the disk."""

    def __init__(self, content: PictureIndex, folder: Path, *, is_new: bool) -> None:
        self.content, self.folder = content, folder
        self._on_disk = None if is_new else self._state()
        self._due = 0.0

    def save(self) -> None:
        """Write audionet.json, unless it says the same already."""
        began, now = time.monotonic(), self._state()
        if now != self._on_disk:
            self.content.save(self.folder)
            self._on_disk = now
        ended = time.monotonic()
        self._due = ended + max(SAVE_INTERVAL_SECONDS, (ended - began) / SAVE_SHARE)

    def save_if_due(self) -> None:
        """Write audionet.json now and then: where the last time is a while ago."""
        if time.monotonic() > self._due:
            self.save()

    def note_comparison(self, began_ns: int) -> None:
        """Note when each recording was compared with the index: one that changed since is in doubt (changes.py)."""
        with suppress(OSError):
            os.utime(self.folder / FILE_NAME, ns=(began_ns, began_ns))

    def _state(self) -> object:
        return dict(self.content.recordings), list(self.content.unfinished)

    def forget(self, keys: Iterable[str]) -> None:
        """Take recordings out of the index, and delete their chunks."""
        self._delete_others({key: self.content.recordings.pop(key) for key in keys})

    def replace(self, key: str, entry: RecordingEntry | None) -> None:
        """Put a recording's new entry (None: it has no chunks) into the index, and delete the chunks of the old one.

        They go before the index is saved: a chunk that no index lists could not be told from another recording's, and
        the same sound would come to lie on both sides of the split.
        """
        old = self.content.recordings.pop(key, None)
        if entry is not None:
            self.content.add(key, entry, self.folder)
        if old is not None and old.chunks != (entry.chunks if entry else ()):
            self._delete_others({key: old})

    def _delete_others(self, removed: Mapping[str, RecordingEntry]) -> None:
        """Delete the chunks of recordings, but for those that the index lists all the same."""
        self.delete_chunks(chunk_names_of(removed) - chunk_names_of(self.content.recordings))

    def delete_unlisted(self) -> None:
        """Delete the chunks of unfinished recordings that are not in the index: of a run that was killed, or of other
        settings before --force."""
        unfinished, listed = set(self.content.unfinished), chunk_names_of(self.content.recordings)
        for class_name in sorted(set(map(class_of, unfinished))):
            names = {f"{class_name}/{path.stem}" for path in (self.folder / class_name).glob("*")}
            begun = [(name, *split_chunk_name(name)) for name in names - listed]
            self.delete_chunks(name for name, stem, n in begun if n is not None and stem in unfinished)
        self.content.unfinished = []

    def delete_chunks(self, names: Iterable[str]) -> None:
        """Delete the files of chunks."""
        for name in sorted(names):
            # The names come from a file that may be a stranger's: nothing outside of the folder is touched.
            if resolved(self.folder / name).is_relative_to(resolved(self.folder)):
                for suffix in (".jpg", ".wav"):
                    (self.folder / f"{name}{suffix}").unlink(missing_ok=True)
                with suppress(OSError):  # a class folder goes with its last chunk
                    (self.folder / name).parent.rmdir()


def open_index(image_dir: Path, options: PrepareOptions, fit: Callable[[], int | None]) -> OpenIndex:
    """The folder's index, or a new one.

    fit: says how many seconds long chunks fit the recordings, if not the usual ones do; it is called for a new folder.
    With --force all chunks that the old one lists are deleted. Raises AudionetError without it if the pictures
    were made with other settings.
    """
    try:
        index = PictureIndex.load(image_dir)
    except AudionetError:
        if not options.force:
            raise
        index = None
    if index is not None and not index.recordings and not index.unfinished:
        index = None  # all was skipped, as after --channel 3 for recordings of two: its settings bind nobody
    if index is not None and not options.force:
        if options.fit_chunks and index.fitted:
            own = index.renderer.settings
            like_own = replace(options.pictures, chunk_seconds=own.chunk_seconds, overlap_seconds=own.overlap_seconds)
            options = replace(options, pictures=like_own)
        _require_same_settings(index, image_dir, options)
        return OpenIndex(index, image_dir, is_new=False)
    pictures, fitting = options.pictures, None
    if options.fit_chunks and (fitting := fit()):
        pictures = replace(pictures, chunk_seconds=fitting, overlap_seconds=None)
    content = PictureIndex(SpectrogramRenderer.make(pictures), sound=options.sound, fitted=fitting is not None)
    new = OpenIndex(content, image_dir, is_new=True)
    if index is not None:
        # The new index is written first: killed in between, a rerun finds no old picture listed under new settings,
        # and still knows which to delete.
        old = {split_chunk_name(name)[0] for name in chunk_names_of(index.recordings)}
        new.content.unfinished = sorted(old.union(index.unfinished))
        new.save()
    return new


def _require_same_settings(index: PictureIndex, image_dir: Path, options: PrepareOptions) -> None:
    """Raise AudionetError if the pictures of a folder were made with other settings than those that are asked for.

    Pictures that were made before there was a high pass, or with longer or more windows, stay in use, unless others are
    asked for.
    """
    own = index.renderer.settings
    wanted = replace(options.pictures, every_column=own.every_column)
    if not own.high_pass_hz and wanted.high_pass_hz == HIGH_PASS_HZ:
        wanted = replace(wanted, high_pass_hz=0)
    is_usual = wanted.window_samples == WINDOW_SAMPLES[wanted.representation]
    if is_usual and own.representation == wanted.representation:
        wanted = replace(wanted, window_samples=own.window_samples)
    if own != wanted or index.sound != options.sound:
        raise AudionetError(
            f"{image_dir}: holds pictures made with other settings ({_difference(index, options)}); "
            "add --force to make them all anew, or name another --image-dir"
        )
    if own.window_samples > options.pictures.window_samples:
        logger.warning(
            "%s: its pictures were made by an older AudioNet, and new ones are made like them; "
            "add --force to make them all anew, so that sounds are told apart better",
            image_dir,
        )


def _difference(index: PictureIndex, options: PrepareOptions) -> str:
    """In what the settings differ: the options, or, where all of these are alike, what else there is."""
    usual: dict[str, object] = {"track": "the default", "channel": "the usual"}
    before = usual | vars(index.renderer.settings) | index.sound.to_json()
    after = usual | vars(options.pictures) | options.sound.to_json()
    different = [name for name in before if before[name] != after[name]]
    typed = [name for name in different if flag(name).startswith("--")]
    return ", ".join(f"{flag(name)} {shown(before[name])}, now {shown(after[name])}" for name in typed or different)
