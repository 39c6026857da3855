"""`python -m audionet`, and the command `audionet`: from the first moment on, Ctrl-C ends it with one line."""

import os
import sys

INTERRUPTED = "audionet: interrupted\n"

try:
    from audionet.system import signals as interruption
except KeyboardInterrupt:  # before it can be listened for
    sys.stderr.write(INTERRUPTED)
    sys.exit(130)


def main() -> int:
    """Run one command; its exit status."""
    interruption.listen()
    try:
        from audionet.system.stderr import open_missing_streams

        open_missing_streams()
        from audionet.cli.main import main as run

        status = run()
    except BaseException:
        if not interruption.came():
            raise
        sys.stderr.write(INTERRUPTED)
        status = interruption.status()
    # A notebook goes on when a command that it runs (%run -m audionet) has ended.
    is_alone = "IPython" not in sys.modules
    if interruption.came() or (is_alone and "tensorflow" in sys.modules):
        # Without Python's farewell: half-imported libraries have been known to crash in it, and TensorFlow takes a
        # second for it, after all is done, in which a signal would be taken for a failure.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


if __name__ == "__main__":
    sys.exit(main())
