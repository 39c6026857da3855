"""Files written whole or not at all, and what may be read as one."""

import functools
import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from audionet.errors import AudionetError, UnusableInput
from audionet.system.locks import ON_WINDOWS, try_lock

# Reading one of these may wait forever, or never end.
NO_FILES = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

# What comes of using a file that is not what it should be.
MALFORMED = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
LARGEST_JSON_BYTES = 1 << 30  # the chunks of a million recordings
TEMPORARY_PREFIX, TEMPORARY_SUFFIX = ".audionet-", ".tmp"
BEGINNINGS = 3  # of a temporary file that others sweep away before it is locked


@contextmanager
def atomic_writer(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to, which becomes `path` at the end: a reader, or a kill at any moment, finds the old or the new.

    Makes the folder if it is not there. Raises AudionetError when the disk refuses.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep_once(path.parent)
        temporary, holder = _begin(path)
        try:
            with open(os.dup(holder.fileno()), "wb") as file:
                yield file
            if ON_WINDOWS:
                holder.close()
            temporary.replace(path)
        except BaseException:
            holder.close()
            temporary.unlink(missing_ok=True)
            raise
        finally:
            holder.close()
    except OSError as error:
        raise AudionetError(
            f"{path}: cannot be written ({error.strerror}); free space or choose another folder"
        ) from error


def write_atomically(path: Path, data: bytes | memoryview) -> None:
    """Write `data` to `path`, as `written_whole`."""
    with atomic_writer(path) as file:
        file.write(data)


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Write several files, as `written_whole`, one right after the other once all are on the disk."""
    with ExitStack() as stack:
        for path, data in contents.items():
            _write_durably(stack.enter_context(atomic_writer(path)), data)


def _write_durably(file: IO[bytes], data: bytes) -> None:
    """Write what is not easily made again so that it is there even if the power fails next."""
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


def _begin(path: Path) -> tuple[Path, IO[bytes]]:
    """A new temporary file beside `path`, held open and locked as a sign that someone is writing it."""
    for _ in range(BEGINNINGS):
        # By chance alone: on a shared folder, two machines may have processes and threads of the same numbers.
        temporary = path.with_name(f"{TEMPORARY_PREFIX}{os.urandom(8).hex()}{TEMPORARY_SUFFIX}")
        holder = open(temporary, "xb")  # noqa: SIM115
        if ON_WINDOWS or (try_lock(holder) is not False and os.fstat(holder.fileno()).st_nlink):
            break
    return temporary, holder


def sweep(folder: Path) -> None:
    """Delete the temporary files in a folder that no process holds any more: those of runs that were killed."""
    for path in folder.glob(f"{TEMPORARY_PREFIX}*{TEMPORARY_SUFFIX}"):
        with suppress(OSError):
            if ON_WINDOWS:
                path.unlink()  # which fails while a process has it open
                continue
            with open(path, "r+b") as file:
                if try_lock(file):
                    path.unlink()


_sweep_once = functools.cache(sweep)


def json_bytes(content: dict[str, Any]) -> bytes:
    """`content` as JSON, which has no word for infinity. File names that are no valid Unicode survive."""
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False).encode(errors="surrogateescape")


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `content` as JSON, atomically."""
    write_together({path: json_bytes(content)})


def read_json(path: Path, largest_bytes: int = LARGEST_JSON_BYTES) -> Any:
    """What `write_json` wrote. Raises OSError or ValueError."""
    try:
        content = read_limited(path, largest_bytes).decode(errors="surrogateescape")
        return json.loads(content, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def read_limited(path: Path, largest_bytes: int) -> bytes:
    """The content of a file that may be a stranger's. Raises OSError; ValueError for more than so many bytes."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("not a file")
    if status.st_size > largest_bytes:
        raise ValueError(f"larger than {largest_bytes} bytes")
    return path.read_bytes()


def require_file(path: Path) -> int:
    """The size in bytes of a file, or of one that a link leads to.

    Raises UnusableInput unless it can be read and holds something.
    """
    try:
        status = path.stat()
        kind = NO_FILES.get(stat.S_IFMT(status.st_mode))
        if stat.S_ISDIR(status.st_mode):
            os.listdir(path)  # a folder among files is there because it can't be read, or is not followed
            kind = "a link to a folder, which is not followed" if path.is_symlink() else "a folder"
            raise UnusableInput(path, f"is {kind}")
        if kind is not None:
            raise UnusableInput(path, f"is {kind}, not a file")
        with open(path, "rb") as file:
            if not file.read(1):
                raise UnusableInput(path, "is empty")
        return status.st_size
    except OSError as error:
        raise UnusableInput.unreadable(path, error) from error


def sha256_of_file(path: Path) -> str:
    """The file's SHA-256 as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
