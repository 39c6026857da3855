"""What a model's JSON says: its labels, how its pictures are made, what it was trained on and how good it is.

It is the one file that makes a model: it names its networks by their checksums. What it says may be a stranger's.
"""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, replace
from functools import partial
from typing import Annotated, Any, NamedTuple, TypeVar

from audionet.bottleneck.sound import SoundInput
from audionet.dataset.manifest import renderer_from_json, renderer_to_json
from audionet.evaluation.result import EvaluationResult
from audionet.model.card import ModelCard
from audionet.model.litert import OUTPUT_NAME
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system import untrusted as checked
from audionet.system.text import is_printable
from audionet.system.untrusted import Refused, Scalar, StoredRecord, stored, taking_apart
from audionet.training.unknown import RejectionThresholds

Content = TypeVar("Content")

FORMAT = 3  # of the description; a reader refuses others
MOST_LABELS = 20_000
# Of calls 10 dB louder than rain and surf, one in six scored too little for the learnt thresholds; of the events that
# were found, one in thirty was false (docs/experiments.md).
RISING_SHARE = 0.8


@dataclass(frozen=True)
class NetworkRecord(StoredRecord):
    """Which network was under the new layer."""

    name: Annotated[str, stored("name", checked.text)]
    sha256: Annotated[str, stored("sha256", checked.sha256)]


@dataclass(frozen=True)
class TrainingRecord(StoredRecord):
    """What a training was and what it gave; kept in the model, so that the same one is not done again.

    key: of all that decides what the training gives; see before_training.training_key.
    options: of `retrain`, as plain values. pictures: how many in each part of the split.
    held_out: None if no picture was held out for testing. It is read by `of_labels` alone.
    """

    key: Annotated[str, stored("key", checked.text)]
    audionet_version: Annotated[str, stored("audionet_version", checked.text)]
    backbone: Annotated[NetworkRecord, stored("trunk", NetworkRecord.from_json)]
    options: Annotated[Mapping[str, Scalar], stored("options", checked.named, checked.scalar)]
    pictures: Annotated[Mapping[str, int], stored("pictures", checked.named, checked.whole)]
    validation_accuracy: Annotated[float | None, stored("validation_accuracy", checked.optional, checked.number, 0, 1)]
    held_out: Annotated[
        EvaluationResult | None, stored("held_out", lambda _: None, write=lambda result: result and result.to_json())
    ]
    data_warnings: Annotated[list[str], stored("data_warnings", checked.several, checked.text)]

    @classmethod
    def of_labels(cls, labels: list[str], content: Any) -> "TrainingRecord":
        """As `from_json`, for a model of these labels. Raises Refused for anything else."""
        with taking_apart():
            held_out = content["held_out"]
            result = EvaluationResult.from_json(labels, held_out) if held_out else None
            return replace(cls.from_json(content), held_out=result)


@dataclass(frozen=True)
class LearntEvents:
    """How events are told from their background: its classes, and from which score each of the labels is believed.

    asked_for: the numbers of labels whose thresholds somebody has named; every event of theirs must reach them. Of the
        others, RISING_SHARE is enough where something rises out of the sound around.
    """

    background: tuple[str, ...]
    thresholds: tuple[float, ...]
    asked_for: frozenset[int] = frozenset()

    def believed_from(self, thresholds: Mapping[int, float]) -> "LearntEvents":
        """The same background, with other thresholds for labels, by their numbers."""
        changed = tuple(thresholds.get(number, own) for number, own in enumerate(self.thresholds))
        return replace(self, thresholds=changed, asked_for=frozenset(thresholds))

    def needed(self, number: int, is_rising: bool) -> float:
        """The score that an event of a label needs, by its number."""
        share = RISING_SHARE if is_rising and number not in self.asked_for else 1.0
        return self.thresholds[number] * share

    def to_json(self, labels: list[str]) -> dict[str, Any]:
        """As plain values."""
        return {"background": list(self.background), "thresholds": dict(zip(labels, self.thresholds, strict=True))}

    @classmethod
    def from_json(cls, labels: list[str], content: Any) -> "LearntEvents":
        """What `to_json` made, for a model of these labels. Raises Refused for anything else."""
        with taking_apart():
            background = tuple(checked.text(name) for name in checked.sequence(content["background"], MOST_LABELS))
            if not background or not set(background) < set(labels):
                raise Refused("a background that is none of the classes, or all of them")
            return cls(background, tuple(checked.number(content["thresholds"][label], 0, 1) for label in labels))


