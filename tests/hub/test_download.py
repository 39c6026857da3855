"""Downloads of modules: into a folder of our own, over safe addresses, whole or not at all, and gone on with."""

import hashlib
import io
import os
import random
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from audionet.errors import AudionetError
from audionet.hub import archives, download
from audionet.hub.download import cache_folder, fetch, require_checksum
from audionet.system.files import sweep
from audionet.system.locks import open_in_place, try_lock
from tests.killed import killed_at
from tests.model.test_untrusted import member, tar
from tests.served import Served
from tests.system.test_power_cut import Disk


def an_archive(size: int = 300_000) -> bytes:
    return tar((member("saved_model.pb"), random.Random(0).randbytes(size))).getvalue()


class Server(Served):
    """A server on this machine that can be told to misbehave."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content, "m/1")
        self.tag = '"one"'
        self.ranges: list[str | None] = []
        self.break_after: list[int] = []  # bytes, of each answer in turn
        self.hangs = False
        self.to: str | None = None

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.ranges.append(request.headers["Range"])
        if self.hangs:
            time.sleep(5)
            return
        if self.to is not None:
            request.send_response(302)
            request.send_header("Location", self.to)
            request.end_headers()
            return
        start = 0
        if request.headers["Range"] and request.headers["If-Range"] == self.tag:
            start = int(request.headers["Range"].removeprefix("bytes=").rstrip("-"))
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(self.content) - start))
        request.send_header("ETag", self.tag)
        request.end_headers()
        end = self.break_after.pop(0) if self.break_after else len(self.content)
        request.wfile.write(self.content[start:end])


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(an_archive())
    yield made
    made.stop()


@pytest.fixture(params=[0o022, 0o077, 0], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """The permissions that new files do not have; with 0, all may write to them."""
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_a_module_is_downloaded_once_into_a_folder_of_our_own(server: Server, tmp_path: Path) -> None:
    cache = tmp_path / "models" / "tfhub"
    shown: list[tuple[str, int, int]] = []
    folder = fetch(server.address, cache, progress=lambda *values: shown.append(values))
    assert (folder / "saved_model.pb").stat().st_size == 300_000
    assert fetch(server.address, cache) == folder
    assert len(server.ranges) == 1
    assert shown[0][:2] == ("megabytes", 0)
    assert shown[-1][1] == shown[-1][2]
    if sys.platform != "win32":
        assert cache.stat().st_mode & 0o777 == 0o700
    assert sorted(path.suffix for path in cache.iterdir()) == ["", ".lock", ".sha256"]


def test_the_cache_lies_below_the_model_folder_unless_another_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TFHUB_CACHE_DIR", raising=False)
    assert cache_folder(Path("models")) == Path("models/tfhub")
    monkeypatch.setenv("TFHUB_CACHE_DIR", "elsewhere")
    assert cache_folder(Path("models")) == Path("elsewhere")


def test_a_download_that_breaks_off_goes_on_where_it_was(server: Server, tmp_path: Path) -> None:
    server.break_after = [100_000, 200_000]
    folder = fetch(server.address, tmp_path / "cache")
    assert server.ranges == [None, "bytes=100000-", "bytes=200000-"]
    assert (folder / "saved_model.pb").read_bytes() == random.Random(0).randbytes(300_000)


def test_a_killed_download_is_gone_on_with_unless_it_is_another_file_by_then(server: Server, tmp_path: Path) -> None:
    server.break_after = [100_000] * download.TRIES
    with pytest.raises(OSError, match="closed after"):
        fetch(server.address, tmp_path / "cache")
    server.content, server.tag = an_archive(200_000), '"two"'
    folder = fetch(server.address, tmp_path / "cache")
    assert server.ranges[-1] == "bytes=100000-"
    assert (folder / "saved_model.pb").stat().st_size == 200_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_download_killed_at_any_step_is_gone_on_with(server: Server, tmp_path: Path) -> None:
    step, came = 0, True
    while came:
        cache = tmp_path / str(step)
        came = killed_at(step, lambda cache=cache: fetch(server.address, cache))  # type: ignore[misc]
        folder = fetch(server.address, cache)
        assert (folder / "saved_model.pb").stat().st_size == 300_000, f"after a kill at step {step}"
        sweep(cache)  # as another process does
        assert {path.suffix for path in cache.iterdir()} <= {"", ".lock", ".sha256"}, f"after a kill at step {step}"
        step += 1
    assert step > 8


def test_a_module_is_on_the_disk_before_it_is_taken_for_one(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    folder = fetch(server.address, tmp_path / "cache")
    assert (folder / "saved_model.pb").stat().st_ino in disk.at_renaming[folder.name]
    if sys.platform != "win32":
        assert folder.parent.stat().st_ino in disk.synced


def test_a_server_that_says_nothing_is_not_waited_for(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "WAIT_SECONDS", 0.2)
    monkeypatch.setattr(download, "TRIES", 2)
    server.hangs = True
    with pytest.raises(OSError, match="timed out"):
        fetch(server.address, tmp_path / "cache")
    assert len(server.ranges) == 2


@pytest.mark.parametrize("address", ["http://example.org/m", "ftp://example.org/m", "file:///etc/passwd", "http:///m"])
def test_programs_come_over_https_or_from_this_machine(tmp_path: Path, address: str) -> None:
    with pytest.raises(AudionetError, match="is not a place to load a program from; only https:// is"):
        fetch(address, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_redirect_to_another_server_is_said_and_one_that_is_not_safe_refused(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = Server(an_archive())
    try:
        server.to = other.address
        fetch(server.address, tmp_path / "cache")
        assert "sends on to another server, " + other.address.split("/")[2] in caplog.text
        server.to = "http://example.org/m"
        with pytest.raises(AudionetError, match=r"http://example\.org/m: is not a place to load a program from"):
            fetch(server.address + "?x=1", tmp_path / "cache")
    finally:
        other.stop()


def test_only_the_archive_of_a_checksum_is_used(server: Server, tmp_path: Path) -> None:
    right, wrong, cache = hashlib.sha256(server.content).hexdigest(), "0" * 64, tmp_path / "cache"
    with pytest.raises(AudionetError, match=f"its SHA-256 is {right}, not that of --tfhub-sha256"):
        fetch(server.address, cache, wrong)
    assert not [path for path in cache.iterdir() if path.is_dir()]
    folder = fetch(server.address, cache, right)
    assert fetch(server.address, cache, right) == folder
    assert len(server.ranges) == 2
    with pytest.raises(AudionetError, match="not that of --tfhub-sha256"):
        fetch(server.address, cache, wrong)
    archive = tmp_path / "m.tar.gz"
    archive.write_bytes(server.content)
    require_checksum(archive, right)
    require_checksum(tmp_path, None)
    for path, message in ((archive, "is not that of"), (tmp_path, "is a folder; name its .tar.gz")):
        with pytest.raises(AudionetError, match=message):
            require_checksum(path, wrong)


@pytest.mark.skipif(sys.platform == "win32", reason="owners of Unix")
def test_what_another_user_made_or_could_have_made_is_not_used(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    folder = fetch(server.address, cache)
    (folder / "saved_model.pb").chmod(0o666)
    with pytest.raises(AudionetError, match=r"saved_model.pb: belongs to another user, or may be written by others"):
        fetch(server.address, cache)
    (folder / "saved_model.pb").chmod(0o644)
    (folder / "link").symlink_to("/etc/hostname")
    with pytest.raises(AudionetError, match=r"link: belongs to another user"):
        fetch(server.address, cache)
    (folder / "link").unlink()
    fetch(server.address, cache)
    me = os.geteuid()
    if me == 0:
        os.chown(folder / "saved_model.pb", 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    with pytest.raises(AudionetError, match="belongs to another user"):
        fetch(server.address, cache)


def test_two_runs_download_a_module_once_and_the_lock_of_a_killed_one_is_none(server: Server, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    folder = fetch(server.address, cache)
    lock = folder.with_suffix(".lock")
    assert lock.exists()  # and nobody has it
    with open_in_place(lock) as held:
        assert try_lock(held)
        found: list[Path] = []
        waiting = threading.Thread(target=lambda: found.append(fetch(server.address, cache)))
        waiting.start()
        waiting.join(0.3)
        assert not found
    waiting.join(20)
    assert found == [folder]
    assert len(server.ranges) == 1


def test_what_is_no_archive_is_not_kept(server: Server, tmp_path: Path) -> None:
    server.content = b"no archive"
    for _ in range(2):
        with pytest.raises(ValueError, match="no archive"):
            fetch(server.address, tmp_path / "cache")
    assert server.ranges == [None, None]
    assert sorted(path.suffix for path in (tmp_path / "cache").iterdir()) == [".lock", ".tag"]


def test_a_download_without_end_is_ended(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "LARGEST_BYTES", 100_000)
    with pytest.raises(ValueError, match="larger than"):
        fetch(server.address, tmp_path / "cache")


def test_a_sparse_archive_is_refused_before_a_byte_is_written(tmp_path: Path) -> None:
    sparse = tarfile.TarInfo("big")
    sparse.size = 0
    sparse.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.map": "0,0", "GNU.sparse.size": str(1 << 32)}
    declared = tarfile.TarInfo("big")
    declared.size = 5 << 30
    plain = tarfile.TarInfo("small")
    for info, message in ((sparse, "of which most is left out"), (declared, "holds more than 4 GB")):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            archive.addfile(plain)
            archive.fileobj.write(info.tobuf(tarfile.PAX_FORMAT if info is sparse else tarfile.GNU_FORMAT))
        file.seek(0)
        folder = tmp_path / message
        with pytest.raises(ValueError, match=message):
            archives.extract(file, folder)
        assert [path.name for path in folder.iterdir()] == ["small"]
