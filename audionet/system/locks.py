"""Locks on files, which the system takes back when their process ends, however it ends: none is ever stale."""

import errno
import functools
import logging
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from audionet.errors import AudionetError, writing

logger = logging.getLogger(__name__)

LOCK_NAME = ".audionet.lock"  # of a folder, while someone works there
ON_WINDOWS = sys.platform == "win32"  # where an open file can be neither renamed nor deleted
POLL_SECONDS = 0.02
OPENINGS = 3  # of a lock file that others delete before it is locked

if sys.platform == "win32":
    import ctypes
    import msvcrt
    from ctypes import wintypes

    # Windows keeps others from reading what is locked, so that is a byte far behind the end. Neither msvcrt.locking
    # nor filelock has shared locks there, and portalocker locks the beginning of the file.
    _FAR = 2**31 - 2
    _FAIL_IMMEDIATELY, _EXCLUSIVE = 1, 2
    _LOCKED_BY_ANOTHER = 33  # ERROR_LOCK_VIOLATION

    class _Overlapped(ctypes.Structure):
        _fields_ = (
            ("Internal", ctypes.c_void_p),
            ("InternalHigh", ctypes.c_void_p),
            ("Offset", wintypes.DWORD),
            ("OffsetHigh", wintypes.DWORD),
            ("hEvent", wintypes.HANDLE),
        )

    _lock_file_ex = ctypes.WinDLL("kernel32", use_last_error=True).LockFileEx
    _lock_file_ex.argtypes = (wintypes.HANDLE, *[wintypes.DWORD] * 4, ctypes.POINTER(_Overlapped))
    _lock_file_ex.restype = wintypes.BOOL

    def try_lock(file: IO[Any], *, shared: bool = False) -> bool | None:
        """Lock an open file until it is closed: False if another has it, None if the file system knows no locks.

        A shared lock keeps away only those that are not.
        """
        handle, place = msvcrt.get_osfhandle(file.fileno()), _Overlapped(Offset=_FAR)
        flags = _FAIL_IMMEDIATELY if shared else _FAIL_IMMEDIATELY | _EXCLUSIVE
        if _lock_file_ex(handle, flags, 0, 1, 0, ctypes.byref(place)):
            return True
        return False if ctypes.get_last_error() == _LOCKED_BY_ANOTHER else None

else:
    import fcntl

    def try_lock(file: IO[Any], *, shared: bool = False) -> bool | None:
        """Lock an open file until it is closed: False if another has it, None if the file system knows no locks.

        A shared lock keeps away only those that are not.
        """
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return None
        return True


def make_folder(folder: Path) -> None:
    """Make a folder, and those that it lies in, if they are not there, to outlive a power cut. Raises OSError."""
    if folder.is_dir():
        return
    new = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for place in new:
        sync_folder(place.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can do that for folders."""
    if ON_WINDOWS:
        return
    with suppress(OSError):  # of a file system that can't; or the folder has gone again
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def open_in_place(path: Path) -> IO[bytes]:
    """A file, made if it is not there, to be read and written where it lies.

    Follows no link and waits for no pipe: whoever may have made the folder does not choose what is written elsewhere.
    Raises OSError for anything but a regular file.
    """
    try:
        return open(open_regular(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)), "r+b")
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a link, which is not followed", str(path)) from error
        raise


def open_regular(path: Path, flags: int) -> int:
    """The descriptor of a regular file. A pipe is not waited for. Raises OSError for anything else."""
    for name in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY", "O_NOINHERIT", "O_NOCTTY"):
        flags |= getattr(os, name, 0)
    descriptor = os.open(path, flags, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a file", str(path))
    return descriptor


@functools.cache
def _warn_of_no_locks(place: Path) -> None:
    logger.warning("%s: lies on a file system without locks; see that no two runs work there at once", place)


def wait_for_lock(file: IO[Any]) -> None:
    """Lock an open file until it is closed, once nobody else has it. It is for work that takes a moment."""
    while try_lock(file) is False:
        time.sleep(POLL_SECONDS)


@contextmanager
def exclusive_lock(place: Path, lock_file: Path) -> Iterator[None]:
    """Let only this run work on `place`. Raises AudionetError while another one does, or if it can't be written."""
    with writing(place):
        make_folder(lock_file.parent)
        file = _open(lock_file, place, shared=False)
    with _closing(file, lock_file):
        yield


@contextmanager
def shared_lock(folder: Path) -> Iterator[None]:
    """Keep away whoever wants an `exclusive_lock` on a folder. Raises AudionetError while another has one."""
    try:
        file = _open(folder / LOCK_NAME, folder, shared=True)
    except OSError:
        yield  # nobody can write here, or there is no such folder
        return
    with _closing(file, folder / LOCK_NAME):
        yield


def _open(lock_file: Path, place: Path, *, shared: bool) -> IO[bytes]:
    """The locked file. Raises OSError where it can't be made."""
    if lock_file.is_symlink() or (lock_file.exists() and not lock_file.is_file()):
        raise AudionetError(f"{lock_file}: is no file, as a lock should be; delete it")
    for left in reversed(range(OPENINGS)):
        file = open_in_place(lock_file)
        locked = try_lock(file, shared=shared)
        if locked is None:
            _warn_of_no_locks(place)
        if locked is False:
            file.close()
            raise AudionetError(f"{place}: another audionet is at work on it; wait until it has ended, or name another")
        # Without a link, the run before was just deleting it, or the file system counts none.
        if ON_WINDOWS or not left or os.fstat(file.fileno()).st_nlink:
            break
        file.close()
    return file


@contextmanager
def _closing(file: IO[bytes], lock_file: Path) -> Iterator[None]:
    """Delete the lock file at the end, if nobody else has it locked."""
    try:
        yield
    finally:
        last = not ON_WINDOWS and try_lock(file)
        if last:
            lock_file.unlink(missing_ok=True)
        file.close()
