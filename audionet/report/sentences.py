"""The figures of a report in sentences."""

from collections.abc import Sequence

from audionet.dataset.checks import ClassData
from audionet.dataset.names import split_chunk_name
from audionet.evaluation.detection import Detection
from audionet.evaluation.predictions import Predictions
from audionet.options import EVENTS
from audionet.report.content import Report
from audionet.system.text import count, duration

SPACE = "\N{NO-BREAK SPACE}"
ENOUGH_RECORDINGS = 5  # of a class, to measure it well
FEW_TESTED = 10  # recordings; fewer say little
NOTICEABLE = 0.05  # mean score less share right: smaller differences do no harm


def percent(share: float) -> str:
    """`93 %`, not to be broken between lines; never 0 % or 100 % for what is not quite."""
    if 0 < share < 0.01:
        return f"under 1{SPACE}%"
    if 0.99 < share < 1 - 1e-9:
        return f"{int(share * 1000) / 10:.1f}{SPACE}%"
    return f"{share * 100:.0f}{SPACE}%"


def guessing(tested: Predictions) -> float:
    """The accuracy of always naming the most frequent class, 0 to 1."""
    return float(tested.confusion.matrix.sum(axis=1).max() / tested.confusion.count)


def grade(tested: Predictions) -> str:
    """How good the accuracy is, in a word or two."""
    confusion = tested.confusion
    low, _ = confusion.interval
    if low <= guessing(tested):
        return "No better than guessing, as far as can be told"
    if confusion.accuracy >= 0.95 and low >= 0.85:
        return "Nearly always right"
    if confusion.accuracy >= 0.95:
        return "Promising, but little was tested"
    if confusion.accuracy >= 0.8:
        return "Mostly right"
    return "More often right than wrong" if confusion.accuracy > 0.5 else "Better than guessing, but mostly wrong"


def verdict(tested: Predictions, noun: str) -> str:
    """The result in one sentence."""
    confusion = tested.confusion
    low, high = confusion.interval
    # Only those who chose the clips know whether the model had heard them in training.
    counted = count(confusion.count, noun) + (" that it had not heard" if noun == "chunk" else "")
    whole = confusion.correct == confusion.count
    named = f"all {counted} were recognised" if whole else f"{confusion.correct:,} of {counted} were recognised"
    sentence = f"{grade(tested)}: {named} ({percent(confusion.accuracy)}; likely between {percent(low)} and "
    sentence += f"{percent(high)} in the long run)"
    pair = next(iter(tested.pairs()), None)
    if pair and pair.times:
        sentence += f", and what it confuses most are {quoted(pair.first)} and {quoted(pair.second)}"
    return sentence + "."


def found_in_the_whole(detection: Detection) -> str:
    """What was found in annotated recordings as a whole, in a sentence or two."""
    counts, errors = detection.events, detection.diarization
    false = counts.found - counts.correct
    said = (
        f"In the whole of {count(detection.recordings, 'annotated recording')} ({duration(detection.seconds)}), "
        f"it found {counts.correct:,} of {count(counts.reference, 'annotated event')}, and "
        f"{false:,} of the {counts.found:,} that it reported are false (F1 {percent(counts.f1)})."
    )
    if detection.kind == EVENTS or not errors.total:
        return said
    missed, confused, alarm = (percent(s / errors.total) for s in (errors.missed, errors.confused, errors.false_alarm))
    return (
        f"{said} The diarisation error, which is the share of the annotated time that is wrong, is "
        f"{percent(errors.rate)}: {missed} missed, {confused} taken for another class, and {alarm} heard where nothing "
        f"is annotated. Counted by the names that it gave, it is {percent(detection.identification.rate)}."
    )


def quoted(name: str) -> str:
    """The name of a class in a sentence: it may be a number, or words of its own."""
    return f"“{name}”"


def recording_of(name: str) -> str:
    """The recording that a chunk is of, by the name of the chunk's files; a clip's own name."""
    recording, number = split_chunk_name(name)
    return name if number is None else recording


