import pickle
import threading
import time
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from audionet.errors import AudionetError, UnusableInput
from audionet.parallel.threads import Threads, in_order, one_blas_thread
from audionet.system.progress import counted, tell_share
from tests.conftest import run_program

WAIT_SECONDS = 30  # then something hangs


class Squares:
    """A job: an item is a list of numbers, its result the list of their squares. It keeps count."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.taken = self.done = self.most_at_once = 0
        self.opened = self.closed = 0  # items

    def split(self, item: list[int]) -> Generator[int, None, None]:
        with self.lock:
            self.opened += 1
        try:
            for number in item:
                with self.lock:
                    self.taken += 1
                    self.most_at_once = max(self.most_at_once, self.taken - self.done)
                yield number
        finally:
            with self.lock:
                self.closed += 1

    def map(self, item: list[int], part: int) -> int:  # noqa: ARG002
        if part < 0:
            raise UnusableInput(str(part), "is negative")
        time.sleep(0.001 * (part % 3))
        with self.lock:
            self.done += 1
        return part**2

    def reduce(self, item: list[int], found: list[int]) -> list[int]:
        assert len(item) == len(found)
        return found


@pytest.mark.parametrize("width", [1, 3])
def test_results_are_joined_in_order(width: int) -> None:
    items = [list(range(n, n + 5)) for n in range(20)]
    assert list(in_order(Threads(width).run(Squares(), items))) == [[n**2 for n in item] for item in items]


class ToldSquares(Squares):
    """The same, which says how much of an item is done."""

    def split(self, item: list[int]) -> Generator[int, None, None]:
        for done, number in enumerate(item):
            tell_share(done / len(item))
            yield number


@pytest.mark.parametrize("width", [1, 3])
def test_how_much_is_done_of_the_items_under_way_is_told_together(width: int) -> None:
    told: list[float] = []
    results = Threads(width).run(ToldSquares(), [list(range(40))] * 5)
    assert len(list(counted("items", results, 5, lambda _, done, __: told.append(done)))) == 5
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0, 5)
    assert {int(done) for done in told if done % 1} >= {0, 4}
    assert told.count(5) == 1


def test_one_long_item_is_shared_and_only_what_is_worked_on_is_held() -> None:
    everyone = threading.Barrier(3, timeout=WAIT_SECONDS)

    class Together(Squares):
        def map(self, item: list[int], part: int) -> int:
            everyone.wait()  # until three threads work on a part at once
            return super().map(item, part)

    job = Together()
    assert list(Threads(3).run(job, [list(range(30))])) == [(0, [n**2 for n in range(30)])]
    assert job.most_at_once <= 3


def test_the_next_item_is_begun_while_all_threads_are_busy_and_no_more_are_worked_on() -> None:
    class Counting(Squares):
        working = most_working = 0

        def map(self, item: list[int], part: int) -> int:
            with self.lock:
                self.working += 1
                self.most_working = max(self.most_working, self.working)
            assert third_is_begun.wait(WAIT_SECONDS)
            with self.lock:
                self.working -= 1
            return super().map(item, part)

        def split(self, item: list[int]) -> Generator[int, None, None]:
            if item == [2]:
                third_is_begun.set()
            yield from super().split(item)

    third_is_begun = threading.Event()
    job = Counting()
    assert list(in_order(Threads(2).run(job, [[n] for n in range(9)]))) == [[n**2] for n in range(9)]
    assert job.most_working == 2


def test_results_come_as_soon_as_they_are_there() -> None:
    gate = threading.Event()

    class FirstIsSlow(Squares):
        def map(self, item: list[int], part: int) -> int:
            assert part != 0 or gate.wait(WAIT_SECONDS)
            return super().map(item, part)

    with closing(Threads(2).run(FirstIsSlow(), [[0], [1], [2]])) as results:
        assert {next(results)[0], next(results)[0]} == {1, 2}
        gate.set()
        assert list(results) == [(0, [0])]


def test_an_unusable_item_is_named_and_the_others_done() -> None:
    results = list(in_order(Threads(2).run(Squares(), [[1, 2], [3, -1, 4], [5]])))
    assert (results[0], results[2]) == ([1, 4], [25])
    assert isinstance(results[1], UnusableInput)
    assert results[1].reason == "is negative"


def test_what_else_goes_wrong_ends_all_work() -> None:
    class Broken(Squares):
        def map(self, item: list[int], part: int) -> int:
            if part == 5:
                raise AudionetError("the disk is full")
            return super().map(item, part)

    job = Broken()
    with pytest.raises(AudionetError, match="the disk is full"):
        list(Threads(2).run(job, [list(range(100_000)), list(range(100_000))]))
    assert job.closed == job.opened >= 1
    assert job.done < 1000


def test_closed_it_stops_and_ends_what_is_under_way() -> None:
    job = Squares()
    before = threading.active_count()
    with closing(Threads(2).run(job, [[1], list(range(2, 100_000))])) as results:
        assert next(results) == (0, [1])
    assert job.closed == job.opened >= 1
    assert job.done < 1000
    assert threading.active_count() == before


def test_nothing_to_do_is_done() -> None:
    assert list(Threads(2).run(Squares(), [])) == []


def test_an_unusable_input_survives_the_way_from_another_process() -> None:
    error = pickle.loads(pickle.dumps(UnusableInput(Path("a.mp3"), "is empty")))
    assert (str(error), error.path, error.reason) == ("a.mp3: is empty", "a.mp3", "is empty")


def blas_threads() -> list[int]:
    return [int(library["num_threads"]) for library in threadpool_info() if library["user_api"] == "blas"]


def test_overlapping_runs_leave_the_threads_of_matrix_products_as_they_were() -> None:
    with threadpool_limits(3):
        before = blas_threads()
        first, second = Threads(2).run(Squares(), [[1], [2]]), Threads(2).run(Squares(), [[1], [2]])
        next(first)
        next(second)
        assert set(blas_threads()) == {1}
        first.close()  # the first to begin is the first to end: its limits must outlive it
        assert set(blas_threads()) == {1}
        second.close()
        assert blas_threads() == before
        with one_blas_thread(), one_blas_thread():
            assert set(blas_threads()) == {1}
        assert blas_threads() == before


def test_a_training_uses_one_thread_for_each_product_of_each_library() -> None:
    """In a process in which nobody has loaded SciPy, whose matrix products are its own, before the training does."""
    program = """
