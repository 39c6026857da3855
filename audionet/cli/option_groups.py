"""Options in groups: those that several commands share, and those of `retrain` that few need."""

import argparse
from pathlib import Path
from typing import Any

from audionet.cli.plain_parser import LastCounts, add_options, record_of
from audionet.errors import AudionetError
from audionet.options import (
    AnnotationOptions,
    DetectionOptions,
    EventOptions,
    LabelOptions,
    PrepareOptions,
    RetrainOptions,
)
from audionet.settings import TlsScheduler

NETWORK_TITLE, DISTORTIONS_TITLE = "the network under the new layer", "distortions"
OUTPUTS_TITLE, WORKERS_TITLE = "watching the training, and other outputs", "who does the work"
RARELY_USED = (NETWORK_TITLE, DISTORTIONS_TITLE, OUTPUTS_TITLE, WORKERS_TITLE)
ABOUT_BACKGROUND = "may be given several times (default: one called background or noise)"
VERBOSITIES = ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")  # as retrain.py calls them


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a model, and say what it may answer."""
    group = parser.add_argument_group("the model")
    listing = """
--graph FILE  the model, as retrain's --output-graph named it, or the folder that it is in
--labels FILE  the classes of a graph of 2018 (default: beside --graph)"""
    add_options(group, listing, LabelOptions)
    unknown = group.add_mutually_exclusive_group()
    believed = "--allow-unknown  call a clip unknown if it is like none of the classes (the default)"
    add_options(unknown, believed, action="store_true", default=LabelOptions.allow_unknown)
    add_options(unknown, "--no-unknown  always name a class", action="store_false", dest="allow_unknown")


def add_threshold(parser: argparse.ArgumentParser) -> None:
    """Add the score under which no class is believed."""
    parser.set_defaults(class_thresholds={})
    listing = """
--threshold X  the score, up to 1, that a class needs to be named, or an event to be listed; or that of one class, such
    as owl=0.8, which may be given several times (default: as the training learnt it)"""
    add_options(parser.add_argument_group("how sure it must be"), listing, action=_Threshold)


class _Threshold(LastCounts):
    """The option --threshold: a score for all classes, or a class and its own."""

    def __call__(
        self, parser: argparse.ArgumentParser, options: argparse.Namespace, typed: Any, option: str | None = None
    ) -> None:
        """Note a score."""
        name, equals, score = typed.rpartition("=")
        try:
            number = float(score if name or not equals else "")
        except ValueError as error:
            raise argparse.ArgumentError(self, f"{typed}: must be a number, such as 0.7, or owl=0.7") from error
        if equals:
            if options.class_thresholds.get(name, number) != number:
                vars(options).setdefault("overridden", {})[f"{option} {name}"] = number
            options.class_thresholds = options.class_thresholds | {name: number}
        else:
            super().__call__(parser, options, number, option)


def add_events(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what --events takes for an event."""
    listing = f"""
--background CLASS  the class that events stand out of; {ABOUT_BACKGROUND}
--min-seconds S  leave out events that are shorter than so many seconds
--merge-gap S  join events of one class that have at most so many seconds between them"""
    add_options(parser.add_argument_group("events"), listing, EventOptions)


def add_workers(parser: argparse.ArgumentParser, *, jobs: bool = False) -> None:
    """Add the options that say who does the work; `jobs`: how many threads too."""
    group = parser.add_argument_group(WORKERS_TITLE)
    if jobs:
        add_options(group, "--jobs N  threads that share the work (default: one per core)", PrepareOptions)
    scheduler = """
--scheduler ADDRESS  of a Dask cluster that shares the folders, such as tcp://host:8786: its workers do the work
    (default: this machine)"""
    add_options(group, scheduler, PrepareOptions)
    told = "of a cluster at tls://host:8786; a PEM file as dask scheduler has it (default: none)"
    files = f"""
--tls-ca-file FILE  the authority {told}
--tls-cert FILE  the certificate for a client {told}
--tls-key FILE  its key, such as key.pem, if it is a file apart"""
    add_options(group, files, TlsScheduler)


def choose_scheduler(options: argparse.Namespace) -> None:
    """Put the options for TLS and the address of the scheduler into one record."""
    if not any(getattr(options, f"tls_{name}", None) for name in ("ca_file", "cert", "key")):
        return
    if None in (options.scheduler, options.tls_ca_file, options.tls_cert):
        raise AudionetError("--tls-ca-file and --tls-cert go together, and with --scheduler tls://host:8786")
    options.scheduler = record_of(TlsScheduler, options, address=options.scheduler)


def add_annotations(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where the labels are, and what is made of them."""
    listing = """
--metadata FILE  table (CSV) with a column of paths (path, file or filename) and one of labels (label, class, category
    or species), and if you like group, fold, and start and end of a part in seconds; or a file, or a folder, of
    annotations, such as those of Raven, Audacity, Praat, ELAN or AviaNZ (default: a table in the folder or beside it
    that lists its recordings; without one, the folders are the classes)
--corrections FILE  table of path, label, start and end, such as corrections.csv, which reports save: what it says of
    recordings, or of seconds of them, goes before what the folders say; without a label, they are left out; may be
    given several times, the oldest first (default: none)
--annotations  go by what annotations beside the recordings mark, such as Raven's night.selections.txt beside night.wav,
    or pass over them (default: go by them where they name the folders' classes, or there are no folders, and no table
    lists the recordings)
--uem FILE  which stretches of recordings were annotated, as NIST's UEM has it (recording, channel, start and end on
    each line): nothing else of them counts (default: night.uem beside night.wav)
