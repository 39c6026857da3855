"""Files written whole or not at all, and what may be read as one."""

import errno
import functools
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from audionet.errors import AudionetError, UnusableInput, writing
from audionet.system.locks import ON_WINDOWS, make_folder, open_regular, sync_folder, try_lock
from audionet.system.untrusted import Refused, parse_json
from audionet.values import nearest_there

# Reading one of these may wait forever, or never end.
NO_FILES = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

# The index of a million recordings of one chunk each is so large, or that of three million chunks of longer ones. A
# value takes many times its bytes in memory, so that a file may have no more values for its size than ours have.
LARGEST_JSON_BYTES = 640 << 20
JSON_BYTES_PER_VALUE = 12
TEMPORARY_PREFIX, TEMPORARY_SUFFIX = ".audionet-", ".tmp"
BLOCK_BYTES = 1 << 20  # of a file that are read at a time
SYNCED_AT_ONCE = 8
BEGINNING_BYTES = 4096  # that tell what a file is
BEGINNINGS = 3  # of a temporary file that others sweep away before it is locked


@contextmanager
def atomic_writer(path: Path, *, durable: bool = False) -> Iterator[IO[bytes]]:
    """A file to write to, which becomes `path` at the end: a reader, or a kill at any moment, finds the old or the new.

    Makes the folder if it is not there. A link in place of the file is replaced, not followed; a pipe or a device, or
    a link to one, is not replaced.
    durable: at the end the file is on the disk under its name, even if the power fails next. What is made in large
        numbers is written without, and given to `sync_files` before anything says that it is there.
    Raises AudionetError when the disk refuses.
    """
    with writing(path):
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "it is not a file", str(path))
        make_folder(path.parent)
        _sweep_once(path.parent)
        temporary, holder = _begin(path)
        try:
            with open(os.dup(holder.fileno()), "wb") as file:
                yield file
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            if ON_WINDOWS:
                holder.close()
            temporary.replace(path)
            if durable:
                sync_folder(path.parent)
        except BaseException:
            holder.close()
            temporary.unlink(missing_ok=True)
            raise
        finally:
            holder.close()


def require_replaceable(path: Path, what: str, is_such: Callable[[bytes], bool]) -> None:
    """Raise AudionetError where an output would take the place of something else, such as a recording.

    what: the output in words. is_such: whether what begins so is one, and may be replaced. What is empty, or holds
    zeros alone as after a power cut, is no loss.
    """
    beginning = b""
    with writing(path), suppress(FileNotFoundError), open_file(path) as file:
        beginning = file.read(BEGINNING_BYTES)
    if beginning.strip(b"\0") and not is_such(beginning):
        raise AudionetError(f"{path}: is there already, and is not {what}; name another place, or delete it")


def require_folder(folder: Path) -> None:
    """Raise AudionetError if something else is where a folder is needed to write to, or above that, or if nothing can
    be written there: it is said before hours of work, not behind them."""
    there = nearest_there(folder)
    if not there.is_dir():
        raise AudionetError(f"{there}: is there already, and is no folder, which is needed; name another place")
    if not os.access(there, os.W_OK | os.X_OK):
        raise AudionetError(f"{there}: nothing can be written in this folder; name another place")


def require_apart(outputs: Sequence[Path], inputs: Iterable[Path] = ()) -> None:
    """Raise AudionetError where one place is named for two outputs, or for an output and what is read."""
    taken = {_place(path, follow) for path in inputs for follow in (True, False)}
    for path in outputs:
        place = _place(path, follow=False)
        if place in taken:
            raise AudionetError(f"{path}: is named for two things, and would be lost as one of them; name another")
        taken.add(place)


def _place(path: Path, follow: bool) -> Path:
    """Where a file that is read lies, behind its links (follow), or one that is written will: in place of a link."""
    return resolved(path) if follow else resolved(path.parent) / path.name


def resolved(path: Path) -> Path:
    """A path from the root, with links followed as far as they lead somewhere."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # links that go round in a circle
        return path.absolute()


def make_inner_folder(folder: Path) -> None:
    """Make a folder in one that the user named. A link in its place would lead elsewhere, and is not followed.

    Raises AudionetError when the disk refuses, or something else is there.
    """
    if folder.is_symlink():
        raise AudionetError(f"{folder}: is a link, which is not followed; delete it")
    with writing(folder):
        make_folder(folder)


def write_atomically(path: Path, data: bytes | memoryview) -> None:
    """Write `data` to `path`, as `atomic_writer`."""
    with atomic_writer(path) as file:
        file.write(data)


def write_durably(path: Path, data: bytes | memoryview) -> None:
    """Write `data` to `path`, as `atomic_writer`, so that it is there even if the power fails next."""
    with atomic_writer(path, durable=True) as file:
        file.write(data)


def write_in_order(contents: Sequence[tuple[Path, bytes]]) -> None:
    """Write several files durably: none is renamed before all are on the disk, and each only after those before it.

    So nothing changes unless there is space for all; and whoever finds one of them finds those before it too.
    """
    with ExitStack() as stack:
        for path, data in reversed(contents):  # the stack ends with what was begun first
            file = stack.enter_context(atomic_writer(path, durable=True))
            with writing(path):
                file.write(data)
                file.flush()
                os.fsync(file.fileno())


class Syncer:
    """Brings files that `atomic_writer` wrote to the disk while other work goes on.

    Several at a time, which file systems do together. One that has gone is passed over.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(SYNCED_AT_ONCE, "sync")
        self._begun: list[Future[None]] = []
        self._folders: set[Path] = set()

    def begin(self, paths: Iterable[Path]) -> None:
        """Begin with more files."""
        for path in paths:
            self._folders.add(path.parent)
            self._begun.append(self._pool.submit(_sync_file, path))

    def wait(self) -> None:
        """Wait until all of them, and their names, are on the disk. Raises AudionetError when the disk refuses."""
        for file in self._begun:
            file.result()
        for folder in sorted(self._folders):
            sync_folder(folder)
        self._begun, self._folders = [], set()  # not before: what the disk has refused once is never said to be there


