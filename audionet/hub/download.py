"""A module of TensorFlow Hub -> a folder in a cache that is ours alone: downloaded once, checked, and gone on with.

What is downloaded will run as a program, so it comes over https, from the address that was named or one that is said,
into a folder that no other user can write to.
"""

import hashlib
import http.client
import logging
import os
import shutil
import stat
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from audionet.errors import AudionetError, explaining
from audionet.hub.archives import LARGEST_BYTES, extract
from audionet.system.files import read_beginning, sha256_of_file, sync_files, write_durably
from audionet.system.locks import make_folder, open_in_place, sync_folder, try_lock, wait_for_lock
from audionet.system.progress import Progress, silent

logger = logging.getLogger(__name__)

CACHE_VARIABLE = "TFHUB_CACHE_DIR"  # TensorFlow Hub's own
CACHE_NAME = "tfhub"  # in --model-dir, where no other is named
WAIT_SECONDS = 30.0  # for a server to say anything
TRIES = 4
BLOCK_BYTES = 1 << 18
HEADERS = "latin-1"  # how HTTP writes them
LONGEST_TAG_BYTES = 1000  # of the header by which a server tells files apart
THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
QUERY = "tf-hub-format=compressed"  # what TensorFlow Hub asks for
FAILURES = (OSError, http.client.HTTPException)


def cache_folder(model_dir: Path) -> Path:
    """The folder where downloads are kept: TFHUB_CACHE_DIR, or a folder in `model_dir`."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else model_dir / CACHE_NAME


def fetch(address: str, cache: Path, sha256: str | None = None, progress: Progress = silent) -> Path:
    """The folder of the module at an address, from the cache or downloaded into it.

    sha256: what the archive must have, in hexadecimal; None is whatever comes.
    Raises AudionetError where the address or the cache is not to be trusted, or the checksum is another; OSError or
    ValueError where there is nothing that can be used.
    """
    _require_safe(address)
    place = cache / hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest()  # as TensorFlow Hub names it
    make_folder(cache.parent)
    cache.mkdir(mode=0o700, exist_ok=True)
    _require_ours(cache)
    with _module_lock(place.with_suffix(".lock")):
        noted = place.with_suffix(".sha256")
        recorded = noted.read_text(encoding="ascii").strip() if noted.is_file() else ""
        archive = place.with_suffix(".part")
        if place.is_dir() and (sha256 is None or recorded == sha256):
            _require_ours(place)
            _delete(archive)  # of a run that was killed
            return place
        _download(address, archive, progress)
        actual = sha256_of_file(archive)
        if sha256 is not None and actual != sha256:
            archive.unlink()
            raise AudionetError(
                f"--tfhub-module {address}: its SHA-256 is {actual}, not that of --tfhub-sha256; nothing of it was used"
            )
        _unpack(archive, place)
        write_durably(noted, f"{actual}\n".encode())
        _delete(archive)
    logger.info("%s: downloaded; its SHA-256, for --tfhub-sha256, is %s", address, actual)
    return place


def require_checksum(path: Path, sha256: str | None) -> None:
    """Raise AudionetError unless an archive has the checksum that was asked for."""
    if sha256 is not None and not path.is_file():
        raise AudionetError(f"--tfhub-sha256: is of an archive, and {path} is a folder; name its .tar.gz")
    if sha256 is not None and sha256_of_file(path) != sha256:
        raise AudionetError(f"--tfhub-module {path}: its SHA-256 is not that of --tfhub-sha256; nothing of it was used")


def _require_safe(address: str) -> None:
    """Raise AudionetError for an address whose content others could replace on the way."""
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in THIS_MACHINE):
        raise AudionetError(f"{address}: is not a place to load a program from; only https:// is, and this machine")


def _require_ours(folder: Path) -> None:
    """Raise AudionetError if another user made something in a folder, or could have."""
    if sys.platform == "win32":
        return
    for path in (folder, *folder.rglob("*")):
        status = path.lstat()
        is_open = status.st_mode & stat.S_IWOTH and not stat.S_ISLNK(status.st_mode)
        if status.st_uid not in (os.geteuid(), 0) or is_open or (stat.S_ISLNK(status.st_mode) and path != folder):
            raise AudionetError(
                f"{path}: belongs to another user, or may be written by others, and its content would be run; delete "
                f"it, or name another folder with {CACHE_VARIABLE}"
            )


@contextmanager
def _module_lock(lock_file: Path) -> Iterator[None]:
    """Wait until no other run is at work on a module. The lock is gone with its process, however that ends.

    Others can write to nothing that is made meanwhile, whatever the user's umask.
    """
    with ExitStack() as at_the_end:
        at_the_end.callback(os.umask, umask := os.umask(0o022))
        os.umask(umask | 0o022)
        with explaining(f"{lock_file}: cannot be written", OSError, remedy="delete it"):
            file = at_the_end.enter_context(open_in_place(lock_file))
        if try_lock(file) is False:
            logger.info("%s: another audionet is downloading this module; waiting for it", lock_file)
            wait_for_lock(file)
        yield


def _tag_file(archive: Path) -> Path:
    """Where it is noted of which file an archive is the beginning, in the server's words."""
    return archive.with_suffix(".tag")


