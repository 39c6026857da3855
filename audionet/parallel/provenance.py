"""Which networks were made on this machine by this user, and so need no process of their own to run in.

Their checksums stand in a file in the user's own folder for such things. Without one (no home, a read-only one), every
network counts as a stranger's, which changes how it is run and nothing in what it says.
"""

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from audionet.system.locks import open_in_place

FILE_NAME = "networks.txt"  # a SHA-256 a line
LONGEST_BYTES = 1 << 20  # that are looked at: 16,000 networks, the last ones


def remember_network(sha256: str) -> None:
    """Note that a network of this checksum was made here. Where that cannot be written down, nothing happens."""
    path = _place()
    if path is None or is_from_here(sha256):
        return
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open_in_place(path) as file:
            path.chmod(0o600)
            file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
            if file.read(1) not in (b"", b"\n"):  # the line of a run that was killed
                file.write(b"\n")
            file.write(f"{sha256}\n".encode())


def is_from_here(sha256: str) -> bool:
    """Whether a network of this checksum was made on this machine, by this user."""
    path = _place()
    try:
        if path is None or not _is_ours_alone(path):
            return False
        with open(path, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LONGEST_BYTES))
            return sha256.encode() in file.read().split()
    except OSError:
        return False


def _place() -> Path | None:
    """The file; None where there is no folder for it."""
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        folder = home / "Library" / "Application Support"
    else:
        folder = Path(os.environ.get("XDG_STATE_HOME") or home / ".local" / "state")
    return folder / "audionet" / FILE_NAME if folder.is_absolute() else None


def _is_ours_alone(path: Path) -> bool:
    """Whether nobody else can have written a file."""
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        return False
    return sys.platform == "win32" or (
        status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )
