"""TensorFlow, started quietly and only when it is needed: it takes several seconds."""

import gc
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from audionet.system.stderr import quiet_stderr

KERAS = ("keras", "tf_keras")


def start_tensorflow() -> Any:
    """TensorFlow without its start-up notes, on the processor, giving the same result every time."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # a layer this small is trained before a GPU has started
    with quiet_stderr():
        if "tensorflow" not in sys.modules:
            with _no_collection(), _keras_later(), suppress(ImportError):  # one that insists on Keras gets it
                import tensorflow as tf
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
        tf.zeros(())  # starts the runtime, which has its own notes to write
    return tf


@contextmanager
def _no_collection() -> Iterator[None]:
    """Let Python look for no garbage: there is none among the hundred thousand objects that TensorFlow starts with."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _KerasLater(MetaPathFinder, Loader):
    """A finder and loader that finds Keras, but does not load it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The specification of Keras as it is, but for its loader; None for all else."""
        spec = PathFinder.find_spec(fullname, path, target) if fullname in KERAS else None
        if spec is not None:
            spec.loader = self
        return spec

    def exec_module(self, module: ModuleType) -> None:
        """Refuse to load Keras, as if a package that it needs were missing."""
        raise ImportError(f"{module.__name__} is loaded when it is needed")


@contextmanager
def _keras_later() -> Iterator[None]:
    """Let TensorFlow start without Keras, whose loading takes four tenths of the time, and which nothing here needs.

    TensorFlow goes on without it, and loads it at the first look at tf.keras.
    """
    finder = _KerasLater()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def freeze_function(function: Any) -> Any:
    """A concrete function of TensorFlow's with its variables made constants and the functions it calls written out."""
    with quiet_stderr():
        from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

        return convert_variables_to_constants_v2(function)
