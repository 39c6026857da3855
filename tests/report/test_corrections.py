"""The loop: what a report shows is corrected in a browser, saved, prepared and learnt."""

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.commands.test_prepare_parts import pictures
from tests.conftest import Run, chirps, make_model, quick_learning, write_wav
from tests.report.test_browser import (
    BROWSER,
    DESK,
    PHONE,
    Visit,
    browser,
    sync_api,
    violations,
)

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on the PATH (Debian: apt-get install chromium)")
__all__ = ["browser", "sync_api"]


@pytest.fixture(scope="module")
def misfiled(low_and_high: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of low and high tones, of which one recording each lies in the folder of the other; and three clips."""
    folder = tmp_path_factory.mktemp("misfiled")
    write_wav(folder / "data_audio" / "high" / "really, low.wav", chirps(5, 200, 400, 2.5))
    write_wav(folder / "data_audio" / "low" / 'a "high" one.wav', chirps(15, 2000, 3000, 2.5))
    make_model(folder, known=low_and_high)
    for name, low_hz in (("one", 200), ("two", 2000), ("three", 900)):
        write_wav(folder / "inbox" / f"{name}.wav", chirps(40, low_hz, low_hz * 1.4, 2))
    return folder


@pytest.fixture
def visit(browser: Any, misfiled: Path) -> Iterator[Visit]:
    visited = Visit(browser, misfiled / "tf_files" / "report.html", DESK, "light")
    yield visited
    visited.context.close()


def saved(visit: Visit, folder: Path) -> Path:
    """The table that the page saves."""
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="Save corrections.csv").click()
    assert download.value.suggested_filename == "corrections.csv"
    download.value.save_as(folder / "corrections.csv")
    assert visit.complaints == []
    return folder / "corrections.csv"


def rows(path: Path) -> list[list[str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_a_recording_in_the_wrong_folder_is_one_card_that_says_so(visit: Visit) -> None:
    cards = visit.page.locator(".card:has-text('really, low')")
    assert cards.count() == 1
    assert "All of this recording (3 chunks) sounds like “low”: wrong folder?" in cards.inner_text()
    first = visit.page.locator(".card").first.inner_text()
    assert "really, low" in first or 'a "high" one' in first  # what is most doubtful


def test_two_recordings_are_corrected_by_keyboard_saved_prepared_and_learnt(
    visit: Visit, misfiled: Path, audionet_here: Run, tmp_path: Path
) -> None:
    page = visit.page
    shutil.copytree(misfiled / "data_audio", tmp_path / "data_audio")
    shutil.copytree(misfiled / "tf_files" / "bottlenecks", tmp_path / "tf_files" / "bottlenecks")
    assert page.get_by_role("button", name="Save corrections.csv").is_disabled()
    page.keyboard.press("2")  # to the first card, of which nobody knows yet that it is meant
    assert page.evaluate("document.activeElement.id") == page.locator(".card").first.get_attribute("id")
    assert page.locator(".save output").inner_text() == "0 corrections"
    for _ in range(2):
        own = page.evaluate("document.activeElement.dataset.own")
        page.keyboard.press({"high": "2", "low": "1"}[own])  # the buttons are high, low; it goes on to the next card
    assert page.locator(".save output").inner_text() == "2 corrections"
    table = saved(visit, tmp_path)
    assert rows(table)[0] == ["path", "label", "start", "end"]
    wanted = [["high/really, low.wav", "low", "", ""], ['low/a "high" one.wav', "high", "", ""]]
    assert sorted(rows(table)[1:]) == wanted
    command = ["--chunk-seconds", 1, "--overlap", 0, "--corrections", table]
    audionet_here.done("prepare", "data_audio", *command)
    with quick_learning():
        trained = audionet_here("retrain", "--steps", 50)
    assert "held-out accuracy: 100.0% (30 of 30 pictures" in trained.stdout
    for name, truth in (("one", "low"), ("two", "high")):
        labelled = audionet_here("label", misfiled / "inbox" / f"{name}.wav", "--format", "csv", "--no-unknown")
        assert labelled.stdout.splitlines()[1].split(",")[1] == truth


def test_a_correction_can_be_taken_back_and_another_class_named(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    card = page.locator(".card").first
    own = card.get_attribute("data-own")
    other = {"high": "low", "low": "high"}[own]
    pressed = card.locator("button[aria-pressed=true]")
    assert pressed.get_attribute("value") == own
    card.locator(f"button[value={other}]").click()
    assert pressed.get_attribute("value") == other
    card.locator(f"button[value={own}]").click()
    assert page.get_by_role("button", name="Save corrections.csv").is_disabled()
    card.locator(".choose input").fill("=middling, 5")
    card.locator(".choose input").press("Enter")
    page.locator(".card audio").nth(1).focus()
    page.keyboard.press("0")  # leave it out
    assert [row[1:] for row in rows(saved(visit, tmp_path))[1:]] == [["'=middling, 5", "", ""], ["", "", ""]]


def test_a_digit_in_the_field_for_another_class_chooses_nothing(visit: Visit) -> None:
    field = visit.page.locator(".choose input").first
    field.press("1")
    assert field.input_value() == "1"
    assert visit.page.locator(".card[data-label]").count() == 0


def test_cards_stand_in_the_order_of_doubt_or_of_recordings(visit: Visit) -> None:
    names = "[...document.querySelectorAll('.card')].map((card) => card.dataset.name)"
    doubt = visit.page.evaluate(names)
    visit.page.get_by_label("Order").select_option("recording")
    by_recording = visit.page.evaluate(names)
    assert by_recording == sorted(doubt, key=str.casefold) != doubt
    visit.page.get_by_label("Order").select_option("doubt")
    assert visit.page.evaluate(names) == doubt


def test_clips_that_nobody_has_named_are_listed_and_named(
    browser: Any, misfiled: Path, audionet_here: Run, tmp_path: Path
) -> None:
    finished = audionet_here("label", "inbox", "--report", tmp_path / "page.html", cwd=misfiled)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith("inbox/one.wav")
    assert "page.html (open it in a browser)" in finished.stderr
    visit = Visit(browser, tmp_path / "page.html", DESK, "light")
    cards = visit.page.locator(".card")
    assert cards.count() == 3
    assert visit.page.locator("button[aria-pressed=true]").count() == 0
    assert "3 clips: " in visit.page.locator(".verdict").inner_text()
    scores = [float(text) for text in visit.page.locator(".top li:first-child .figure").all_inner_texts()]
    unknown = ["Unknown: " in text for text in cards.all_inner_texts()]
    assert list(zip([not found for found in unknown], scores, strict=True)) == sorted(
        zip([not found for found in unknown], scores, strict=True)
    )
    visit.page.locator(".card:has-text('two.wav') button[value=high]").click()
    assert rows(saved(visit, tmp_path))[1:] == [["inbox/two.wav", "high", "", ""]]
    visit.context.close()


def test_a_turn_is_found_on_the_strip_corrected_by_keyboard_and_its_seconds_alone_are_learnt(
    browser: Any, low_and_high: Path, audionet_here: Run, tmp_path: Path
) -> None:
    turns = [chirps(40, 200, 400, 3), chirps(41, 2000, 3000, 4), chirps(42, 200, 400, 3)]
    write_wav(tmp_path / "inbox" / "talk.wav", np.concatenate(turns))
    command = ["label", "inbox", "--timeline", "--format", "json", "--graph", low_and_high / "tf_files"]
    (clip,) = json.loads(audionet_here.done(*command, "--report", "page.html"))
    (turn,) = (segment for segment in clip["segments"] if segment["label"] == "high")
    for viewport, scheme in ((PHONE, "dark"), (DESK, "light")):
        visit = Visit(browser, tmp_path / "page.html", viewport, scheme)
        assert violations(visit.page) == []
        assert visit.page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
        if viewport is PHONE:
            visit.context.close()
    visit.page.locator(".strip a[aria-label^=high]").click()
    visit.page.keyboard.press("2")  # the buttons are high, low
    (row,) = rows(saved(visit, tmp_path))[1:]
    visit.context.close()
    assert row[:2] == ["inbox/talk.wav", "low"]
    assert row[2:] == [str(round(turn[border], 3)) for border in ("start_seconds", "end_seconds")]
    write_wav(tmp_path / "data" / "high" / "1.wav", chirps(1, 2000, 3000, 1))
    audionet_here.done("prepare", "data", "--corrections", "corrections.csv", "--chunk-seconds", 1)
    learnt = pictures(tmp_path / "tf_files" / "data_image")["low/talk.wav"]
    assert (learnt[0][0], learnt[-1][1]) == pytest.approx((turn["start_seconds"], turn["end_seconds"]), abs=0.25)
