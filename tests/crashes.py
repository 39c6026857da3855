"""Commands killed in the middle: whether a rerun gives, to the byte, what an undisturbed run gives.

    python -m tests.crashes --kills 50         (make crash-test)
    python -m tests.crashes --at-each-step     (make crash-test CRASHES=--at-each-step)

Each command runs once undisturbed. Then it is killed again and again, each time begun anew from the same folder, and
run once more without disturbance: at moments that are spread evenly over its run, by SIGKILL, Ctrl-C (SIGINT) or
SIGTERM; or by SIGKILL before each sync, rename, deletion and new folder. Between the two, `label` must give the answer
of the model that was there before, or of the new one.
"""

import argparse
import contextlib
import functools
import io
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from audionet.cli import main as cli
from audionet.settings import PictureSettings
from audionet.system import files
from tests.conftest import chirps, environment, make_untrained_model, run_program, write_wav

PACKAGE = Path(__file__).resolve().parent.parent / "audionet"
SETTLE_SECONDS = 10.0  # for ffmpeg to see that its reader has been killed
MOMENT_SECONDS = 1.0  # the same for one that was just being started when the signal came
SIGNALS = ("SIGKILL", "SIGINT", "SIGTERM")
MARK = "AUDIONET_CRASH_TEST"  # an environment variable that processes inherit
COMMANDS: dict[str, list[str]] = {
    "prepare": ["prepare", "data_audio", "--chunk-seconds", "1", "--overlap", "0"],
    "retrain": ["retrain", "--steps", "50"],
    "label": ["label", "data_audio/low", "--format", "json", "--report", "page.html", "--plot", "plots"],
    "evaluate": ["evaluate", "data_audio", "--format", "json"],
}
ASK = ["label", "data_audio/low/low-1.wav", "--format", "json"]  # what a model says
GOLDEN_RATIO = (5**0.5 - 1) / 2  # the fractions of its multiples are spread evenly, however many they are
# TensorBoard's files hold the time of day; the list of digests depends on how old the pictures are.
NOT_COMPARED = ("events.out.tfevents", "pictures.sha256.json")


@dataclass
class Outcome:
    """What became of one killed run, and of the runs after it.

    killed: by what, and when.
    """

    killed: str
    status: int
    faults: list[str] = field(default_factory=list)


