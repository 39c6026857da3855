"""How good a classifier is on recordings that it was not trained on."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from audionet.evaluation.confusion import Confusion
from audionet.evaluation.predictions import Predictions
from audionet.system.text import count
from audionet.system.untrusted import StoredRecord, number, several, stored, text, whole


@dataclass(frozen=True)
class Misclassification(StoredRecord):
    """A held-out picture that was predicted as another class: its place in the recording, both classes, the score."""

    picture: Annotated[str, stored("picture", text)]
    start_seconds: Annotated[float, stored("start_seconds", number, 0)]
    end_seconds: Annotated[float, stored("end_seconds", number, 0)]
    class_name: Annotated[str, stored("class_name", text)]
    label: Annotated[str, stored("label", text)]
    score: Annotated[float, stored("score", number, 0)]

    @classmethod
    def of(cls, predictions: Predictions, position: int) -> "Misclassification":
        """The mistake in the prediction at a position."""
        place, labels = predictions.places[position], predictions.labels
        truth, found = labels[predictions.targets[position]], labels[predictions.predicted[position]]
        return cls(
            place.name, place.start_seconds, place.end_seconds, truth, found, float(predictions.scores[position])
        )


@dataclass(frozen=True)
class EvaluationResult:
    """How classifiers did on pictures of recordings that they were not trained on.

    recordings: how many the pictures are of. groups: of recordings that were held out together; there are as many as
        recordings where none belong together.
    fold_accuracies: of each fold; empty if there was one split.
    calibration_error: how far the scores are from the share that is right, 0 to 1.
    tested: the pictures one by one; None if all this was read from a model.
    """

    confusion: Confusion
    recordings: int
    fold_accuracies: list[float]
    calibration_error: float
    mistakes: list[Misclassification]
    groups: int
    tested: Predictions | None = field(default=None, repr=False, compare=False)

    @property
    def of_what(self) -> str:
        """`20 recordings`, or `20 recordings in 4 groups`."""
        return recordings_in_groups(self.recordings, self.groups)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "accuracy": self.confusion.accuracy,
            "interval": self.confusion.interval,
            "confusion": self.confusion.to_json(),
            "recordings": self.recordings,
            **({} if self.groups == self.recordings else {"groups": self.groups}),
            "fold_accuracies": self.fold_accuracies,
            "calibration_error": self.calibration_error,
            "mistakes": [mistake.to_json() for mistake in self.mistakes],
        }

    @classmethod
    def of(
        cls, predictions: Predictions, recordings: int, fold_accuracies: list[float], groups: int
    ) -> "EvaluationResult":
        """The result of predictions about so many recordings, in so many groups."""
        mistakes = [Misclassification.of(predictions, position) for position in sorted(predictions.mistakes())]
        error = predictions.calibration_error
        return cls(predictions.confusion, recordings, fold_accuracies, error, mistakes, groups, predictions)

    @classmethod
    def from_json(cls, labels: list[str], content: dict[str, Any]) -> "EvaluationResult":
        """What `to_json` made, for a model of these labels. Raises Refused for anything else."""
        return cls(
            Confusion.from_json(labels, content["confusion"]),
            whole(content["recordings"]),
            several(content["fold_accuracies"], number, 0, 1),
            number(content["calibration_error"], 0, 1),
            several(content["mistakes"], Misclassification.from_json),
            whole(content.get("groups", content["recordings"])),
        )


def recordings_in_groups(recordings: int, groups: int) -> str:
    """How many recordings there are, and how many groups of those that belong together, if these are fewer."""
    of_what = count(recordings, "recording")
    return of_what if groups >= recordings else f"{of_what} in {count(groups, 'group')}"
