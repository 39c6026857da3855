#!/usr/bin/env python3
"""Make the reference of `import audionet` from its docstrings, as web pages.

make docs                          build/docs/index.html
python scripts/make_docs.py DIR
"""

import gc
import pkgutil
import re
import sys
import warnings
from pathlib import Path

import jinja2
import pdoc

import audionet

ROOT = Path(__file__).resolve().parent.parent
# `name: what it is`, or `name, other: ...`, at the start of a line of a docstring.
DESCRIBED = re.compile(r"^(\w+(?:, \w+)*): ", re.MULTILINE)
pdocs_own = pdoc.render.env.filters["to_markdown"]


@jinja2.pass_context
def to_markdown(context: jinja2.runtime.Context, docstring: str) -> str:
    """A docstring as a web page, what it describes as a list."""
    return str(pdocs_own(context, DESCRIBED.sub(r"- **\1**: ", docstring)))


def main(folder: Path) -> None:
    gc.disable()  # all that pdoc makes is used to the end; to look for garbage in it takes a third of the time
    for name in audionet.__all__:
        # pdoc does not ask a module for what it loads when first used.
        setattr(audionet, name, getattr(audionet, name))
    pdoc.render.env.filters["to_markdown"] = to_markdown
    pdoc.render.configure(docformat="markdown", footer_text=f"audionet {audionet.__version__}", show_source=False)
    modules = [module.name for module in pkgutil.iter_modules(audionet.__path__, "audionet.")]
    # argparse has types that can be named but not evaluated.
    warnings.filterwarnings("ignore", "Error parsing type annotation argparse")
    pdoc.pdoc("audionet", *(name for name in modules if name != "audionet.__main__"), output_directory=folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "docs")
