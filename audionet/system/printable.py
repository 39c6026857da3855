"""Names from elsewhere, in a line for people: what would break the line, or command the terminal, is spelled out."""

import unicodedata

# Control characters, bytes that are no Unicode, and separators of lines and paragraphs.
BREAKING_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # make text read as another


def is_printable(text: str) -> bool:
    """Whether a name can stand in a line as it is. str.isprintable refuses what Persian and many emoji need."""
    return not any(map(_breaks, text))


def printable(text: str) -> str:
    r"""A name without what breaks a line: a line feed as `\n`, a byte that is no Unicode as `\udcff`."""
    if text.isprintable():
        return text
    return "".join(c.encode("unicode_escape").decode() if _breaks(c) else c for c in text)


def _breaks(character: str) -> bool:
    return unicodedata.category(character) in BREAKING_CATEGORIES or character in TURNING
