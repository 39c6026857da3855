"""`python -m audionet`, and the command `audionet`: from the first moment on, Ctrl-C ends it with one line."""

import atexit
import os
import sys
from contextlib import suppress

INTERRUPTED = "audionet: interrupted\n"

try:
    from audionet.system import signals as interruption
except KeyboardInterrupt:  # before it can be listened for
    sys.stderr.write(INTERRUPTED)
    sys.exit(130)


def main() -> int:
    """Run one command; its exit status."""
    # A notebook goes on when a command that it runs (%run -m audionet) has ended.
    is_alone = "IPython" not in sys.modules
    # Products run on one thread (parallel/threads.py); others, once NumPy is loaded, wait for work with a core each.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    interruption.listen()
    try:
        from audionet.cli.main import main as run

        status = run()
        if is_alone:
            interruption.ignore()
    except BaseException as error:
        if interruption.came():
            with suppress(OSError):
                sys.stderr.write(INTERRUPTED)
            status = interruption.status()
        elif isinstance(error, SystemExit) and isinstance(error.code, int):  # of --help, or a word that means nothing
            status = error.code
        else:
            raise
    if is_alone or interruption.came():
        # Without Python's farewell: half-imported libraries have been known to crash in it, and it takes its time
        # (TensorFlow's a second), in which a signal would be taken for a failure.
        if not interruption.came():
            atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):  # a disk that is full for messages: none can tell of that
                stream.flush()
        os._exit(status)
    return status


if __name__ == "__main__":
    sys.exit(main())