class Victim:
    """A folder of recordings in which all commands are run undisturbed, one after the other, each then to be killed.

    Before `retrain`, another model is there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._here = folder / "here"
        self.seconds: dict[str, float] = {}
        self._wanted: dict[str, str] = {}
        self._files: dict[str, dict[str, bytes]] = {}
        self._answers: dict[str, list[str]] = {}
        make_recordings(self._here / "data_audio")
        for command, typed in COMMANDS.items():
            if command == "retrain":
                make_untrained_model(self._here / "tf_files", PictureSettings(1, 0))
            answers = [self._ask()] if command != "prepare" else []
            shutil.copytree(self._here, self._start(command))
            began = time.monotonic()
            self._wanted[command] = self._run_undisturbed(typed)
            self.seconds[command] = time.monotonic() - began
            self._files[command] = contents(self._here)
            self._answers[command] = [*answers, self._ask()] if answers else []
        old, new = self._answers["retrain"]
        assert old != new

    def _start(self, command: str) -> Path:
        return self._folder / f"before {command}"

    def kill(self, command: str, number: signal.Signals, after_seconds: float) -> Outcome:
        """Run the command, kill it after some time, run it again, and look."""
        self._begin_anew(command)
        mark = os.urandom(8).hex()
        process = subprocess.Popen(
            [sys.executable, "-m", "audionet", *COMMANDS[command]],
            cwd=self._here,
            env=environment(**self._variables(), **{MARK: mark}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=hear_ctrl_c,
        )
        time.sleep(after_seconds)
        process.send_signal(number)
        _, errors = process.communicate()
        outcome = Outcome(f"{number.name} after {after_seconds:.3f} s", process.returncode)
        if number != signal.SIGKILL and process.returncode != 0:
            outcome.faults += faults_of_interruption(process.returncode, number, errors)
        if not alone_in_time(mark, SETTLE_SECONDS if number == signal.SIGKILL else MOMENT_SECONDS):
            outcome.faults.append("left a child process behind")
        self._recover(command, outcome)
        return outcome

    def kill_at(self, command: str, step: int) -> Outcome:
        """Run the command, which is killed before a step on the disk, run it again, and look."""
        self._begin_anew(command)
        killed = [sys.executable, "-m", "tests.killed", str(step), *COMMANDS[command]]
        finished = run_program(killed, folder=self._here, check=False, variables=self._variables())
        outcome = Outcome(f"killed before step {step}", finished.returncode)
        if finished.returncode not in (0, -signal.SIGKILL):
            outcome.faults.append(f"status {finished.returncode}")
        self._recover(command, outcome)
        return outcome

    def _begin_anew(self, command: str) -> None:
        shutil.rmtree(self._here)
        shutil.copytree(self._start(command), self._here)

    def _recover(self, command: str, outcome: Outcome) -> None:
        """Ask the model that is there, run the command again, and note what is not as it should be."""
        try:
            if self._answers[command] and self._ask() not in self._answers[command]:
                outcome.faults.append("label gives neither the old answer nor the new one")
            if _kept_of(COMMANDS[command], self._run(COMMANDS[command])) != self._wanted[command]:
                outcome.faults.append("the rerun prints something else")
        except RuntimeError as error:
            outcome.faults.append(str(error))
        found = contents(self._here)
        wanted = self._files[command]
        different = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
        if different:
            outcome.faults.append(f"differs from an undisturbed run: {', '.join(different[:3])}")

    def _run_undisturbed(self, typed: list[str]) -> str:
        """What a command prints as a process of its own, as it will be when it is killed. Raises RuntimeError."""
        command = [sys.executable, "-m", "audionet", *typed]
        finished = run_program(command, folder=self._here, check=False, variables=self._variables())
        if finished.returncode != 0:
            raise RuntimeError(f"{typed[0]} ends with status {finished.returncode}: {finished.stderr}")
        return _kept_of(typed, finished.stdout)

    def _ask(self) -> str:
        """What the model that is there says. Raises RuntimeError."""
        return self._run(ASK)

    def _run(self, typed: list[str]) -> str:
        """What a command prints in this process: to start another would take most of the time. Raises RuntimeError."""
        printed, errors = io.StringIO(), io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(errors),
        ):
            patch.chdir(self._here)
            # A new process sweeps each folder once; this one has swept them after the kill before.
            patch.setattr(files, "_sweep_once", functools.cache(files.sweep))
            for name, value in self._variables().items():
                patch.setenv(name, value)
            status = cli.main(typed)
        if status != 0:
            raise RuntimeError(f"{typed[0]} ends with status {status}: {errors.getvalue()}")
        return printed.getvalue()

    def _variables(self) -> dict[str, str]:
        """Of an environment in which it is always the same day, and which networks were trained here is noted here."""
        return {"SOURCE_DATE_EPOCH": "1700000000", "XDG_STATE_HOME": str(self._here / "state")}


def _kept_of(typed: list[str], printed: str) -> str:
    """Of what a command prints, what does not depend on how far the run before it came."""
    return printed if typed[0] in ("label", "evaluate") else ""


def make_recordings(folder: Path) -> None:
    """Two classes of three recordings, one of them long."""
    for number in range(3):
        for class_name, low_hz, high_hz in (("low", 200, 400), ("high", 2000, 3000)):
            seconds = 2.0 if number == 0 else 1.0
            seed = number if class_name == "low" else 10 + number
            write_wav(folder / class_name / f"{class_name}-{number}.wav", chirps(seed, low_hz, high_hz, seconds))


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder that are the same in every run."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not any(name in path.name for name in NOT_COMPARED)
    }


def faults_of_interruption(status: int, number: signal.Signals, errors: str) -> list[str]:
    """What is wrong with how a command took Ctrl-C or SIGTERM."""
    # Before Python runs its first line of ours, the signal has its own effect, or Python says where it was itself.
    is_pythons = "KeyboardInterrupt" in errors and not any(ours in errors for ours in (str(PACKAGE), "audionet: "))
    if (status == -number and not errors) or (status in (-number, 1) and is_pythons):
        return []
    found = []
    if status != 128 + number:
        found.append(f"status {status}")
    # Before it may stand what was said of the data.
    lines = errors.splitlines() or [""]
    if not (lines[-1].startswith("audionet: interrupted") and all(line.startswith("audionet: ") for line in lines)):
        found.append(f"says {errors[-300:]!r}")
    return found


def hear_ctrl_c() -> None:
    """Undo what a shell does to what runs in its background, such as this."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def alone_in_time(mark: str, patience_seconds: float) -> bool:
    """Whether no process with this mark is left, at the latest after some time. Of Linux alone."""
    end = time.monotonic() + patience_seconds
    while any_marked(mark):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def any_marked(mark: str) -> bool:
    """Whether a process has this mark."""
    wanted = f"{MARK}={mark}".encode()
    for place in Path("/proc").glob("[0-9]*/environ"):
        try:
            if wanted in place.read_bytes().split(b"\0"):
                return True
        except OSError:
            continue
    return False


