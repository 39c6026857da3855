"""What printers of all formats share."""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

T = TypeVar("T")


class Printer(ABC, Generic[T]):
    """Prints what was found of clips in one format.

    labels: the model's classes. top: how many of them text shows of each clip.
    """

    def __init__(self, labels: list[str], top: int = 1) -> None:
        self._labels, self._top = labels, top

    @abstractmethod
    def add(self, clip: T) -> None:
        """Print one clip, or keep it for the end."""

    def finish(self) -> None:
        """Print what was kept."""
