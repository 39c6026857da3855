"""How long work tells how far it is."""

from typing import Protocol


class Progress(Protocol):
    """Called with the name of a stage, how many parts of it are done and how many there are; first with none done."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Called after each part."""


def silent(stage: str, done: int, total: int) -> None:
    """The progress of library use: nothing."""
