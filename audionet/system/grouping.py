"""Things in groups."""

from collections.abc import Hashable, Iterable
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


def grouped(pairs: Iterable[tuple[Key, Value]]) -> dict[Key, list[Value]]:
    """The values of pairs (key, value), in a list for each key; keys and values in the order in which they come.

    >>> grouped((len(word), word) for word in ("owl", "wren", "jay"))
    {3: ['owl', 'jay'], 4: ['wren']}
    """
    groups: dict[Key, list[Value]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups
