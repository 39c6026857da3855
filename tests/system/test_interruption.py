import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from audionet.cli import main as cli
from audionet.settings import PictureSettings
from tests.conftest import Run, make_untrained_model, run_program, start_program, tone, write_wav
from tests.crashes import Victim, contents, crash, hear_ctrl_c
from tests.killed import killed_at

pytestmark = pytest.mark.slow

# Imports of every kind: the very first, Python's own, ours, a C library's, and what is imported in the midst of work.
MOMENTS = ("audionet.system.signals", "argparse", "audionet.commands.prepare", "numpy.linalg", "PIL._imaging")

# Sends the process a signal when a module is about to be imported, as if it came at that moment.
AT_IMPORT = """
import os, runpy, signal, sys
moment, name = sys.argv[1:]
class Finder:
    def find_spec(self, module, path=None, target=None):
        if module == moment:
            os.kill(os.getpid(), getattr(signal, name))
sys.meta_path.insert(0, Finder())
sys.argv[:] = ["audionet", "prepare", "data_audio"]
sys.modules.pop(moment, None)
runpy.run_module("audionet", run_name="__main__")
"""


@pytest.mark.parametrize(
    ("moment", "name", "status"), [(moment, "SIGINT", 130) for moment in MOMENTS] + [("numpy", "SIGTERM", 143)]
)
def test_a_signal_during_an_import_is_one_line(moment: str, name: str, status: int, tmp_path: Path) -> None:
    write_wav(tmp_path / "data_audio" / "a" / "good.wav", tone(440, 1))
    finished = run_program(AT_IMPORT, moment, name, folder=tmp_path, check=False, preexec_fn=hear_ctrl_c)
    assert finished.returncode == status
    assert finished.stderr.startswith("audionet: interrupted")
    assert finished.stderr.count("\n") == 1
    assert finished.stdout == ""


def test_a_second_signal_some_time_later_ends_what_does_not_end(tmp_path: Path) -> None:
    program = """
import time
from audionet.system import signals as interruption
interruption.IMPATIENT_SECONDS = 0.2
interruption.listen()
ready = False
while True:
    try:
        if not ready:
            ready = True
            print("ready", flush=True)
        time.sleep(0.05)
    except KeyboardInterrupt:
        print("heard", flush=True)
"""
    process, line = start_program(program, folder=tmp_path, preexec_fn=hear_ctrl_c)
    assert line == "ready\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    assert process.stdout.readline() == "heard\n"
    while process.poll() is None:  # those that come too soon after the first are not taken for impatience
        process.send_signal(signal.SIGINT)
    assert process.returncode == 130
    assert process.stdout.read() == ""


# Waits for a signal in the way of a command, and says whether it has come.
HEARD_OR_LOST = """
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(0.01)
    print("lost")
except KeyboardInterrupt:
    print("heard", signals.status())
"""


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_where_nothing_can_be_raised_is_not_lost(name: str, slow: bool, tmp_path: Path) -> None:
    """Matplotlib has a function called for each part of a plot that goes; Python prints what is raised there.

    On a busy machine, that function may still go on when the signal is raised again.
    """
    program = f"""
import _thread, os, signal, sys, time, weakref
from audionet.system import signals
signals.listen()
start = _thread.start_new_thread
def start_slowly(*arguments):
    number = start(*arguments)
    time.sleep(0.2)
    return number
if {slow}:
    _thread.start_new_thread = start_slowly
class Part:
    pass
def went(reference):
    os.kill(os.getpid(), signal.{name})
    time.sleep(0)
part = Part()
reference = weakref.ref(part, went)
try:
    del part
{HEARD_OR_LOST}
class Other:
    def __del__(self):
        raise ValueError("is still told")
Other()
"""
    finished = run_program(program, folder=tmp_path, preexec_fn=hear_ctrl_c, timeout=300)
    assert finished.stdout == f"heard {128 + getattr(signal, name)}\n"
    assert "KeyboardInterrupt" not in finished.stderr
    assert "ValueError: is still told" in finished.stderr


def test_a_signal_is_not_lost_that_comes_while_python_tells_of_an_error_that_nobody_hears(tmp_path: Path) -> None:
    program = f"""
import os, signal, sys, time
from audionet.system import signals
signals.listen()
class Stderr:
    def write(self, text):
        if not signals.came():
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0)
        sys.__stderr__.write(text)
    def flush(self):
        sys.__stderr__.flush()
class Other:
    def __del__(self):
        raise ValueError("is told")
try:
    sys.stderr = Stderr()
    Other()
{HEARD_OR_LOST}
"""
    finished = run_program(program, folder=tmp_path, timeout=300)
    assert finished.stdout == "heard 143\n"
    assert "ValueError: is told" in finished.stderr


