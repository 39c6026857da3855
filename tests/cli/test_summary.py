from pathlib import Path

import numpy as np
import pytest

from audionet.commands.retrain import RetrainReport
from audionet.evaluation.confusion import Confusion
from audionet.evaluation.predictions import Place, Predictions
from audionet.evaluation.result import EvaluationResult
from audionet.formats.evaluation import CLASSES_IN_TABLE, print_confusion
from audionet.formats.summary import print_retrained
from audionet.model_files import ModelFiles


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
    print_confusion(Confusion(["1688", "367"], np.array([[124, 0], [7, 1420]])))
    assert [line.split() for line in capsys.readouterr().out.splitlines()[2:]] == [
        ["1", "1688", "124", "0"],
        ["2", "367", "7", "1420"],
    ]


def test_mistakes_are_named_by_recording_before_each_chunk(capsys: pytest.CaptureFixture[str]) -> None:
    places = [Place(f"anna/{name}_nohash_000{n}", n, n + 1) for name in ("one", "two") for n in range(2)]
    wrong = np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9], [0.3, 0.7]])
    held_out = EvaluationResult.of(Predictions(["anna", "ben"], places, np.zeros(4, np.intp), wrong), 1, [])
    files = ModelFiles.beside(Path("m.pb"), None)
    print_retrained(RetrainReport(["anna", "ben"], {"test": 4}, None, held_out, False, 4, 0, True, files, [], []))
    lines = capsys.readouterr().out.splitlines()
    named = [line for line in lines if line.startswith("misclassified")]
    assert named[0] == "misclassified by recording: anna/two (2 chunks) and anna/one (1 chunk)"
    assert [line.split()[1] for line in named[1:]] == [place.name for place in places[1:]]
    assert "from 1 recording" in "\n".join(lines)