--tier NAME  of files of Praat and ELAN, the tier that counts; may be given several times (default: all)
--unmarked  what recordings hold outside of the parts that are marked in them: nothing that counts, or a class that is
    called background
--overlaps  where marked parts of two classes overlap, both count, or nothing is done until they are mended"""
    add_options(parser.add_argument_group("where the labels are"), listing, AnnotationOptions)


def add_detection(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how `evaluate` listens to annotated recordings."""
    group = parser.add_argument_group("annotated recordings")
    kinds = group.add_mutually_exclusive_group()
    for kind in ("events", "timeline"):
        compared = f"compare with label --{kind} (default: events where there is a background class, else timeline)"
        add_options(kinds, f"--{kind}  {compared}", action="store_const", dest="kind", const=kind)
    listing = f"""
--collar S  seconds that the start of an event may be off, and its end, or half of its length if that is more
--background CLASS  the class that events stand out of; {ABOUT_BACKGROUND}"""
    add_options(group, listing, DetectionOptions)


def add_sound(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose among the sound tracks and channels of a file."""
    listing = """
--track N  sound track of a film, from 1 (default: the one that players choose)
--channel WHICH  left, right, a number from 1, mix, or each for one after the other (default: the mix, or the loudest
    channel where they cancel each other out)"""
    add_options(parser.add_argument_group("which sound of a file"), listing, LabelOptions)


def add_network(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose the network under the new layer."""
    listing = """
--architecture NAME  the network: inception_v3 is inside AudioNet; mobilenet_v2_100_224, resnet_v2_50 and the like are
    downloaded from TensorFlow Hub
--tfhub-module HANDLE  a module of TensorFlow Hub: its address, folder or .tar.gz, or the name of one of Google's, such
    as inception_v3; it is a program, which runs as you
--backbone FILE  a network from sound, as a LiteRT file (.tflite), such as BirdNET, Perch or YAMNet have;
    --tfhub-module takes such networks too
--backbone-output NAME  which of its outputs is learnt from, such as embeddings (default: the one that it has)
--backbone-sample-rate HZ  the sample rate of the sound that it was made for, such as 48000 (default: as its file says,
    if it does)
--tfhub-sha256 DIGITS  the SHA-256 that the module's archive must have, or it is not used (default: any)
--bottleneck  rows: averaged over time only (the default); pool_3: over time and frequency, as in 2018 (needs a file in
    --model-dir; of a module, its feature vector, and the default)
--model-dir DIR  backbones other than the embedded one
--final-tensor-name NAME  the output in --output-graph"""
    add_options(parser.add_argument_group(NETWORK_TITLE), listing, RetrainOptions)


def add_distortions(parser: argparse.ArgumentParser) -> None:
    """Add the options that distort pictures."""
    group = parser.add_argument_group(
        DISTORTIONS_TITLE,
        """Learn from distorted copies of the pictures too, made anew each time. They are retrain.py's, made for
photographs. Brightness makes sense for spectrograms: it is another gain or noise floor. Cropping and scaling a little
make sense: they are other pitches, speeds and starts. Mirroring does not: no sound is heard backwards.""",
    )
    listing = """
--random-brightness P  up to P%% brighter or darker
--random-crop P  crop off a margin of P%%
--random-scale P  scale up by up to P%%, then crop
--flip-left-right  mirror half of the pictures"""
    add_options(group, listing, RetrainOptions)


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Add the options for watching a training, and for what it writes beside the model."""
    group = parser.add_argument_group(OUTPUTS_TITLE)
    listing = """
--eval-step-interval N  training steps between two points of the curves
--validation-batch-size N  pictures in an evaluation during training; -1 is all
--test-batch-size N  pictures in the final test; -1 is all"""
    add_options(group, listing, RetrainOptions)
    misclassified = """
--print-misclassified-test-images  name all held-out pictures that were misclassified, not only the first twenty"""
    add_options(group, misclassified, action="store_true")
    listing = """
--intermediate-output-graphs-dir DIR  where graphs of unfinished training go, such as graphs
--intermediate-store-frequency N  training steps between two such graphs; 0 is never
--checkpoint-path PREFIX  write TensorFlow checkpoints of the new layer there, such as checkpoints/layer
--saved-model-dir DIR  write the model as a SavedModel too, also for TensorFlow Hub"""
    add_options(group, listing, RetrainOptions)
    verbosity = "--logging-verbosity  the least important messages that are shown on standard error"
    add_options(group, verbosity, choices=VERBOSITIES, type=str.upper, default="INFO")


def add_report(group: "argparse._ActionsContainer", default: str) -> None:
    """Add the options that say where the report goes; default is where, in words."""
    group = group.add_mutually_exclusive_group()
    add_options(group, f"--report FILE  where the report goes, a page for a browser (default: {default})", type=Path)
    add_options(group, "--no-report  write no report", action="store_false", dest="write_report")