@dataclass(frozen=True)
class ModelDescription:
    """The description of a model: of the network for LiteRT and of the frozen graph, with their SHA-256s.

    output_name: of the graph's scores. sound: how the network hears; None if it looks at pictures.
    detection: None where the scores of events were not learnt.
    training, card: None if it came without, or with such as cannot be read.
    """

    labels: list[str]
    renderer: SpectrogramRenderer
    thresholds: RejectionThresholds
    graph_sha256: str
    network_sha256: str
    _: KW_ONLY
    output_name: str = OUTPUT_NAME
    training: TrainingRecord | None = None
    card: ModelCard | None = None
    sound: SoundInput | None = None
    detection: LearntEvents | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "format": FORMAT,
            "labels": self.labels,
            "card": None if self.card is None else self.card.to_json(),
            "output_name": self.output_name,
            "graph_sha256": self.graph_sha256,
            "network_sha256": self.network_sha256,
            "familiarity": self.thresholds.to_json(),
            "training": {} if self.training is None else self.training.to_json(),
            **({} if self.sound is None else {"sound": self.sound.to_json()}),
            **({} if self.detection is None else {"events": self.detection.to_json(self.labels)}),
        } | renderer_to_json(self.renderer)

    @classmethod
    def from_json(cls, content: Any) -> "ModelDescription":
        """What `to_json` made. Raises Refused for anything else.

        A training or a card that cannot be read is left out: neither is needed to label.
        """
        with taking_apart():
            if checked.whole(content["format"]) != FORMAT:
                raise Refused("another version's")
            labels = [checked.text(label) for label in checked.sequence(content["labels"], MOST_LABELS)]
            if not 0 < len(labels) == len(set(labels)) or not all(label and is_printable(label) for label in labels):
                raise Refused("labels that no folders of classes can have")
            training, events = content.get("training"), content.get("events")
            return cls(
                labels=labels,
                renderer=renderer_from_json(content),
                thresholds=RejectionThresholds.of_classes(content["familiarity"], len(labels)),
                graph_sha256=checked.sha256(content["graph_sha256"]),
                network_sha256=checked.sha256(content["network_sha256"]),
                output_name=checked.text(content["output_name"]),
                training=_if_readable(partial(TrainingRecord.of_labels, labels), training),
                card=_if_readable(ModelCard.from_json, content.get("card")),
                sound=checked.optional(content.get("sound"), SoundInput.from_json),
                detection=LearntEvents.from_json(labels, events) if events else None,
            )


def labels_file(description: ModelDescription) -> bytes:
    """The classes, one a line, as programs of 2018 read them."""
    return "".join(f"{label}\n" for label in description.labels).encode()


def _if_readable(read: Callable[[Any], Content], content: Any) -> Content | None:
    """What is read from a part of the JSON; None if there is nothing in it, or nothing that can be read."""
    with suppress(Refused):
        return read(content) if content else None
    return None


class TrainedNetwork(NamedTuple):
    """A network as `retrain` writes it: for LiteRT, and frozen for TensorFlow."""

    flatbuffer: bytes
    graph: bytes = b""

    @property
    def checksums(self) -> tuple[str, str]:
        """The SHA-256s of the graph and of the network; in a description, they tell a reader what does not fit."""
        return hashlib.sha256(self.graph).hexdigest(), hashlib.sha256(self.flatbuffer).hexdigest()
