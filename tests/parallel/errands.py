"""A job for processes, each of which imports it from here."""

import logging
import os
from collections.abc import Generator

from audionet.errors import DiskFull, UnusableInput

logger = logging.getLogger("audionet.errands")


class Errand:
    """Does what an item, a word, says."""

    def split(self, item: str) -> Generator[str, None, None]:
        yield from item.split()

    def map(self, item: str, part: str) -> str:  # noqa: ARG002
        if part == "unusable":
            raise UnusableInput("file", "is of no use")
        if part == "full":
            raise DiskFull("the disk is full")
        if part == "die":
            os._exit(1)
        if part == "warn":
            logger.warning("a word from process %d", os.getpid())
        return str(os.getpid()) if part == "who" else part

    def reduce(self, item: str, results: list[str]) -> str:  # noqa: ARG002
        return "-".join(results)
