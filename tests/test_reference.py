"""The reference that `make docs` makes from the docstrings: its links lead somewhere, its examples are true."""

import doctest
import re
import sys
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import audionet
from tests.conftest import ROOT, run_program
from tests.pages import README, blocks

WITH_EXAMPLES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in sorted((ROOT / "audionet").rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


class Page(HTMLParser):
    """The links of a web page, and the names that can be linked to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.names: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and name == "id":
                self.names.add(value)
            elif value and name == "href" and tag == "a":
                self.links.add(value)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    command = [sys.executable, "-W", "error::UserWarning", str(ROOT / "scripts" / "make_docs.py"), str(folder)]
    assert run_program(command, timeout=300).stderr == ""
    return folder


def test_every_link_of_the_reference_leads_somewhere(reference: Path) -> None:
    pages = {path: Page(path) for path in sorted(reference.rglob("*.html"))}
    assert len(pages) > 40
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target in pages, f"{path} links to {link}"
            # pdoc lists the constructor of an abstract class, which it does not show.
            name = parts.fragment.removesuffix(".__init__")
            assert not name or name in pages[target].names, f"{path} links to {link}"


def test_all_that_import_audionet_offers_is_described(reference: Path) -> None:
    page = reference / "audionet.html"
    assert set(audionet.__all__) - {"__version__"} <= Page(page).names
    # What a docstring says of each option is shown as a list.
    assert re.search(r"<li><strong>chunk_seconds</strong>: length of sound", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_in_docstrings_are_true(name: str) -> None:
    found = doctest.testmod(import_module(name))
    assert found.attempted > 0
    assert found.failed == 0


def test_the_package_shows_what_the_readme_shows() -> None:
    (example,) = (block.text for block in blocks(README) if block.language == "python")
    assert "".join(f"    {line}" if line.strip() else line for line in example.splitlines(True)) in str(
        audionet.__doc__
    )
