from pathlib import Path

import numpy as np
import pytest

from audionet.commands.prepare import PrepareReport
from audionet.commands.retrain import RetrainReport
from audionet.evaluation.confusion import Confusion
from audionet.evaluation.predictions import Place, Predictions
from audionet.evaluation.result import EvaluationResult
from audionet.formats.evaluation import CLASSES_IN_TABLE, print_confusion
from audionet.formats.summary import print_prepared, print_retrained
from audionet.model_files import ModelFiles
from audionet.system.text import columns


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


def test_columns_stand_under_each_other_where_letters_are_wide_or_marks_on_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    labels = ["rain", "にわとり", "cafe\u0301"]
    print_confusion(Confusion(labels, np.eye(3, dtype=int) * 7))
    first, *rows = capsys.readouterr().out.splitlines()[1:]
    assert [columns(row[: row.rindex("7") + 1]) for row in rows] == [
        columns(first[: first.index(n) + 1]) for n in "123"
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
    held_out = EvaluationResult.of(Predictions(["anna", "ben"], places, np.zeros(4, np.intp), wrong), 1, [], 1)
    files = ModelFiles.beside(Path("m.pb"), None)
    print_retrained(RetrainReport(["anna", "ben"], {"test": 4}, None, held_out, False, 4, 0, True, files, [], []))
    lines = capsys.readouterr().out.splitlines()
    named = [line for line in lines if line.startswith("misclassified")]
    assert named[0] == "misclassified by recording: anna/two (2 chunks) and anna/one (1 chunk)"
    assert [line.split()[1] for line in named[1:]] == [place.name for place in places[1:]]
    assert "from 1 recording" in "\n".join(lines)
    grouped = EvaluationResult.of(Predictions(["anna", "ben"], places, np.zeros(4, np.intp), wrong), 20, [], 4)
    assert EvaluationResult.from_json(["anna", "ben"], grouped.to_json()).groups == 4
    print_retrained(RetrainReport(["anna", "ben"], {"test": 4}, None, grouped, False, 4, 0, True, files, [], []))
    assert " from 20 recordings in 4 groups\n" in capsys.readouterr().out


def test_what_was_not_held_out_is_said_not_to_be_known(capsys: pytest.CaptureFixture[str]) -> None:
    files = ModelFiles.beside(Path("m.pb"), None)
    print_retrained(RetrainReport(["anna", "ben"], {"train": 4}, None, None, True, 0, 4, True, files, [], []))
    out = capsys.readouterr().out
    assert "held-out accuracy: unknown, no picture was held out for testing" in out
    assert "then trained on all recordings" not in out


def test_what_became_of_recordings_that_are_gone_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    moved = {f"anna/{n}": f"ben/{n}" for n in range(7)}
    print_prepared(PrepareReport(Path("p"), made=7, made_chunks=9, removed=[*moved, "anna/7"], moved=moved))
    assert capsys.readouterr().out.splitlines() == [
        "7 recordings: 7 drawn (9 pictures), 0 unchanged (0 pictures), 0 skipped",
        *(f"moved: anna/{n} is now ben/{n}, and learnt as that alone" for n in range(5)),
        "and 2 more recordings moved or renamed",
        "1 recording gone, its pictures deleted (--keep-gone keeps them)",
        "pictures are in p",
    ]
    print_prepared(PrepareReport(Path("p"), gone=["anna/1", "anna/2"]))
    said = "2 recordings gone, their pictures are kept and learnt from, as --keep-gone asks"
    assert said in capsys.readouterr().out.splitlines()
