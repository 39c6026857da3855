"""Work killed (as by SIGKILL) at each of its steps on the disk: each sync, each rename, each deletion, in turn."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

DONE, KILLED, FAILED = 0, 77, 78


def killed_at(step: int, work: Callable[[], object]) -> bool:
    """Do work in a process of its own that ends just before this step, without a farewell; whether it came so far."""
    process = os.fork()
    if process:
        _, status = os.waitpid(process, 0)
        code = os.waitstatus_to_exitcode(status)
        assert code in (DONE, KILLED), f"the work ended with status {code}"
        return code == KILLED
    try:
        _die_before(step)
        work()
        os._exit(DONE)
    except BaseException:
        os._exit(FAILED)


def _die_before(step: int) -> None:
    passed = 0

    def counted(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal passed
            if passed == step:
                os._exit(KILLED)
            passed += 1
            return original(*arguments, **options)

        return call

    os.fsync = counted(os.fsync)
    Path.replace = counted(Path.replace)  # type: ignore[method-assign]
    Path.unlink = counted(Path.unlink)  # type: ignore[method-assign]
