"""What a network said of sound, kept in a file beside the model: long work that was stopped goes on where it was.

The file starts with MARK, a digest of what decides the scores, and the number of the row that is written next. Rows of
equal length follow, one for each window: a digest of the sound that was heard, a CRC-32 of that and of all scores of
that sound, and the window's scores. When it is full, it is written on from its beginning, so that the oldest go first.
"""

import functools
import hashlib
import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audionet import __version__
from audionet.system.files import BLOCK_BYTES, open_file
from audionet.system.locks import open_in_place, try_lock

MARK = b"audionet scores 1\n"
HEADER_BYTES = 64
LARGEST_BYTES = 256 << 20  # ten nights
HELD_BACK_SAMPLES = 10_000_000  # ten minutes at the usual rate, which take seconds


def window_row(classes: int) -> "np.dtype[np.void]":
    """How the scores of a window lie in a file: the fields of inference.scoring.WindowScores."""
    return np.dtype(
        [
            ("start_seconds", "<f8"),
            ("seconds", "<f8"),
            ("scores", "<f4", (classes,)),
            ("distance", "<f8"),
            ("sounding_seconds", "<f8"),
            ("has_signal", "?"),
            ("level_db", "<f8"),
            ("is_below", "?"),
            ("noise_db", "<f8"),
            ("rise", "<f8", (3,)),
        ]
    )


class KeptScores:
    """A file of scores, found by the sound that they are of. For several threads, and several processes, at once.

    Nothing is written before so much was heard as HELD_BACK_SAMPLES. Where nothing can be read or written, nothing is
    kept, and nothing said: it costs time, no more.
    """

    def __init__(self, path: Path, classes: int, decided_by: str) -> None:
        """path: of the file; what else lies there is left alone. decided_by: what the scores of so many classes depend
        on, beside the sound and the source of this package."""
        self._given = path.absolute(), classes, decided_by
        self._path, _, self._decided_by = self._given
        self._row = np.dtype([("digest", "<u8"), ("crc32", "<u4"), ("scores", window_row(classes))])
        self._heard = 0
        self._waiting: list[NDArray[np.void]] | None = []  # to be written; None where that is in vain
        self._lock = threading.Lock()  # of these two

    def __reduce__(self) -> "tuple[type[KeptScores], tuple[Path, int, str]]":
        return type(self), self._given

    @functools.cached_property
    def _header(self) -> bytes:
        """The beginning of the file, which no scores of other models or of other source have."""
        digest = hashlib.sha256(f"{__version__} {self._decided_by}".encode())
        for path in sorted(Path(__file__).parents[1].rglob("*.py")):
            digest.update(path.read_bytes())
        return MARK + digest.digest()

    @functools.cached_property
    def _ends(self) -> tuple[NDArray[np.uint64], NDArray[np.intp]]:
        """The digests in the file, in order, and behind which row each was last."""
        blocks = [np.empty(0, np.uint64)]
        with suppress(OSError):
            header = self._header  # before any scores are made: the source may be updated while this runs
            with open_file(self._path) as file:
                if file.read(HEADER_BYTES).startswith(header):
                    while len(rows := np.fromfile(file, self._row, BLOCK_BYTES // self._row.itemsize + 1)):
                        blocks.append(rows["digest"].copy())
        digests = np.concatenate(blocks)
        lasts = np.flatnonzero(np.diff(digests, append=~digests[-1:]))[::-1]  # many fewer than all
        known, places = np.unique(digests[lasts], return_index=True)
        return known, lasts[places] + 1

    def recall(self, about: str, samples: NDArray[Any], count: int, score: Callable[[], Any]) -> NDArray[np.void]:
        """The scores of so many windows of some sound, as window_rows: those that were kept, or else what `score`
        gives, which has an array for each field.

        about: what they depend on beside the sound.
        """
        digest = np.frombuffer(hashlib.sha256(about.encode() + samples.tobytes()).digest(), "<u8")
        found = self._find(digest, count)
        rows = np.empty(count, self._row) if found is None else found
        if found is None:
            scored = score()
            for name in rows.dtype["scores"].names or ():
                rows["scores"][name] = getattr(scored, name)
            rows["digest"], rows["crc32"] = digest[0], _checksum(digest, rows)
        with self._lock:
            self._heard += len(samples)
            if found is None and self._waiting is not None:
                self._waiting.append(rows)
            if self._waiting and self._heard >= HELD_BACK_SAMPLES:
                self._write(np.concatenate(self._waiting))
        return np.asarray(rows["scores"])

    def _find(self, digest: NDArray[np.uint64], count: int) -> NDArray[np.void] | None:
        """The rows of a digest, if they are there and whole."""
        known, ends = self._ends
        place = int(np.searchsorted(known, digest[0]))
        if place < len(known) and known[place] == digest[0]:
            with suppress(OSError), open_file(self._path) as file:
                file.seek(HEADER_BYTES + max(0, int(ends[place]) - count) * self._row.itemsize)
                rows = np.fromfile(file, self._row, count)
                if len(rows) == count and (rows["crc32"] == _checksum(digest, rows)).all():
                    return rows
        return None

    def _write(self, rows: NDArray[np.void]) -> None:
        """Write what waits. While another process writes, it goes on waiting."""
        try:
            with open_in_place(self._path) as file:
                if try_lock(file) is False:
                    return
                there, size = file.read(HEADER_BYTES), self._row.itemsize
                if not MARK.startswith(there[: len(MARK)].rstrip(b"\0")):
                    raise FileExistsError
                if not there.startswith(self._header):
                    file.truncate(0)
                first = min(int.from_bytes(there[len(self._header) :], "little"), file.seek(0, 2) // size)
                if (first + len(rows)) * size > LARGEST_BYTES:
                    first = 0
                file.seek(0)
                file.write(self._header + (first + len(rows)).to_bytes(HEADER_BYTES - len(self._header), "little"))
                file.seek(HEADER_BYTES + first * size)
                file.write(rows.tobytes())
            self._waiting = []
        except OSError:
            self._waiting = None


def _checksum(digest: NDArray[np.uint64], rows: NDArray[np.void]) -> int:
    return zlib.crc32(rows["scores"].tobytes(), zlib.crc32(digest.tobytes()))
