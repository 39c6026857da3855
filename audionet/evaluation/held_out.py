"""How good a classifier is: measured on pictures of recordings that it was not trained on."""

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from audionet.dataset.checks import ClassData, Piece, class_data
from audionet.errors import AudionetError
from audionet.evaluation.confusion import Confusion
from audionet.evaluation.predictions import Predictions
from audionet.system.progress import Progress
from audionet.training.calibrator import History
from audionet.training.classifier import Trainer
from audionet.training.split import Item, non_overlapping_train_mask
from audionet.training.unknown import expected_calibration_error


@dataclass(frozen=True)
class Mistake:
    """A held-out picture that was taken for another class: which, from when to when in its recording, and how sure."""

    picture: str
    start_seconds: float
    end_seconds: float
    class_name: str
    label: str
    score: float

    def to_json(self) -> dict[str, str | float]:
        """As plain values, for the model's description."""
        return {
            "picture": self.picture,
            "start_seconds": self.start_seconds,
            "end_seconds": self.end_seconds,
            "class_name": self.class_name,
            "label": self.label,
            "score": self.score,
        }


@dataclass(frozen=True)
class EvaluationResult:
    """How classifiers did on pictures of recordings that they were not trained on.

    recordings: how many the pictures are of.
    fold_accuracies: of each fold; empty if there was one split.
    calibration_error: 0 to 1; see calibration.py.
    tested: the pictures one by one; None if all this was read from a model.
    """

    confusion: Confusion
    recordings: int
    fold_accuracies: list[float]
    calibration_error: float
    mistakes: list[Mistake]
    tested: Predictions | None = field(default=None, repr=False, compare=False)

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "accuracy": self.confusion.accuracy,
            "interval": self.confusion.interval,
            "confusion": self.confusion.matrix.tolist(),
            "recordings": self.recordings,
            "fold_accuracies": self.fold_accuracies,
            "calibration_error": self.calibration_error,
            "mistakes": [mistake.to_json() for mistake in self.mistakes],
        }

    @classmethod
    def from_json(cls, labels: list[str], content: dict[str, Any]) -> "EvaluationResult":
        """What `as_json` made."""
        return cls(
            Confusion.from_rows(labels, content["confusion"]),
            content["recordings"],
            content["fold_accuracies"],
            content["calibration_error"],
            [Mistake(**mistake) for mistake in content["mistakes"]],
        )


@dataclass(frozen=True)
class Lesson:
    """What there is to learn: classes, and pictures with their names, their places in recordings and their classes.

    pieces: the same pictures, as the checks of the data see them.
    """

    labels: list[str]
    names: list[str]
    items: list[Item]
    targets: np.ndarray
    trainer: Trainer
    pieces: list[Piece] = field(default_factory=list)
    test_batch_size: int = -1
    seed: int = 0

    @functools.cached_property
    def classes(self) -> list[ClassData]:
        """How much there is of each class."""
        return class_data(self.pieces)

    def cross_validate(
        self,
        numbers: list[int],
        progress: Progress,
        summaries_dir: Path | None = None,
        history: History | None = None,
    ) -> EvaluationResult:
        """Hold out each fold in turn; numbers are the items' folds, from 0.

        The summaries and the curve show the first: how training went, and how it did on the fold.
        """
        fold_of, count = np.array(numbers), max(numbers) + 1
        probabilities = np.zeros((len(self.items), len(self.labels)))
        tested = np.zeros(len(self.items), bool)
        accuracies: list[float] = []
        progress("folds", 0, count)
        for done, fold in enumerate(range(count), start=1):
            held = fold_of == fold
            kept = np.array(non_overlapping_train_mask(self.items, held.tolist()))
            held &= ~kept  # a class of one chunk has nothing to hold out
            if held.any():
                chosen = np.flatnonzero(held)
                first = not accuracies
                classifier = self.trainer.learn(
                    np.flatnonzero(kept), chosen, summaries_dir if first else None, history=history if first else None
                )
                probabilities[chosen] = classifier.probabilities(self.trainer.coordinates(chosen))
                tested |= held
                right = probabilities[chosen].argmax(axis=1) == self.targets[chosen]
                accuracies.append(float(right.mean()))
            progress("folds", done, count)
        if not tested.any():
            raise AudionetError("every class has only one picture: there is nothing to test on; add recordings")
        return self.held_out(np.flatnonzero(tested), probabilities[tested], accuracies)

    def held_out(self, chosen: np.ndarray, probabilities: np.ndarray, accuracies: list[float]) -> EvaluationResult:
        """What the probabilities of held-out pictures come to, or of test_batch_size of them, drawn at random."""
        if 0 < self.test_batch_size < len(chosen):
            drawn = np.sort(np.random.default_rng(self.seed).choice(len(chosen), self.test_batch_size, replace=False))
            chosen, probabilities = chosen[drawn], probabilities[drawn]
        items = [self.items[i] for i in chosen]
        tested = Predictions(
            self.labels,
            [self.names[i] for i in chosen],
            self.targets[chosen],
            probabilities,
            [item.start_seconds for item in items],
            [item.end_seconds for item in items],
        )
        return EvaluationResult(
            tested.confusion,
            len({(item.class_name, item.recording) for item in items}),
            accuracies,
            expected_calibration_error(tested.scores, tested.predicted == tested.targets),
            [self._mistake(tested, position) for position in sorted(tested.mistakes())],
            tested,
        )

    def _mistake(self, tested: Predictions, position: int) -> Mistake:
        return Mistake(
            tested.names[position],
            tested.starts_seconds[position],
            tested.ends_seconds[position],
            self.labels[tested.targets[position]],
            self.labels[tested.predicted[position]],
            float(tested.scores[position]),
        )
