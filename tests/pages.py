"""The project's pages (README.md, docs/) as the reader finds them: their code blocks in order, and their links."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.conftest import ROOT

README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("CONTRIBUTING.md"))]
NOT_RUN = re.compile(r"<!-- not run: (.+?) -->", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A code block. language: sh, python, csv, text...; line: its first, counted from 1.

    not_run: why the tests leave it out, from a comment `<!-- not run: ... -->` right before it.
    output: of a text block that follows a block of commands immediately, what they print.
    """

    page: Path
    line: int
    language: str
    text: str
    not_run: str | None = None
    output: str | None = None

    @property
    def place(self) -> str:
        """`docs/faq.md:12`, as an editor takes it."""
        return f"{self.page.relative_to(ROOT).as_posix()}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """The code blocks of a page in order, the outputs with their commands."""
    found: list[Block] = []
    tokens = _parse(page)
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type not in ("fence", "code_block") or token.map is None:
            continue
        # An indented block has no language; it is taken for commands if it starts like one.
        language = token.info.split(" ")[0] if token.info else "sh" if token.content.startswith("audionet ") else "text"
        comes_next = before is not None and before.type == "fence" and found and found[-1].language == "sh"
        if language == "text" and comes_next and found[-1].output is None:
            commands = found.pop()
            found.append(Block(page, commands.line, "sh", commands.text, commands.not_run, token.content))
            continue
        mark = NOT_RUN.match(before.content) if before is not None and before.type == "html_block" else None
        reason = " ".join(mark[1].split()) if mark else None
        found.append(Block(page, token.map[0] + 1, language, token.content, reason))
    return found


def inline_code(page: Path) -> Iterator[str]:
    """What stands in `backticks`, in running text and tables."""
    for token in _inline(page):
        if token.type == "code_inline":
            yield token.content


def links(page: Path) -> Iterator[str]:
    """What the page links to and which pictures it shows."""
    for token in _inline(page):
        target = token.attrGet("href") or token.attrGet("src")
        if target:
            yield str(target)


def anchors(page: Path) -> set[str]:
    """The names by which a page's headings can be linked to, as GitHub makes them."""
    tokens = _parse(page)
    titles = [after.content for token, after in itertools.pairwise(tokens) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def _parse(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))


def _inline(page: Path) -> Iterator[Token]:
    for token in _parse(page):
        yield from token.children or ()
