"""Which recording each picture is of: for the split, and for the checks of the data."""

from collections.abc import Sequence

from audionet.dataset.checks import Piece
from audionet.dataset.folders import PictureFile
from audionet.dataset.manifest import PictureIndex
from audionet.training.split import Item


def split_items(pictures: Sequence[PictureFile], index: PictureIndex) -> list[Item]:
    """The pictures as the split sees them.

    A recording is known by its content, so that renaming it, moving it or adding others never moves it to another
    part, and copies of it stay on one side. A picture that audionet.json does not list goes by its file's name.
    """
    places = {chunk.name: (entry, chunk) for entry in index.recordings.values() for chunk in entry.chunks}
    length = index.renderer.settings.chunk_seconds
    items = []
    for picture in pictures:
        if picture.name in places:
            entry, chunk = places[picture.name]
            end_seconds = chunk.start_seconds + chunk.seconds
            item = Item(picture.class_name, entry.sha256, chunk.start_seconds, end_seconds, fold=entry.fold)
            items.append(item if entry.group is None else item._replace(recording=entry.group, sound=entry.sha256))
        else:
            start = picture.number * length
            items.append(Item(picture.class_name, picture.recording, start, start + length))
    return items


def pieces_to_check(pictures: Sequence[PictureFile], index: PictureIndex, digests: Sequence[bytes]) -> list[Piece]:
    """The pictures as the checks of the data see them; digests are of their JPGs."""
    places = {chunk.name: (key, chunk) for key, entry in index.recordings.items() for chunk in entry.chunks}
    length = index.renderer.settings.chunk_seconds
    pieces = []
    for picture, digest in zip(pictures, digests, strict=True):
        if picture.name in places:
            key, chunk = places[picture.name]
            loudness = chunk.level_db, chunk.clipped
            piece = Piece(picture.class_name, key, chunk.start_seconds, chunk.seconds, digest, *loudness)
        else:
            recording = f"{picture.class_name}/{picture.recording}"
            piece = Piece(picture.class_name, recording, picture.number * length, length, digest)
        pieces.append(piece)
    return pieces
