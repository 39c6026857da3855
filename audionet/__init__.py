"""Sound classified by its picture: four steps, as functions.

    import audionet

    audionet.prepare("data_audio")
    audionet.retrain(audionet.RetrainOptions(steps=500))
    for clip in audionet.label("clip.mp3"):
        print(clip.label, clip.score)
    print(audionet.evaluate("test_audio").confusion.accuracy)

Each raises AudionetError, with a sentence for people, when it cannot go on. Importing this package loads nothing
else; the steps load what they need when first used.
"""

from importlib import import_module

TYPE_CHECKING = False  # typing's, which takes longer to import than all else here
if TYPE_CHECKING:
    from audionet.commands.evaluate import evaluate
    from audionet.commands.label import events, label, timeline
    from audionet.commands.prepare import prepare
    from audionet.commands.retrain import retrain
    from audionet.errors import AudionetError
    from audionet.options import EventOptions, LabelOptions, PrepareOptions, RetrainOptions
    from audionet.settings import PictureSettings

__version__ = "0.1.0"

_HOMES = {
    "prepare": "audionet.commands.prepare",
    "retrain": "audionet.commands.retrain",
    "label": "audionet.commands.label",
    "timeline": "audionet.commands.label",
    "events": "audionet.commands.label",
    "evaluate": "audionet.commands.evaluate",
    "AudionetError": "audionet.errors",
    "PictureSettings": "audionet.settings",
    "PrepareOptions": "audionet.options",
    "RetrainOptions": "audionet.options",
    "LabelOptions": "audionet.options",
    "EventOptions": "audionet.options",
}

__all__ = [
    "AudionetError",
    "EventOptions",
    "LabelOptions",
    "PictureSettings",
    "PrepareOptions",
    "RetrainOptions",
    "__version__",
    "evaluate",
    "events",
    "label",
    "prepare",
    "retrain",
    "timeline",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'audionet' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
