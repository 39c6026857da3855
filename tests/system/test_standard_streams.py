"""Commands whose standard streams are closed, as services and programs without a console start them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from audionet.settings import PictureSettings
from tests.conftest import chirps, make_untrained_model, run_program, write_wav


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, low_and_high: Path) -> Path:
    folder = tmp_path_factory.mktemp("service")
    shutil.copytree(low_and_high / "tf_files", folder / "tf_files")
    make_untrained_model(folder, PictureSettings(1, 0))
    write_wav(folder / "clips" / "low" / "a.wav", chirps(0, 200, 400, 1))
    write_wav(folder / "clips" / "low" / "b.wav", chirps(1, 200, 400, 1))
    return folder


GRAPH = ["--graph", "retrained_graph.pb"]
COMMANDS = {
    "prepare": ["prepare", "clips", "--chunk-seconds", "1", "--image-dir", "pictures"],
    "retrain": ["retrain", "--steps", "5", "--no-refit"],
    "label": ["label", "clips", "--format", "json", *GRAPH],
    "evaluate": ["evaluate", "clips", *GRAPH],
    "stdin": ["label", "-", *GRAPH],
    "doctor": ["doctor"],
    "help": ["--help"],
    "mistake": ["lable"],
}
STATUSES = dict.fromkeys(COMMANDS, 0) | {"stdin": 2, "mistake": 2}


@pytest.mark.skipif(sys.platform == "win32", reason="a shell that can close a stream is needed")
@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_commands_work_whatever_stream_is_closed(here: Path, tmp_path: Path, closed: str) -> None:
    for name, command in COMMANDS.items():
        out, err = tmp_path / f"{name}.out", tmp_path / f"{name}.err"
        script = f'exec "$@" 0</dev/null 1>"{out}" 2>"{err}"'
        inner = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-m", "audionet", *command]
        finished = subprocess.run(["sh", "-c", script, "sh", *inner], cwd=here, check=False, timeout=120)
        assert finished.returncode == STATUSES[name], (name, err.read_text())
        assert "Traceback" not in err.read_text() + out.read_text()
        if name == "label" and "1>&-" not in closed:
            assert len(json.loads(out.read_text())) == 2
        if name in ("stdin", "mistake") and "2>&-" not in closed:
            assert err.read_text()
    assert (here / "pictures" / "audionet.json").is_file()
    assert json.loads((here / "tf_files" / "retrained_graph.json").read_text())["labels"] == ["high", "low"]


def test_streams_that_python_does_not_have_are_replaced() -> None:
    program = (
        "import sys; sys.stdout = sys.stderr = None\n"
        "from audionet.cli.main import main\n"
        "sys.exit(main(['label', 'gone.wav', '--graph', 'gone.pb']))"
    )
    finished = run_program(program, check=False, timeout=60)
    assert (finished.returncode, finished.stderr) == (2, "")
