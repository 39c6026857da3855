"""The flags of the scripts of 2017 and 2018, what each is called today, and where it differs.

docs/from-2018.md shows them as tables.
"""

import argparse
from dataclasses import dataclass
from typing import Any

SAME = ""


@dataclass(frozen=True)
class Flag:
    """One flag of an old script.

    name: as it was typed, without dashes.
    today: the option of today, with its command; or what takes its place.
    default: of the script; None is today's.
    kind: what it takes: a type, or bool for a flag that takes nothing.
    differs: where it behaves differently, and why; SAME if it does not.
    """

    name: str
    today: str
    default: Any = None
    kind: type = str
    differs: str = SAME


RETRAIN = (
    Flag("image_dir", "retrain --image-dir", None, str, "A folder of recordings stands for the `data_image` beside it"),
    Flag("output_graph", "retrain --output-graph", "/tmp/output_graph.pb", str, "`.tflite` and `.json` come beside it"),
    Flag("intermediate_output_graphs_dir", "retrain --intermediate-output-graphs-dir", "/tmp/intermediate_graph/"),
    Flag("intermediate_store_frequency", "retrain --intermediate-store-frequency", 0, int),
    Flag("output_labels", "retrain --output-labels", "/tmp/output_labels.txt", str,
         "A label is the folder's name as it stands; it was put into lower case, which could make two classes one"),
    Flag("summaries_dir", "retrain --summaries-dir", "/tmp/retrain_logs"),
    Flag("how_many_training_steps", "retrain --steps", 4000, int),
    Flag("learning_rate", "retrain --learning-rate", None, float,
         "The default is 1, not .01: what is trained is the softmax behind a discriminant analysis, "
         "which has few numbers and momentum"),
    Flag("testing_percentage", "retrain --testing-percentage", 10, float, "Of recordings, never parting one's chunks"),
    Flag("validation_percentage", "retrain --validation-percentage", 10, float, "Of recordings, as above"),
    Flag("eval_step_interval", "retrain --eval-step-interval", 10, int),
    Flag("train_batch_size", "retrain --train-batch-size", 100, int, "-1 is all, as for the other two"),
    Flag("test_batch_size", "retrain --test-batch-size", -1, int),
    Flag("validation_batch_size", "retrain --validation-batch-size", 100, int),
    Flag("print_misclassified_test_images", "retrain --print-misclassified-test-images", False, bool,
         "Twenty are named without it"),
    Flag("model_dir", "retrain --model-dir", "/tmp/imagenet", str,
         "Nothing is downloaded into it unless a module is named: the network comes with AudioNet"),
    Flag("bottleneck_dir", "retrain --bottleneck-dir", "/tmp/bottleneck", str,
         "One binary file, by the pictures' content, not a text file for each picture, by its name"),
    Flag("final_tensor_name", "retrain --final-tensor-name", "final_result"),
    Flag("flip_left_right", "retrain --flip-left-right", False, bool,
         "As the other distortions: of each picture, copies are learnt from beside the picture"),
    Flag("random_crop", "retrain --random-crop", 0, float),
    Flag("random_scale", "retrain --random-scale", 0, float),
    Flag("random_brightness", "retrain --random-brightness", 0, float),
    Flag("architecture", "retrain --architecture", "inception_v3", str,
         "inception_v3 is the network inside AudioNet; `--tfhub_module inception_v3` is Google's. "
         "mobilenet_1.0_224 and the like come from TensorFlow Hub; there are no quantized ones"),
    Flag("tfhub_module", "retrain --tfhub-module", None, str,
         "The default is the network inside AudioNet, which needs no download"),
    Flag("saved_model_dir", "retrain --saved-model-dir"),
    Flag("logging_verbosity", "retrain --logging-verbosity", "INFO"),
    Flag("checkpoint_path", "retrain --checkpoint-path", None, str, "Written when asked for"),
)  # fmt: skip
LABEL_IMAGE = (
    Flag("graph", "label --graph", None, str, "The `.tflite` beside it is used where it is there"),
    Flag("labels", "label --labels"),
    Flag("image", "label CLIP", None, str, "A recording will do as well"),
    Flag("input_height", "(any of these reads the graph through TensorFlow)", None, int),
    Flag("input_width", "(as above)", None, int),
    Flag("input_mean", "(as above)", None, float),
    Flag("input_std", "(as above)", None, float),
    Flag("input_layer", "(as above)"),
    Flag("output_layer", "(as above)"),
)
DATA_MAKER = (
    Flag("mp3towav", "(ffmpeg alone, or prepare)", False, bool, "WAVs go to `tf_files/data_wav`; "
         "it put them beside the MP3s, where they count as recordings of their own"),
    Flag("mkchunks", "prepare", False, bool, "Chunks go to `tf_files/data_image`, with names that cannot collide"),
    Flag("spectrogram", "prepare", False, bool, "Mel bands in grey, which are told apart better than viridis; "
         "`prepare --representation spectrogram --colormap viridis` draws the original's look"),
)  # fmt: skip
EVALUATE = (
    Flag("graph", "evaluate --graph"),
    Flag("labels", "evaluate --labels"),
    Flag("image_dir", "evaluate DATA_AUDIO_TEST", None, str, "Recordings or pictures; every one counts once"),
)
SCRIPTS = {"data_maker.py": DATA_MAKER, "retrain.py": RETRAIN, "label_image.py": LABEL_IMAGE, "evaluate.py": EVALUATE}


def old_parser(script: str, description: str) -> argparse.ArgumentParser:
    """A parser of an old script's flags, with its defaults. `--image-dir` is taken for `--image_dir`."""
    parser = argparse.ArgumentParser(prog=script, description=description, allow_abbrev=False)
    for flag in SCRIPTS[script]:
        spellings = list(dict.fromkeys((f"--{flag.name}", f"--{flag.name.replace('_', '-')}")))
        shown = flag.today if " " not in flag.today or flag.today.startswith("(") else f"audionet {flag.today}"
        usual = "" if flag.default in (None, False) else f" (default: {flag.default})"
        described = f"today: {shown}{usual}"
        if flag.kind is bool:
            parser.add_argument(*spellings, action="store_true", help=described)
        else:
            parser.add_argument(*spellings, dest=flag.name, type=flag.kind, default=flag.default, help=described)
    return parser