def moments(seconds: float, first: int) -> Iterator[tuple[signal.Signals, float]]:
    """Signals and times, spread evenly over a run; every fifth is in the first tenth of a second, as Python starts."""
    for number in itertools.count(first):
        latest = 0.1 if number % 5 == 4 else seconds
        yield signal.Signals[SIGNALS[number % 3]], latest * (number * GOLDEN_RATIO % 1)


def crash(victim: Victim, command: str, kills: int, first: int = 0) -> Iterator[Outcome]:
    """What became of so many runs that were killed; a signal that came too late does not count."""
    for number, after in moments(victim.seconds[command], first):
        outcome = victim.kill(command, number, after)
        if outcome.status != 0 or outcome.faults:
            yield outcome
            kills -= 1
        if not kills:
            return


def crash_at_each_step(victim: Victim, command: str) -> Iterator[Outcome]:
    """What became of the runs that were killed at each step of a command on the disk."""
    for step in itertools.count():
        outcome = victim.kill_at(command, step)
        if outcome.status == 0 and not outcome.faults:  # it has no more steps
            return
        yield outcome


def main() -> int:
    """Kill, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--first", type=int, default=0, help="number of the first kill: others fall on other moments")
    parser.add_argument("--at-each-step", action="store_true")
    parser.add_argument(
        "commands", nargs="*", metavar="COMMAND", help="prepare, retrain, label, evaluate; default: all"
    )
    options = parser.parse_args()
    wrong = 0
    folder = tempfile.TemporaryDirectory(prefix="audionet-crash-")
    victim = Victim(Path(folder.name))
    print("| command | kills | recovered, to the byte | how |")
    print("| --- | --- | --- | --- |", flush=True)
    for command in options.commands or COMMANDS:
        outcomes = []
        killings = (
            crash_at_each_step(victim, command)
            if options.at_each_step
            else crash(victim, command, options.kills, options.first)
        )
        for outcome in killings:
            outcomes.append(outcome)
            for fault in outcome.faults:
                wrong += 1
                print(f"{command}, {outcome.killed}: {fault}", flush=True)
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{command}: {len(outcomes)}")
        counts = Counter(outcome.killed.split()[0] for outcome in outcomes)
        how = "before each step" if options.at_each_step else ", ".join(f"{name} {counts[name]}" for name in SIGNALS)
        good = sum(not outcome.faults for outcome in outcomes)
        print(f"| {command} | {len(outcomes)} | {good} | {how} |", flush=True)
    folder.cleanup()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
