"""Sound classified by its picture: four steps, as functions.

    import audionet

    audionet.prepare("data_audio")
    audionet.retrain(audionet.RetrainOptions(steps=500))
    for clip in audionet.label("clip.mp3"):
        print(clip.label, clip.score)
    print(audionet.evaluate("test_audio").confusion.accuracy)

Each raises AudionetError, with a sentence for people, when it cannot go on. Those of many files take a progress, which
is called with the name of a stage, how many of its parts are done (2.7, say, of long recordings) and how many there
are; without one, a notebook shows bars, and nothing is shown elsewhere. Importing this package loads nothing else; the
steps load what they need when first used.
"""

from importlib import import_module

TYPE_CHECKING = False  # typing's, which takes longer to import than all else here
if TYPE_CHECKING:
    from audionet.commands.evaluate import evaluate as evaluate
    from audionet.commands.label import events as events
    from audionet.commands.label import label as label
    from audionet.commands.label import timeline as timeline
    from audionet.commands.prepare import prepare as prepare
    from audionet.commands.retrain import retrain as retrain
    from audionet.errors import AudionetError as AudionetError
    from audionet.options import AnnotationOptions as AnnotationOptions
    from audionet.options import DetectionOptions as DetectionOptions
    from audionet.options import EventOptions as EventOptions
    from audionet.options import LabelOptions as LabelOptions
    from audionet.options import PrepareOptions as PrepareOptions
    from audionet.options import RetrainOptions as RetrainOptions
    from audionet.settings import PictureSettings as PictureSettings

__version__ = "0.1.0"

# As above: where each of the names is, which is imported when it is first used.
_HOMES = {
    "audionet.commands.evaluate": "evaluate",
    "audionet.commands.label": "events label timeline",
    "audionet.commands.prepare": "prepare",
    "audionet.commands.retrain": "retrain",
    "audionet.errors": "AudionetError",
    "audionet.options": "AnnotationOptions DetectionOptions EventOptions LabelOptions PrepareOptions RetrainOptions",
    "audionet.settings": "PictureSettings",
}

__all__ = [name for names in ("__version__", *_HOMES.values()) for name in names.split()]


def __getattr__(name: str) -> object:
    for module, names in _HOMES.items():
        if name in names.split():
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'audionet' has no attribute {name!r}")