@pytest.mark.parametrize("goes_on", [False, True])
def test_a_command_with_tensorflow_ends_when_it_is_done_and_a_notebook_goes_on(goes_on: bool) -> None:
    """Python takes a second to put TensorFlow away, in which a signal has its own effect again."""
    program = """
import os, sys, types
class Large:
    def __del__(self):
        os.write(2, b"put away")
sys.modules["tensorflow"] = types.ModuleType("tensorflow")
sys.modules["tensorflow"].large = Large()
if sys.argv[1] == "True":
    sys.modules["IPython"] = types.ModuleType("IPython")
sys.argv[:] = ["audionet", "completion", "bash"]
from audionet.__main__ import main
sys.exit(main())
"""
    finished = run_program(program, str(goes_on), check=False)
    assert (finished.returncode, finished.stderr) == (0, "put away" if goes_on else "")
    assert "complete" in finished.stdout.splitlines()[-1]


def test_a_signal_after_the_work_is_done_changes_nothing(tmp_path: Path) -> None:
    program = """
import atexit, os, signal, sys
atexit.register(lambda: (os.kill(os.getpid(), signal.SIGINT), os.write(2, b"put away")))
sys.argv[:] = ["audionet", "completion", "bash"]
from audionet.__main__ import main
sys.exit(main())
"""
    finished = run_program(program, folder=tmp_path, check=False, preexec_fn=hear_ctrl_c)
    assert (finished.returncode, finished.stderr) == (0, "put away")


def test_what_the_process_was_told_to_ignore_it_ignores(tmp_path: Path) -> None:
    program = """
import os, signal
signal.signal(signal.SIGHUP, signal.SIG_IGN)
from audionet.system import signals as interruption
interruption.listen()
os.kill(os.getpid(), signal.SIGHUP)
print(interruption.came())
"""
    finished = run_program(program, folder=tmp_path)
    assert finished.stdout == "False\n"


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux to see which processes are left")
def test_a_rerun_after_a_kill_gives_what_an_undisturbed_run_gives(tmp_path: Path) -> None:
    """A few kills; `make crash-test` does many."""
    victim = Victim(tmp_path)
    for command, kills in {"prepare": 3, "retrain": 1, "label": 1, "evaluate": 1}.items():
        outcomes = list(crash(victim, command, kills, first=1))
        assert len(outcomes) == kills
        assert [outcome for outcome in outcomes if outcome.faults] == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_label_and_evaluate_killed_at_any_step_leave_nothing_half_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make crash-test` does it with `retrain` too."""
    here = tmp_path / "here"
    make_untrained_model(here / "tf_files", PictureSettings(0.5, 0))
    write_wav(here / "data" / "low" / "a.wav", tone(300, 0.5))
    commands = (
        ["label", "data", "-q", "--report", "page.html", "--plot", "plots"],
        ["evaluate", "data", "-q", "--no-unknown"],
    )
    (here / "page.html").write_text("<!DOCTYPE html> an old one")
    old = contents(here)
    came: list[dict[str, bytes]] = []
    for typed in commands:
        monkeypatch.chdir(shutil.copytree(here, tmp_path / typed[0]))
        assert cli.main(typed) == 0  # what it imports is there from now on, for those that are killed
        monkeypatch.chdir(here)
        while killed_at(len(came), lambda typed=typed: cli.main(typed)):  # type: ignore[misc]
            came.append({name: data for name, data in contents(here).items() if not name.endswith(".tmp")})
        assert cli.main(typed) == 0
        new = contents(here)
        assert all(data in (old.get(name), new[name]) for found in came for name, data in found.items())
        assert len(came) >= (4 if typed[0] == "label" else 1)
        came.clear()


def in_a_shell(typed: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """What becomes of `audionet` and what is typed behind it, in a folder."""
    return run_program(["sh", "-c", f"{sys.executable} -m audionet {typed}"], folder=folder, check=False)


def test_output_that_nobody_can_take_is_a_sentence_or_silence(audionet: Run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_wav(tmp_path / "data_audio" / name / "good.wav", tone(440, 1))
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    for typed in ("prepare data_audio", "--version"):
        finished = in_a_shell(f"{typed} > /dev/full", tmp_path)
        assert finished.returncode == 2
        assert finished.stderr == "audionet: No space left on device; mend that and run the same command again\n"
    assert audionet("prepare", "data_audio").returncode == 0


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        ("", 2),
        ("nonsense", 2),
        ("prepare nowhere", 2),
        ("prepare data_audio", 1),
        ("prepare data_audio > /dev/full", 2),
    ],
)
def test_messages_that_nobody_can_take_leave_the_status_as_it_is(typed: str, status: int, tmp_path: Path) -> None:
    write_wav(tmp_path / "data_audio" / "a" / "good.wav", tone(440, 1))
    (tmp_path / "data_audio" / "a" / "bad.wav").write_bytes(b"not sound")
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    assert in_a_shell(f"{typed} 2> /dev/full", tmp_path).returncode == status