import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits
from audionet.commands import retrain
from audionet.parallel.threads import one_blas_thread
from audionet.training.lda import LinearDiscriminant, SufficientStatistics
threadpool_limits(3)
with one_blas_thread():
    LinearDiscriminant.of(SufficientStatistics.of(np.eye(4), np.array([0, 0, 1, 1]), 2), 0.1)
    print({library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"})
"""
    finished = run_program(program)
    assert finished.stdout == "{1}\n"


@pytest.mark.parametrize("let_through", [0, 1])
def test_threads_that_cannot_start_are_a_sentence_or_fewer_threads(
    let_through: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start
    started: list[threading.Thread] = []

    def limited(thread: threading.Thread) -> None:
        if len(started) >= let_through:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    before = blas_threads()
    if let_through:
        assert list(in_order(Threads(3).run(Squares(), [[1], [2]]))) == [[1], [4]]
    else:
        with pytest.raises(AudionetError, match="lets no further thread start; close other programs"):
            list(Threads(3).run(Squares(), [[1]]))
    assert blas_threads() == before


def test_an_item_whose_reading_goes_wrong_is_never_taken_for_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    class Late(threading.Event):
        def set(self) -> None:
            time.sleep(0.05)  # in which other threads go on
            super().set()

    monkeypatch.setattr(threading, "Event", Late)

    everyone = threading.Barrier(3, timeout=WAIT_SECONDS)
    taken_for_whole: list[list[int]] = []

    class Breaking(Squares):
        def map(self, item: list[int], part: int) -> int:  # noqa: ARG002
            everyone.wait()
            return part

        def split(self, item: list[int]) -> Generator[int, None, None]:
            yield from item
            time.sleep(0.02)  # until the other threads wait for a part too
            raise MemoryError

        def reduce(self, item: list[int], found: list[int]) -> list[int]:
            taken_for_whole.append(item)
            return found

    with pytest.raises(MemoryError):
        list(Threads(3).run(Breaking(), [[0, 1, 2]]))
    assert not taken_for_whole
