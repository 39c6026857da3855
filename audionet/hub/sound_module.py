"""A module of TensorFlow Hub that hears, such as YAMNet, VGGish or Perch -> a backbone from sound, for LiteRT."""

from collections.abc import Callable, Sequence
from typing import Any

from audionet.bottleneck.backbone import Backbone
from audionet.bottleneck.litert_file import Unfit, cut, fit_length, sample_rate
from audionet.bottleneck.sound import SoundInput, SoundRequest
from audionet.errors import message_of
from audionet.system.tensorflow import freeze_function, start_tensorflow
from audionet.system.text import did_you_mean

SIGNATURES = ("serving_default", "default")
PICTURE_AXES = 4  # how many pictures, height, width, colours
OUTPUT_NAME = "sound_output"  # of the converted network


def sound_backbone(module: Any, specs: Sequence[Any], request: SoundRequest) -> Backbone | None:
    """The backbone of a module that takes sound; None if it takes pictures, or does not say what it takes.

    specs: shapes and types of the module's inputs. Raises Unfit if it takes anything else, with a sentence whose
    subject is the module; and what TensorFlow raises.
    """
    tf = start_tensorflow()
    if not specs or any(spec.shape.rank is None or spec.shape.rank >= PICTURE_AXES for spec in specs):
        return None
    signature = signature_of(module, SIGNATURES)
    inputs = len(signature.structured_input_signature[1]) if signature is not None else 1
    if inputs != 1:
        raise Unfit(f"has {inputs} inputs, where a network from sound has one, for samples")
    if specs[0].dtype == tf.string:
        raise Unfit("takes text, not sound")
    rate_hz = sample_rate(None, request.sample_rate_hz)
    samples, shape = fit_length([-1 if n is None else int(n) for n in specs[0].shape], rate_hz)
    outputs, spec = _outputs(module), tf.TensorSpec(shape, specs[0].dtype, name="samples")
    names: list[str] = []

    def network(sound: Any) -> Any:
        values = outputs(sound)
        name = _chosen(values, request.output)
        names.append(name)
        return tf.identity(values[name], name=OUTPUT_NAME)

    traced = tf.function(network, autograph=False).get_concrete_function(spec)
    try:
        converter = tf.lite.TFLiteConverter.from_concrete_functions([freeze_function(traced)])
        flatbuffer = bytes(converter.convert())
    except Exception as error:  # the converter's own errors have no common name
        raise Unfit(f"cannot be turned into a network for LiteRT ({message_of(error)})") from error
    network_alone = cut(flatbuffer, SoundRequest(None, rate_hz)).flatbuffer
    return Backbone("sound", network_alone, sound=SoundInput(rate_hz, samples, names[0]))


def signature_of(module: Any, names: Sequence[str]) -> Any:
    """The first of a module's signatures that has one of some names, or its only one; None if it has none of them."""
    signatures = getattr(module, "signatures", {})
    only = signatures if len(signatures) == 1 else ()
    return next((signatures[name] for name in (*names, *only) if name in signatures), None)


def _outputs(module: Any) -> Callable[[Any], dict[str, Any]]:
    """A function from sound to a module's outputs by name; outputs without names are called as TensorFlow does."""
    signature = signature_of(module, SIGNATURES)

    def outputs(sound: Any) -> dict[str, Any]:
        if signature is not None:
            (name,) = signature.structured_input_signature[1]
            result = signature(**{name: sound})
        else:
            result = module(sound)
        if isinstance(result, dict):
            return result
        several = result if isinstance(result, (tuple, list)) else [result]
        return {f"output_{n}": value for n, value in enumerate(several)}

    return outputs


def _chosen(outputs: dict[str, Any], wanted: str | None) -> str:
    listed = ", ".join(f"{name} ({' x '.join(map(str, outputs[name].shape))})" for name in sorted(outputs))
    if wanted is None and len(outputs) != 1:
        raise Unfit(f"has {len(outputs)} outputs: {listed}; choose one with --backbone-output")
    name = next(iter(outputs)) if wanted is None else wanted
    if name not in outputs:
        raise Unfit(f"has no output {name!r}; it has {listed}{did_you_mean(name, list(outputs))}")
    return name
