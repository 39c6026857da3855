"""What can go wrong through no fault of the program.

The message is for people: which file, what is wrong, what to do now.
"""

from pathlib import Path


class AudionetError(Exception):
    """The command cannot go on. The message says why and what to do now."""


class DiskFull(AudionetError):
    """A file cannot be written because there is no space for it."""


class UnusableInput(AudionetError):
    """One input file cannot be used; the others can.

    `path` is the file, `reason` what is wrong with it.
    """

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = str(path)
        self.reason = reason

    def __reduce__(self) -> "tuple[type[UnusableInput], tuple[str, str]]":
        # Pickled, to come back from another process, an exception keeps its message alone.
        return UnusableInput, (self.path, self.reason)
