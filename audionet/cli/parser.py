"""What can be typed: the commands, their options and their help."""

import argparse
from pathlib import Path

from audionet.cli import option_groups as groups
from audionet.cli.help import ShowVersions, add_completion, add_doctor
from audionet.cli.logs import add_messages
from audionet.cli.meant import INSTEAD, instead_of_retraining, instead_of_several_folders
from audionet.cli.plain_parser import PlainParser, add_options
from audionet.formats.names import FORMATS
from audionet.options import EVALUATION_REPORT_NAME, REPORT_NAME, PrepareOptions, RetrainOptions
from audionet.settings import OWN_FOLDS, PictureSettings


def build_parser() -> PlainParser:
    """The parser of all commands."""
    parser = PlainParser(
        prog="audionet",
        usage="%(prog)s COMMAND [options]",
        description="Tell voices, birds or machines apart by the pictures of their sound.",
        examples="""\
  audionet prepare data_audio/       draw the recordings, in a folder for each class
  audionet retrain --steps 500       learn the classes from the pictures
  audionet label clip.mp3            whose voice, which sound
  audionet evaluate test_audio/      how often it is right on recordings it has never heard
  audionet label --help              examples and options of a command""",
        details="""\
exit status: 0 all done, 1 finished but some input was skipped, 2 nothing could be done, 130 interrupted""",
    )
    parser.set_defaults(quiet=False, verbose=False, logging_verbosity="INFO")
    parser.add_argument("--version", action=ShowVersions, nargs=0, help="show the versions of all that matters")
    commands = parser.add_subparsers(
        title="commands", prog="audionet", dest="command", metavar="COMMAND", required=True
    )
    for add in (_add_prepare, _add_retrain, _add_label, _add_evaluate, add_doctor, add_completion):
        add(commands)
    parser.commands = commands.choices
    for name, command in commands.choices.items():
        command.instead, command.commands = INSTEAD.get(name, {}), commands.choices
    for name in ("prepare", "evaluate"):
        commands.choices[name].instead_of_argument = instead_of_several_folders
    commands.choices["retrain"].instead_of_argument = instead_of_retraining
    return parser


def _add_prepare(commands: "argparse._SubParsersAction[PlainParser]") -> None:
    parser = commands.add_parser(
        "prepare",
        usage="%(prog)s [options] DATA_AUDIO",
        help="draw recordings as spectrograms",
        description="""\
Draw recordings as spectrograms: decode each with ffmpeg to mono, cut it into chunks, and write one picture (JPG, 299 x
299) and one WAV for each chunk, in a folder for each class. Run again, it does only what is new or changed, and forgets
what is gone. Of recordings with annotations, only what is marked is drawn.""",
        examples="""\
  audionet prepare data_audio/                        data_audio/anna/*.mp3, data_audio/ben/*.mp3, ...
  audionet prepare data_audio/ --chunk-seconds 5      for short sounds in long recordings
  audionet prepare data_audio/ --contact-sheet        and tf_files/data_image/anna-contact-sheet.png, ...""",
        details="""\
The end of a recording: what is left after the last full chunk is kept as a shorter chunk if it is at least a quarter
of a chunk long; else it is not used. A recording shorter than a chunk is one chunk if it is at least 0.1 s long.
A shorter chunk is never stretched: its picture keeps the scale of the others and repeats until it is full.""",
    )
    parser.add_argument(
        "data_audio", type=Path, metavar="DATA_AUDIO", help="recordings, in a folder for each class, or annotated"
    )
    _add_pictures(parser)
    listing = """
--image-dir DIR  where the pictures go
--keep-wav  write each chunk's WAV (default: yes)
--contact-sheet  write <class>-contact-sheet.png beside each class's pictures: all at a glance, with axes
--keep-gone  keep the pictures of recordings that are no longer there, and of other folders' recordings (default: no,
    what is in DATA_AUDIO decides)
--prune  delete the pictures of recordings that are gone (default: that is done anyway)
--force  delete the old pictures and make all anew"""
    add_options(parser.add_argument_group("files"), listing, PrepareOptions)
    groups.add_annotations(parser)
    groups.add_sound(parser)
    groups.add_workers(parser, jobs=True)
    add_messages(parser)


