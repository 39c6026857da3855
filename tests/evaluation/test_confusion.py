import pytest

from audionet.evaluation.confusion import wilson_interval


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
