import pytest

from audionet.evaluation.confusion import Confusion, wilson_interval


@pytest.mark.parametrize(
    ("correct", "count", "low", "high"),
    [
        # Wilson's interval as statsmodels' proportion_confint(method="wilson") gives it.
        (9, 10, 0.5958, 0.9821),
        (0, 20, 0.0, 0.1611),
        (20, 20, 0.8389, 1.0),
        (500, 1000, 0.4691, 0.5309),
    ],
)
def test_the_interval_is_wilsons(correct: int, count: int, low: float, high: float) -> None:
    assert wilson_interval(correct, count) == pytest.approx((low, high), abs=1e-4)


def test_accuracy_and_its_interval_come_from_the_diagonal() -> None:
    confusion = Confusion.of(["a", "b"], [0, 0, 0, 1], [0, 0, 1, 1])
    assert (confusion.correct, confusion.count, confusion.accuracy) == (3, 4, 0.75)
    assert confusion.interval == wilson_interval(3, 4)
