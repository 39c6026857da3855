"""Work killed by SIGKILL at each of its steps on the disk, in turn: each sync, rename, deletion and new folder.

    python -m tests.killed STEP COMMAND ...

runs a command of audionet that is killed so. (`tests/crashes.py` does it for each step.)
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from audionet.cli import main as cli

DONE, FAILED = 0, 78
STEPS = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link")  # as Python's audit events call them


def killed_at(step: int, work: Callable[[], object]) -> bool:
    """Do work in a process of its own that is killed just before this step; whether it came so far."""
    process = os.fork()
    if process:
        _, status = os.waitpid(process, 0)
        code = os.waitstatus_to_exitcode(status)
        assert code in (DONE, -signal.SIGKILL), f"the work ended with status {code}"
        return code != DONE
    try:
        die_before(step)
        work()
        os._exit(DONE)
    except BaseException:
        os._exit(FAILED)


def die_before(step: int) -> None:
    """Kill this process before its step of this number, from 0. There is no way back."""
    passed = 0
    sync = os.fsync

    def count() -> None:
        nonlocal passed
        if passed == step:
            os.kill(os.getpid(), signal.SIGKILL)
        passed += 1

    def fsync(descriptor: Any) -> None:
        count()
        sync(descriptor)

    def hear(event: str, _: Any) -> None:
        if event in STEPS:
            count()

    os.fsync = fsync  # type: ignore[assignment]  # of which there is no event
    sys.addaudithook(hear)


if __name__ == "__main__":
    die_before(int(sys.argv[1]))
    sys.exit(cli.main(sys.argv[2:]))
