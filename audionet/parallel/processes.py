"""Processes of our own, one per core, for many short items: threads of one process would mostly wait for each other.

Python lets one of its threads work at a time. What NumPy does of a short item is so little that the threads hand over
hundreds of times for each. This module is also the program that such a process runs.
"""

import logging
import pickle  # nosec B403
import queue
import threading
from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from audionet.errors import explaining
from audionet.parallel.child import Child, ChildFailed, serve
from audionet.parallel.threads import Crew, Item, Job, Part, Result, Results, Threads, Workers, work_through

LARGEST_ANSWER_BYTES = 1 << 32
ITEMS_AT_ONCE = 4  # of one request: fewer, and the asking takes more of the time
SHORT_BYTES = 8 << 20  # a minute and a half of 16-bit stereo
HAS_ENDED = (
    "a process that does the work has ended, most often for want of memory; close other programs and run the same "
    "command again"
)
MANY = 100  # short recordings: with fewer, to start processes takes longer than they save


def run_many(
    workers: Workers, job: Job[Item, Part, Any, Result], items: Sequence[Item], paths: Iterable[Path]
) -> Results[Result]:
    """As `Workers.run`, but threads leave many short recordings to processes. paths: the file of each item."""
    short = []
    if isinstance(workers, Threads) and workers.width > 1:
        short = [position for position, path in enumerate(paths) if _is_short(path)]
    if len(short) < MANY:
        yield from workers.run(job, items)
        return
    rest = sorted(set(range(len(items))) - set(short))
    for runner, positions in ((workers, rest), (Processes(workers.width), short)):
        for number, result in runner.run(job, [items[position] for position in positions]):
            yield positions[number], result


def _is_short(path: Path) -> bool:
    try:
        return path.stat().st_size <= SHORT_BYTES
    except (OSError, ValueError):  # a name that no file can have is a ValueError
        return True  # whoever reads it will say what is wrong with it


class Processes:
    """Workers that are `width` processes; each item is the work of one."""

    def __init__(self, width: int) -> None:
        self.width = width

    def run(self, job: Job[Item, Part, Any, Result], items: Iterable[Item]) -> Results[Result]:
        """As `Workers.run`. What a process logs is logged here. Raises AudionetError if one ends by itself."""
        yield from _ProcessCrew(job, items).run(self.width)


class _ProcessCrew(Crew):
    """Threads each of which asks a process."""

    def __init__(self, job: Any, items: Iterable[Any]) -> None:
        super().__init__()
        self._job = pickle.dumps((job, logging.getLogger("audionet").getEffectiveLevel()))
        self._items = enumerate(items)
        self._lock = threading.Lock()  # of the items

    def work(self) -> None:
        """Have a process of its own do batch after batch."""
        with explaining(HAS_ENDED, ChildFailed), closing(Child(__name__)) as child:
            child.ask([self._job], None, LARGEST_ANSWER_BYTES)
            while not self.stop.is_set() and (batch := self._next_batch()):
                answer = child.ask([pickle.dumps([item for _, item in batch])], None, LARGEST_ANSWER_BYTES)
                results, records = pickle.loads(answer)
                for record in records:
                    logging.getLogger(record.name).handle(record)
                if isinstance(results, BaseException):
                    raise results
                for (position, _), result in zip(batch, results, strict=True):
                    self.results.put((position, result))

    def _next_batch(self) -> list[tuple[int, Any]]:
        with self._lock:
            return list(islice(self._items, ITEMS_AT_ONCE))


def _work() -> None:
    """What the process does: the first request brings the job, each further one some items."""
    from logging.handlers import QueueHandler  # which the process that starts this one does without

    # What is logged is kept, without what cannot be pickled, to be logged where the process was started.
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    logger = logging.getLogger("audionet")
    logger.addHandler(QueueHandler(records))
    logger.propagate = False
    jobs: list[Any] = []

    def answer(request: bytes) -> Sequence[bytes]:
        content = pickle.loads(request)
        if not jobs:
            job, level = content
            jobs.append(job)
            logger.setLevel(level)
            return [b"ready"]
        results: Any
        try:
            results = [work_through(jobs[0], item) for item in content]
        except Exception as error:  # it is raised where the process was started
            results = error
        return [pickle.dumps((results, [records.get() for _ in range(records.qsize())]))]

    serve(answer)


if __name__ == "__main__":
    _work()