def sync_files(paths: Iterable[Path]) -> None:
    """Wait until files that `atomic_writer` wrote, and their names, are on the disk. One that has gone is passed over.

    Raises AudionetError when the disk refuses.
    """
    syncer = Syncer()
    syncer.begin(paths)
    syncer.wait()


def _sync_file(path: Path) -> None:
    # Windows syncs nothing that is open for reading alone.
    with writing(path), suppress(FileNotFoundError), open(path, "r+b") as file:
        os.fsync(file.fileno())


def _begin(path: Path) -> tuple[Path, IO[bytes]]:
    """A new temporary file beside `path`, held open and locked as a sign that someone is writing it."""
    for left in reversed(range(BEGINNINGS)):
        # The name is random: on a shared folder, two machines may have processes and threads of the same numbers.
        temporary = path.with_name(f"{TEMPORARY_PREFIX}{os.urandom(8).hex()}{TEMPORARY_SUFFIX}")
        holder = open(temporary, "xb")  # noqa: SIM115
        # Without a link, it is one that others have swept away, or the file system counts none.
        if ON_WINDOWS or (try_lock(holder) is not False and os.fstat(holder.fileno()).st_nlink) or not left:
            break
        holder.close()
        temporary.unlink(missing_ok=True)
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


def json_bytes(content: dict[str, Any], name: str | None = None, table: Mapping[str, Any] | None = None) -> bytes:
    """`content` as JSON, which has no word for infinity. File names that are no valid Unicode survive.

    name, table: what comes last in it, a line each: Python takes ten times as long to write anything else of many.
    """
    written = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    if name is not None:
        encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
        lines = ",\n".join(f"  {encode(key)}: {encode(value)}" for key, value in (table or {}).items())
        written = f"{written[:-2]},\n {encode(name)}: {{\n{lines}\n }}\n}}"
    return written.encode(errors="surrogateescape")


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `content` as JSON, durably."""
    write_durably(path, json_bytes(content))


def read_json(path: Path, largest_bytes: int = LARGEST_JSON_BYTES) -> Any:
    """The content of a JSON file, which is still to be checked. Raises OSError, or Refused if it is no JSON."""
    return parse_json(read_limited(path, largest_bytes), largest_bytes // JSON_BYTES_PER_VALUE)


def open_file(path: Path) -> IO[bytes]:
    """A regular file, or one that a link leads to, to be read. A pipe is not waited for. Raises OSError."""
    return open(open_regular(path, os.O_RDONLY), "rb")


def read_beginning(path: Path, most_bytes: int) -> bytes:
    """The first bytes of a file; none of what can't be read, of which whoever reads it all says what is wrong."""
    return read_part(path, 0, most_bytes)


def read_part(path: Path, start: int, most_bytes: int) -> bytes:
    """Bytes of a file from a place on; none of what can't be read."""
    with suppress(OSError, ValueError, OverflowError), open_file(path) as file:
        file.seek(start)
        return file.read(most_bytes)
    return b""


def read_limited(path: Path, largest_bytes: int) -> bytes:
    """The content of a file that may be a stranger's. Raises OSError; Refused for more than so many bytes."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise Refused("not a file")
    content = b""
    if status.st_size <= largest_bytes:
        # The file may grow, or be replaced, between the look at its size and the reading. Python reserves as much
        # memory as it is told to read, so that it is told no more than there seems to be.
        with open_file(path) as file:
            content = file.read(status.st_size + 1)
            while len(content) <= largest_bytes and (more := file.read(BLOCK_BYTES)):
                content += more
    if len(content) > largest_bytes or status.st_size > largest_bytes:
        raise Refused(f"larger than {largest_bytes} bytes")
    return content


def require_file(path: Path) -> int:
    """The size in bytes of a file, or of one that a link leads to.

    Raises UnusableInput unless it can be read and holds something.
    """
    try:
        status = path.stat()
        kind = NO_FILES.get(stat.S_IFMT(status.st_mode))
        if stat.S_ISDIR(status.st_mode):
            os.listdir(path)  # a folder is listed among files if it can't be read, or is a link
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
    except ValueError as error:
        raise UnusableInput.impossible(path) from error


def sha256_of_file(path: Path) -> str:
    """The file's SHA-256 as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with open_file(path) as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
