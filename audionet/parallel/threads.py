"""Work shared out: many items at once, and long ones between several threads, in memory that does not grow."""

import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from threadpoolctl import threadpool_limits

from audionet.errors import NO_THREADS, AudionetError, UnusableInput
from audionet.settings import available_cores
from audionet.system.progress import listened_to, tell_share
from audionet.system.signals import end_children

Item = TypeVar("Item")
Part = TypeVar("Part")
Mapped = TypeVar("Mapped")
Result = TypeVar("Result")
Item_contra = TypeVar("Item_contra", contravariant=True)
Result_co = TypeVar("Result_co", covariant=True)
# Of items, with their positions among those that were given, in any order.
Results = Generator[tuple[int, Result | UnusableInput], None, None]

_limits_lock = threading.Lock()
_limited = 0  # how many are within one_blas_thread
_limits: Any = None


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Matrix products on one thread each, in all of this process, until the last of those who asked for it is done.

    Two threads add the parts of a sum in another order than one does, so the bytes of a model would depend on how many
    cores there are; and where several threads work, products with threads of their own only get in the way. A library
    that is loaded within it is not limited: what will be used must be imported before.
    """
    global _limited, _limits
    with _limits_lock:
        if not _limited:
            _limits = threadpool_limits(1)
        _limited += 1
    try:
        yield
    finally:
        with _limits_lock:
            _limited -= 1
            if not _limited:
                _limits.restore_original_limits()


class Job(Protocol[Item_contra, Part, Mapped, Result_co]):
    """What is to be done with each item: it is split into parts, `map` treats each part, `reduce` joins what that gave.

    Each method may raise UnusableInput; then that is the item's result. A job can be pickled.
    """

    def split(self, item: Item_contra) -> Generator[Part, None, None]:
        """The parts of an item, one at a time: only what is worked on is held in memory."""

    def map(self, item: Item_contra, part: Part) -> Mapped:
        """What a part of an item gives. Called by several threads at once, for parts of one item too."""

    def reduce(self, item: Item_contra, results: list[Mapped]) -> Result_co:
        """The item's result from what its parts gave, in their order."""


class Workers(Protocol):
    """Whoever does a job."""

    @property
    def width(self) -> int:
        """How many parts are worked on at once."""

    def run(self, job: Job[Item, Part, Mapped, Result], items: Iterable[Item]) -> Results[Result]:
        """The results with their items' positions, as they come, in any order.

        What else a job raises is raised here, and ends the others' work; so does closing the iterator.
        """


class Threads:
    """Threads of this process. Items are begun in order; threads that find none left help with those under way.

    One more than work at once begins the next item meanwhile: a recording's decoder is another process, for which the
    others would wait.
    """

    def __init__(self, width: int | None = None) -> None:
        """`width`: how many parts are worked on at once; None is one per core. With 1, no item is begun ahead."""
        self.width = width or available_cores()

    def run(self, job: Job[Item, Part, Mapped, Result], items: Iterable[Item]) -> Results[Result]:
        """As `Workers.run`."""
        crew = _ThreadCrew(job, items, self.width)
        with one_blas_thread():
            try:
                yield from crew.run(self.width + crew.ahead)
            finally:
                crew.close()


def _start(threads: Iterable[threading.Thread]) -> int:
    """Start the threads; how many the system lets run. One is enough; raises AudionetError for none."""
    running = 0
    for thread in threads:
        try:
            thread.start()
        except RuntimeError as error:
            if not running:
                raise AudionetError(NO_THREADS) from error
            break
        running += 1
    return running


def work_through(job: Job[Item, Part, Mapped, Result], item: Item) -> Result | UnusableInput:
    """The result of one item, with no help."""
    try:
        return job.reduce(item, [job.map(item, part) for part in job.split(item)])
    except UnusableInput as error:
        return error


def in_order(results: Iterable[tuple[int, Result]]) -> Iterator[Result]:
    """What `Workers.run` gives, in the order of the items; each as soon as those before it are there."""
    waiting: dict[int, Result] = {}
    following = 0
    for position, result in results:
        waiting[position] = result
        while following in waiting:
            yield waiting.pop(following)
            following += 1


class _UnderWay(Generic[Item, Part, Mapped]):
    """An item that was begun, and what its parts have given so far."""

    def __init__(self, position: int, item: Item, parts: Generator[Part, None, None]) -> None:
        self.position, self.item, self.parts = position, item, parts
        self.share = 0.0  # of it, that is done
        self.lock = threading.Lock()  # of all below, and of `parts`
        self.begun = self.done = 0
        self.no_more = False
        self.results: dict[int, Mapped] = {}
        self.unusable: UnusableInput | None = None


