import pytest

from audionet.evaluation.confusion import Confusion
from audionet.formats.evaluation import CLASSES_IN_TABLE, print_confusion


def test_of_many_classes_the_most_mixed_up_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    labels = [f"bird {n}" for n in range(CLASSES_IN_TABLE + 1)]
    truth = [*range(len(labels)), 3, 3, 3, 7]
    predicted = [*range(len(labels)), 5, 5, 1, 3]
    print_confusion(Confusion.of(labels, truth, predicted))
    assert capsys.readouterr().out.splitlines() == [
        "mixed up: bird 3 was taken for bird 5 2 times",
        "mixed up: bird 3 was taken for bird 1 1 time",
        "mixed up: bird 7 was taken for bird 3 1 time",
    ]


def test_large_numbers_keep_their_distance_from_the_names(capsys: pytest.CaptureFixture[str]) -> None:
    print_confusion(Confusion.from_rows(["1688", "367"], [[124, 0], [7, 1420]]))
    assert [line.split() for line in capsys.readouterr().out.splitlines()[2:]] == [
        ["1", "1688", "124", "0"],
        ["2", "367", "7", "1420"],
    ]
