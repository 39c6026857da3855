"""What the commands ask the system for, as strace sees it: no file but those named, nothing written elsewhere, no
connection. Only where strace is installed."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from audionet.settings import PictureSettings
from tests.conftest import chirps, make_untrained_model, write_wav

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")

OPENED = re.compile(r'\b(?:open|openat|openat2|creat)\((?:[^,"]*, )?"((?:[^"\\]|\\.)*)"(?:\.\.\.)?, (.*)')
CHANGED = re.compile(r"\b(?:rename|renameat|renameat2|unlink|unlinkat|mkdir|mkdirat|truncate|link|symlink)\((.*)")
WRITING = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND|creat")
CONNECTED = re.compile(r"\bconnect\(.*sa_family=AF_INET")
LISTS = {
    "list.mp3": "ffconcat version 1.0\nfile '{}'\n",
    "list.m3u8.wav": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:{}\n#EXT-X-ENDLIST\n",
    "list.ogg": "#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/secret.wav\n",
}


class Trace:
    """What a command asked for. read, written: absolute paths."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        log = folder.parent / "strace.log"
        command = ["strace", "-f", "-qq", "-s", "4096", "-e", "trace=%file,%network", "-o", str(log)]
        command += [sys.executable, "-m", "audionet", *map(str, arguments)]
        # Where the coverage of the tests is measured, that would be written too.
        env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
        env["XDG_STATE_HOME"] = str(folder.parent / "state")
        finished = subprocess.run(command, cwd=folder, env=env, capture_output=True, check=False)
        self.status, self.errors = finished.returncode, finished.stderr.decode()
        if not log.is_file() or "ptrace" in self.errors:
            pytest.skip("this system lets nobody trace")
        lines = log.read_text(errors="replace").splitlines()
        self.connections = [line for line in lines if CONNECTED.search(line)]
        self.read: set[str] = set()
        self.written: set[str] = set()
        for line in lines:
            opened, changed = OPENED.search(line), CHANGED.search(line)
            if opened:
                path = os.path.normpath(folder / opened[1])
                (self.written if WRITING.search(opened[2]) else self.read).add(path)
            elif changed and not line.endswith(")"):
                self.written |= {os.path.normpath(folder / name) for name in re.findall(r'"([^"]+)"', changed[1])}

    def outside(self, *folders: Path) -> list[str]:
        """What was written elsewhere than in these folders, in devices, and in temporary folders of its own."""
        own = [f"{folder}{os.sep}" for folder in folders] + [
            "/dev/",
            "/proc/self/",
            f"{os.environ['TMPDIR']}/audionet",
        ]
        # Python's own compiled modules, and the folders themselves, which are made if they are not there.
        elsewhere = [path for path in self.written if not path.startswith(tuple(own)) and "__pycache__" not in path]
        return sorted(path for path in elsewhere if not any(folder.is_relative_to(path) for folder in folders))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Clips and recordings, among them lists of another file, in a folder beside that file."""
    here, secret = tmp_path / "here", tmp_path / "secret.wav"
    write_wav(secret, chirps(0, 200, 400, 2))
    for name in ("low", "high"):
        write_wav(here / "data" / name / f"{name}.wav", chirps(1, 200, 400, 1))
        for file_name, content in LISTS.items():
            (here / "data" / name / file_name).write_text(content.format(secret))
    return here


def test_label_opens_the_clips_and_a_strangers_model_and_nothing_else(folder: Path) -> None:
    make_untrained_model(folder, PictureSettings(0.5, 0))
    trace = Trace(folder, "label", "data", "--graph", "retrained_graph.pb")
    assert trace.status == 1, trace.errors
    assert trace.connections == []
    assert trace.outside(folder.parent / "state") == []
    ours = {path for path in trace.read if path.startswith(str(folder.parent))}
    data = {str(path) for path in (folder / "data").rglob("*")} | {str(folder / "data")}
    model = {str(folder / f"retrained_graph.{ending}") for ending in ("json", "tflite", "scores")}
    assert ours - data - {path for path in ours if "state" in path} <= model | {str(folder)}
    assert ours & {str(path) for path in data if path.endswith(".wav")}


def test_prepare_writes_into_its_folder_and_nowhere_else(folder: Path) -> None:
    trace = Trace(folder, "prepare", "data", "--image-dir", "pictures", "--chunk-seconds", "0.5")
    assert trace.status == 1, trace.errors
    assert trace.connections == []
    assert trace.outside(folder / "pictures") == []
    assert any(path.startswith(str(folder / "pictures")) for path in trace.written)
    index = json.loads((folder / "pictures" / "audionet.json").read_text())
    assert len(index["recordings"]) == 2
    ours = {path for path in trace.read if path.startswith(str(folder.parent))}
    assert not [path for path in ours if "secret" in path or not path.startswith(str(folder))]