class Crew:
    """What the threads of one run share.

    results: of items, with their positions; how much is done of those under way, together; an exception that is to end
        the run; None from each thread that is done.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.results: queue.SimpleQueue[tuple[int, Any] | float | BaseException | None] = queue.SimpleQueue()

    def work(self) -> None:
        """What each thread does, until nothing is left or the run is stopped."""
        raise NotImplementedError

    def run_worker(self) -> None:
        """Work, and tell of the end."""
        try:
            self.work()
        except BaseException as error:
            self.stop.set()
            self.results.put(error)
        finally:
            self.results.put(None)

    def run(self, width: int) -> Generator[tuple[int, Any], None, None]:
        """As `Workers.run`, with so many threads; they have ended when it ends."""
        threads = [threading.Thread(target=self.run_worker, name=f"worker {n}") for n in range(width)]
        try:
            running = _start(threads)
            while running:
                came = self.results.get()
                if came is None:
                    running -= 1
                elif isinstance(came, float):
                    tell_share(came)
                elif isinstance(came, BaseException):
                    raise came
                else:
                    yield came
        except KeyboardInterrupt:
            end_children()  # or the threads would wait for them
            raise
        finally:
            self.stop.set()
            for thread in threads:
                if thread.ident is not None:
                    thread.join()


class _ThreadCrew(Crew, Generic[Item, Part, Mapped, Result]):
    """Threads that do a job themselves."""

    def __init__(self, job: Job[Item, Part, Mapped, Result], items: Iterable[Item], width: int) -> None:
        super().__init__()
        self.ahead = int(width > 1)  # how many threads begin ahead, and end when no item is left to begin
        self.job = job
        self._mapping = threading.Semaphore(width)
        self._lock = threading.Lock()  # of the two below, and of `ahead`
        self._items = enumerate(items)
        self._under_way: list[_UnderWay[Item, Part, Mapped]] = []

    def work(self) -> None:
        """Do the next item, or help with one under way."""
        while not self.stop.is_set() and (own := self._begin_or_join()) is not None:
            self._work_on(own)

    def close(self) -> None:
        """End what still reads a recording. Called when no thread works any more."""
        for own in self._under_way:
            own.parts.close()

    def _begin_or_join(self) -> "_UnderWay[Item, Part, Mapped] | None":
        """The next item; when there is none, the one that fewest help with; None if no item has parts left."""
        with self._lock:
            for position, item in self._items:
                begun = _UnderWay[Item, Part, Mapped](position, item, self.job.split(item))
                begun.parts = listened_to(begun.parts, partial(self._hear, begun))
                self._under_way.append(begun)
                return begun
            if self.ahead:
                self.ahead -= 1
                return None
            open_ones = [item for item in self._under_way if not item.no_more]
            return min(open_ones, key=lambda item: item.begun - item.done, default=None)

    def _work_on(self, own: "_UnderWay[Item, Part, Mapped]") -> None:
        """Take part after part of an item, until it has no more or the work is stopped."""
        while True:
            with own.lock:
                # To wait here for a part is no loss: whoever holds the lock waits for its decoding.
                part = self._next_part(own)
                if part is None:
                    self._finish_if_done(own)
                    return
                number = own.begun
                own.begun += 1
            try:
                with self._mapping:
                    own.results[number] = self.job.map(own.item, part[0])
            except UnusableInput as error:
                own.unusable = own.unusable or error
            with own.lock:
                own.done += 1

    def _next_part(self, own: "_UnderWay[Item, Part, Mapped]") -> "tuple[Part] | None":
        """An item's next part, in a tuple of its own; None if there is none, or it is not to be worked on any more."""
        if not own.no_more:
            try:
                if not self.stop.is_set() and own.unusable is None:
                    return (next(own.parts),)
            except StopIteration:
                pass
            except UnusableInput as error:
                own.unusable = error
            except BaseException:
                self.stop.set()  # while the lock is held: another thread would take the item for finished
                raise
            own.no_more = True
        return None

    def _hear(self, own: "_UnderWay[Item, Part, Mapped]", share: float) -> None:
        """Pass on how much of an item is done, with what is done of the others."""
        own.share = share
        with self._lock:
            self.results.put(sum((item.share for item in self._under_way), 0.0))

    def _finish_if_done(self, own: "_UnderWay[Item, Part, Mapped]") -> None:
        """Give out the result of an item whose last part is done."""
        if own.done < own.begun or self.stop.is_set():
            return
        with self._lock:
            if own not in self._under_way:
                return
            self._under_way.remove(own)
        result: Result | UnusableInput
        try:
            parts = [own.results[number] for number in range(own.begun)] if own.unusable is None else []
            result = own.unusable or self.job.reduce(own.item, parts)
        except UnusableInput as error:
            result = error
        self.results.put((own.position, result))
