#!/usr/bin/env python3
"""The top of a report as a picture, for README.md: `make_screenshot.py REPORT PICTURE`. Needs Chromium on the PATH."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDTH, HEIGHT = 900, 440  # pixels


def main(report: Path, picture: Path) -> None:
    browser = next((executable for name in BROWSERS if (executable := shutil.which(name))), None)
    if browser is None:
        sys.exit("make_screenshot.py: no Chromium on the PATH; install one (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = opened.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(report.resolve().as_uri())
        page.screenshot(path=picture)
        opened.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