def _add_pictures(parser: PlainParser) -> None:
    listing = """
--chunk-seconds S  seconds in one picture (default: 20; where nearly all recordings are no longer than 10, the length of
    most of them; where most classes have one short recording, a third of it)
--overlap S  seconds that two chunks share (default: half of a chunk that is no longer than 5 seconds, else 0)
--representation  what the rows stand for: mel bands as the ear has them, all frequencies alike, or the twelve notes
--colormap NAME  gray, viridis or another of matplotlib's
--high-pass HZ  leave out sound below this frequency, such as the hum of the mains; 0 leaves out nothing
--sample-rate HZ  draw what lies below half of this: 48000 for crickets and birds, 384000 for bats, 8000 for whales"""
    add_options(parser.add_argument_group("how sound becomes pictures"), listing, PictureSettings)


def _add_retrain(commands: "argparse._SubParsersAction[PlainParser]") -> None:
    parser = commands.add_parser(
        "retrain",
        usage="%(prog)s [options]",
        help="learn the classes from the pictures",
        description="""\
Learn the classes: a neural network that is inside AudioNet, Inception v3, sees each picture once (what it gives is
called a bottleneck, and kept), and a new last layer learns the classes from that. Some recordings are held out to test
what was learnt.""",
        examples="""\
  audionet retrain --image-dir birds/pictures --output-graph birds/model.pb --output-labels birds/labels.txt
  audionet retrain --folds 10                      measure with each tenth of the recordings held out in turn
  audionet retrain --saved-model-dir birds/saved   for other TensorFlow programs too
  audionet retrain --help-all                      every option, also those that few need""",
    )
    listing = """
--image-dir DIR  pictures that prepare made
--output-graph FILE  where the model goes, for TensorFlow; label uses what is written beside it as .tflite and .json
--output-labels FILE  the classes, one per line (default: beside --output-graph)
--bottleneck-dir DIR  the kept bottlenecks
--summaries-dir DIR  curves for TensorBoard
--force  train even if nothing has changed since the last time"""
    add_options(parser.add_argument_group("files"), listing, RetrainOptions)
    groups.add_report(parser.add_argument_group("the report"), f"{REPORT_NAME} beside the model")
    _add_training(parser)
    _add_measuring(parser)
    groups.add_network(parser)
    groups.add_distortions(parser)
    groups.add_outputs(parser)
    groups.add_workers(parser)
    add_messages(parser)
    parser.hide_rarely_used(groups.RARELY_USED)


def _add_training(parser: PlainParser) -> None:
    listing = f"""
--steps --how-many-training-steps N  training steps
--learning-rate X  size of a training step
--train-batch-size N  pictures per training step; -1 is all
--seed N  the same seed gives the same model
--background CLASS  for label --events, learn to hear the other classes in this one; {groups.ABOUT_BACKGROUND}"""
    add_options(parser.add_argument_group("training"), listing, RetrainOptions)


def _add_measuring(parser: PlainParser) -> None:
    group = parser.add_argument_group("measuring how good it is")
    listing = """
--validation-percentage P  how many per cent of the recordings are held out for validation
--testing-percentage P  how many per cent of the recordings are held out for testing"""
    add_options(group, listing, RetrainOptions)
    folds = """
--folds K  hold out each of K parts of the recordings in turn to measure; without a number, the data set's own folds
    (default: 5 where a class has fewer than thirty recordings, else one split)"""
    add_options(group, folds, RetrainOptions, nargs="?", const=OWN_FOLDS)
    refit = "--refit  train the model on all recordings once it has been measured on those held out (default: yes)"
    add_options(group, refit, RetrainOptions)


