"""What may have been meant by a name that is not known."""

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean X?` for the known name that is most like `name`; nothing if none is like it."""
    names = {candidate.casefold(): candidate for candidate in sorted(known)}
    close = difflib.get_close_matches(name.casefold(), names, n=1)
    return f"; did you mean {names[close[0]]}?" if close else ""