def times(number: int) -> str:
    """`once`, `twice`, `3 times`."""
    return {1: "once", 2: "twice"}.get(number, f"{number:,} times")


def what_is_listed(report: Report) -> str:
    """A sentence on what the cards show, and in which order."""
    if report.tested is None:
        if any(card.is_unknown for card in report.cards):
            return f"The unknown {report.noun}s come first, then those with the lowest scores."
        return f"The {report.noun}s with the lowest scores come first."
    whole = report.detection
    found = "what was missed in whole recordings, and what was found where nothing of the class is annotated"
    found = found if whole and (whole.missed or whole.false) else ""
    if not report.tested.mistakes():
        if found:
            return f"All {report.noun}s alone are right. First {found}; last the {report.noun}s that are least certain."
        return f"All that was tested is right. These {report.noun}s are the least certain."
    then = f"then {found}; last" if found else "then"
    return (
        f"First the {report.noun}s and recordings that were taken for another class, those whose own class was given "
        f"the lowest score first; {then} what was right, but least certain."
    )


def confused(tested: Predictions) -> list[str]:
    """Which classes are confused, a sentence each pair, most frequent first; or which come nearest to it."""
    pairs = tested.pairs()
    sentences = []
    for pair in pairs:
        first, second = quoted(pair.first), quoted(pair.second)
        if pair.first_as_second and pair.second_as_first:
            sentences.append(
                f"{first} was taken for {second} {times(pair.first_as_second)}, and {second} for {first} "
                f"{times(pair.second_as_first)}."
            )
        elif pair.times:
            truth, taken_for = (first, second) if pair.first_as_second else (second, first)
            sentences.append(f"{truth} was taken for {taken_for} {times(pair.times)}.")
    if not sentences and pairs:
        near = pairs[0]
        sentences = [
            f"No two classes were confused. {quoted(near.first)} and {quoted(near.second)} come nearest to it: on "
            f"average, they give each other {percent(near.shared)} of their score."
        ]
    return sentences


def calibration(tested: Predictions) -> str:
    """A sentence on whether the scores are as high as the share that is right."""
    score, right = float(tested.scores.mean()), tested.confusion.accuracy
    said = f"On average it scored {percent(score)} and was right in {percent(right)}."
    if abs(score - right) < NOTICEABLE:
        return f"The scores mean what they say. {said}"
    if score < right:
        return f"The scores are too modest: it is right more often than they say. {said}"
    return f"The scores are too sure: it is right less often than they say. {said}"


def advice(tested: Predictions | None, classes: Sequence[ClassData], too_few: str, noun: str) -> list[str]:
    """What to do next, the most useful first. classes: what was learnt from. too_few: what it was measured on, if
    that is little."""
    sentences = []
    few = [data for data in classes if data.recordings < ENOUGH_RECORDINGS]
    if few:
        named = ", ".join(f"{data.name} ({data.recordings})" for data in few[:5]) + (", ..." if len(few) > 5 else "")
        sentences.append(
            f"Record more of what there is little of: {named}. Five recordings of each class or more, from several "
            "days, rooms and microphones, teach it what the class is rather than what the room is."
        )
    if tested is None:
        return sentences
    pair = next(iter(tested.pairs()), None)
    if pair and pair.times:
        sentences.append(
            f"Listen to what was confused of {quoted(pair.first)} and {quoted(pair.second)}, below. If a {noun} is in "
            "the wrong folder, or holds both, mend that first; if not, more recordings of both are what helps."
        )
    weak = [(tested.confusion.recall(n), label) for n, label in enumerate(tested.labels)]
    worst = min(((recall, label) for recall, label in weak if recall is not None), default=None)
    if worst and worst[0] < 0.8:
        sentences.append(
            f"The class that it knows least is {quoted(worst[1])}: {percent(worst[0])} of its {noun}s were recognised."
        )
    if too_few:
        sentences.append(f"This was measured on {too_few} only: take the figures with care.")
    return sentences