def _add_label(commands: "argparse._SubParsersAction[PlainParser]") -> None:
    parser = commands.add_parser(
        "label",
        usage="%(prog)s [options] CLIP... | --microphone [DEVICE] | --watch FOLDER",
        help="say which class a clip belongs to",
        description="""\
Say which class each clip belongs to. A clip is any file that ffmpeg reads, a picture that prepare made, or - for
standard input; of a folder, all files are labelled. The scores of a clip's chunks are averaged, but for those that are
far fainter than the loudest. A clip that is like none of the classes is called unknown; its scores are shown all the
same.""",
        examples="""\
  audionet label clip.mp3
  audionet label interviews/ --format csv > interviews.csv
  audionet label debate.mp3 --timeline
  audionet label night.wav --events --format raven > night.selections.txt
  audionet label clip.mp3 --plot clip.png
  audionet label - < clip.ogg
  audionet label --microphone                      a line for each few seconds, until Ctrl-C
  audionet label --watch inbox/                    each file as it arrives, until Ctrl-C""",
    )
    parser.add_argument("clips", nargs="*", metavar="CLIP", help="file, folder, or - for standard input")
    _add_live(parser)
    said = parser.add_argument_group("what is said")
    _add_modes(parser)
    _add_said(said)
    groups.add_sound(parser)
    report = """
--report FILE  write a page too, such as page.html: the clips, or the segments of --timeline or --events, the most
    doubtful first, to listen to and to correct"""
    add_options(parser.add_argument_group("the report"), report, type=Path)
    groups.add_events(parser)
    groups.add_model(parser)
    groups.add_threshold(parser)
    groups.add_workers(parser)
    add_messages(parser)


def _add_live(parser: PlainParser) -> None:
    group = parser.add_argument_group("instead of clips")
    microphone = """
--microphone DEVICE  label what a microphone hears (default: the system's own), a line per window; named as ffmpeg has
    it, such as hw:1 on Linux, 0 on a Mac, 'Microphone (USB)' on Windows, or with ffmpeg's kind of device: alsa:hw:1"""
    add_options(group, microphone, nargs="?", const="")
    watch = """
--watch FOLDER  label the clips that are in a folder, and those that arrive in it, once they have not changed for three
    seconds"""
    add_options(group, watch, type=Path)


def _add_modes(parser: PlainParser) -> None:
    modes = parser.add_argument_group("what is looked for").add_mutually_exclusive_group()
    for mode, purpose in (
        ("timeline", "say which class is heard when, for clips of several sounds"),
        ("events", "list what stands out from the background, or from silence: when, and which class"),
        ("windows", "give the scores of all classes for each window of a second or two"),
    ):
        add_options(modes, f"--{mode}  {purpose}", action="store_const", dest="mode", const=mode, default="labels")


def _add_said(group: "argparse._ArgumentGroup") -> None:
    add_options(group, "--top N  classes shown for each clip, as text", type=int, default=5)
    formats = """
--format  what is printed; json has a line for each window or clip with --microphone or --watch. Of a timeline, events
    or windows also: rttm for speaker diarisation, audacity (labels), raven (selections), textgrid (Praat), srt and vtt
    (subtitles), elan (its CSV)"""
    add_options(group, formats, choices=FORMATS, default="text")
    files = """
--plot FILE  draw the clip's spectrogram with its classes (or timeline) under it: .png, .svg or .pdf; for several clips
    a folder, such as plots
--save-segments DIR  write the sound of each event, or of each part of the timeline, as a WAV, into a folder for each
    class in DIR, such as segments"""
    add_options(group, files, type=Path)


def _add_evaluate(commands: "argparse._SubParsersAction[PlainParser]") -> None:
    parser = commands.add_parser(
        "evaluate",
        usage="%(prog)s [options] DATA_AUDIO_TEST",
        help="measure how often the model is right",
        description="""\
Label clips whose class is known, in a folder for each class or with a table, and count how often the model is right.
Use recordings that it was not trained on. A clip counts once, however long it is. Of annotated recordings each marked
part is a clip, and what the model finds in the whole is compared with all of them.""",
        examples="""\
  audionet evaluate test_audio/                    test_audio/anna/*.mp3, test_audio/ben/*.mp3, ...
  audionet evaluate nights/                        nights/a.wav with nights/a.selections.txt beside, ...
  audionet evaluate test_audio/ --format json""",
    )
    parser.add_argument("data_audio_test", type=Path, metavar="DATA_AUDIO_TEST", help="clips, as prepare takes them")
    groups.add_annotations(parser)
    groups.add_detection(parser)
    groups.add_sound(parser)
    group = parser.add_argument_group("what is said")
    add_options(group, "--format  what is printed", choices=("text", "json"), default="text")
    groups.add_report(group, f"{EVALUATION_REPORT_NAME} beside the model")
    groups.add_model(parser)
    groups.add_workers(parser)
    add_messages(parser)