def _delete(archive: Path) -> None:
    for path in (archive, _tag_file(archive)):
        path.unlink(missing_ok=True)


def _download(address: str, archive: Path, progress: Progress) -> None:
    """Write what lies at an address to `archive`, where an earlier try may have written the beginning."""
    for left in reversed(range(TRIES)):
        try:
            _resume(address, archive, progress)
            return
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 416:  # nothing is left to download, or the file has changed: begin anew
                raise
            archive.unlink(missing_ok=True)
        except FAILURES as error:
            if not left or isinstance(error, urllib.error.URLError):  # nobody answers there, at once
                raise
            logger.info("%s: the download broke off (%s); trying again", address, error)
    raise OSError("the server keeps sending something else")


def _resume(address: str, archive: Path, progress: Progress) -> None:
    """Download what is missing of an archive, or all of it if the server has another by now. Raises one of FAILURES."""
    with open_in_place(archive) as file:
        done, tag = file.seek(0, os.SEEK_END), read_beginning(_tag_file(archive), LONGEST_TAG_BYTES).decode(HEADERS)
        headers = {"Range": f"bytes={done}-", "If-Range": tag} if done and tag else {}
        query = "&" if urlsplit(address).query else "?"
        request = urllib.request.Request(f"{address}{query}{QUERY}", headers=headers)
        with urllib.request.build_opener(_Redirects()).open(request, timeout=WAIT_SECONDS) as answer:
            if answer.status != 206:
                done = 0
                file.truncate(0)
                # One of these is needed to tell later whether the rest is of the same file.
                tag = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
                write_durably(_tag_file(archive), tag.encode(HEADERS, "replace"))
            file.seek(done)
            length = answer.headers.get("Content-Length") or ""
            total = done + int(length) if length.isascii() and length.isdecimal() and len(length) < 16 else 0
            _receive(answer, file, done, total, progress)


def _receive(answer: Any, file: IO[bytes], done: int, total: int, progress: Progress) -> None:
    """Write what a server sends, and check that it is all. Raises OSError, or ValueError if it is too much."""
    megabytes = max(1, total >> 20)
    progress("megabytes", 0, megabytes)
    while block := answer.read(BLOCK_BYTES):
        done += len(block)
        if done > LARGEST_BYTES:
            raise ValueError(f"larger than {LARGEST_BYTES >> 30} GB")
        file.write(block)
        file.flush()
        if total:
            progress("megabytes", min(done >> 20, megabytes - 1), megabytes)
    if total and done < total:
        raise OSError(f"the connection was closed after {done} of {total} bytes")
    progress("megabytes", megabytes, megabytes)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to safe addresses, and logs those that lead to other hosts."""

    max_redirections = 5

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str) -> Any:
        _require_safe(newurl)
        before, after = urlsplit(req.full_url), urlsplit(newurl)
        if before.netloc != after.netloc:
            logger.warning("%s: sends on to another server, %s", before.netloc, after.netloc)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _unpack(archive: Path, place: Path) -> None:
    """Unpack an archive into the folder `place`, which is there whole or not at all. Raises ValueError and OSError."""
    temporary = place.with_suffix(".tmp")
    for folder in (temporary, place):
        shutil.rmtree(folder, ignore_errors=True)
    temporary.mkdir(mode=0o700)
    try:
        with open(archive, "rb") as file:
            extract(file, temporary)
        sync_files(path for path in temporary.rglob("*") if path.is_file())
        temporary.replace(place)
        sync_folder(place.parent)
    except ValueError:
        archive.unlink(missing_ok=True)  # it is of no use to go on with it
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
