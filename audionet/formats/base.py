"""The base of the printers of all formats."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar

from audionet.errors import AudionetError

if TYPE_CHECKING:
    from audionet.inference.windows import Timeline

T = TypeVar("T")


class Printer(ABC, Generic[T]):
    """Prints the results of clips in one format.

    labels: the model's classes. top: how many of them text shows of each clip.
    """

    def __init__(self, labels: list[str], top: int = 1) -> None:
        self._labels, self._top = labels, top

    @abstractmethod
    def add(self, clip: T) -> None:
        """Print one clip, or keep it for the end."""

    def finish(self) -> None:
        """Print the clips that were kept."""


class OneClipPrinter(Printer["Timeline"]):
    """A format whose files are of one clip each, so that no second one can follow on standard output.

    name: of the format.
    """

    name = ""

    def __init__(self, labels: list[str], top: int = 1) -> None:
        super().__init__(labels, top)
        self._first: str | None = None

    def add(self, clip: "Timeline") -> None:
        """Print one clip. Raises AudionetError for a second."""
        if self._first is not None:
            raise AudionetError(
                f"--format {self.name}: is of one recording each, and {self._first} has been printed; "
                "label one recording at a time, or all with --format csv or raven"
            )
        self._first = clip.clip
        self.print_clip(clip)

    @abstractmethod
    def print_clip(self, clip: "Timeline") -> None:
        """Print the one clip."""
