"""Reports of made-up results in a browser: many classes, long names, corrections that are undone, paper, no scripts."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audionet.report import page
from audionet.report.content import Card, Report
from tests.report.test_browser import BROWSER, DESK, PHONE, Visit, browser, pytestmark, sync_api
from tests.report.test_page import report_of, results_of

__all__ = ["BROWSER", "browser", "pytestmark", "sync_api"]
Show = Callable[..., Visit]


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Show]:
    """A function that opens a report in a browser."""
    visits = []

    def opened(report: Report, viewport: dict[str, int] = DESK) -> Visit:
        (tmp_path / "report.html").write_bytes(page.render(report))
        visits.append(Visit(browser, tmp_path / "report.html", viewport, "light"))
        return visits[-1]

    yield opened
    for visit in visits:
        assert visit.complaints == []
        visit.context.close()


def many(labels: list[str]) -> Report:
    """The report on two chunks of each class, of which every third is taken for the next."""
    targets = [*range(len(labels))] * 2
    return report_of(results_of(labels, targets, [(n + (n % 3 == 0)) % len(labels) for n in targets]))


def of_cards(*cards: Card) -> Report:
    return replace(report_of(results_of(["anna", "ben"], [0, 1], [0, 0])), cards=cards)


def card(number: int, start: float, end: float, *, is_whole: bool = False) -> Card:
    scores = [("ben", 0.9), ("anna", 0.1)]
    return Card(number, (number,), f"anna/a {number}", "anna/a.wav", start, end, is_whole, "anna", 0.1, scores)


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("name", ["species of number {}", "コマドリ{}", "anextraordinarilylongword{}"])
def test_names_of_many_classes_beside_the_matrix_are_not_torn_into_letters(
    show: Show, name: str, viewport: dict[str, int]
) -> None:
    visit = show(many([name.format(n) for n in range(25)]), viewport)
    heights = visit.page.eval_on_selector_all(".matrix tbody th", "heads => heads.map((head) => head.offsetHeight)")
    assert max(heights) < 110
    assert visit.page.evaluate("document.documentElement.scrollWidth") == viewport["width"]


def test_the_arrow_keys_scroll_a_matrix_that_is_too_wide_and_its_rows_keep_their_names(show: Show) -> None:
    visit = show(many([f"class {n}" for n in range(20)]), PHONE)
    matrix = visit.page.get_by_label("Confusion matrix", exact=True)
    matrix.focus()
    visit.page.keyboard.press("ArrowRight")
    assert visit.page.evaluate("document.activeElement.getAttribute('aria-label')") == "Confusion matrix"
    visit.wait_until("document.querySelector('.scroll').scrollLeft > 20")
    assert visit.page.locator(".matrix tbody th").first.bounding_box()["x"] < 30


def test_on_paper_the_colours_of_figures_are_kept(show: Show) -> None:
    """Browsers print no grounds unless told to: white numbers on blue would be white on white."""
    visit = show(many(["anna", "ben"]))
    visit.page.emulate_media(media="print")
    for selector in (".matrix td", ".gauge .dot", ".meter .fill"):
        shown = "(mark) => getComputedStyle(mark).printColorAdjust"
        assert visit.page.locator(selector).first.evaluate(shown) == "exact", selector
    assert not visit.page.locator("#order").is_visible()


def test_without_scripts_nothing_is_shown_that_would_do_nothing(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(page.render(of_cards(card(0, 0, 5))))
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(path.as_uri())
    seen = opened.locator("body").inner_text()
    context.close()
    assert "let the browser run the script of this page" in seen
    assert "anna/a 0" in seen
    assert not any(word in seen for word in ("leave it out", "Save corrections.csv", "Order:", "type its digit"))


def test_a_class_that_was_typed_is_taken_back_with_its_letters(show: Show) -> None:
    visit = show(of_cards(card(0, 0, 5)))
    field, corrections = visit.page.locator(".choose input"), visit.page.locator(".save output")
    for typed, counted in (("whale", "1 correction"), ("", "0 corrections"), ("  ", "0 corrections")):
        field.fill(typed)
        field.press("Tab")
        assert corrections.inner_text() == counted
    assert visit.page.locator("button[aria-pressed=true]").get_attribute("value") == "anna"


def test_what_is_said_of_a_part_goes_before_what_is_said_of_its_recording(show: Show, tmp_path: Path) -> None:
    visit = show(of_cards(card(0, 5, 10), card(1, 0, 20, is_whole=True)))
    visit.page.locator("#chunk-0 button[value='']").click()
    visit.page.locator("#chunk-1 button[value=ben]").click()
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="Save corrections.csv").click()
    download.value.save_as(tmp_path / "corrections.csv")
    with open(tmp_path / "corrections.csv", newline="", encoding="utf-8") as file:
        assert list(csv.reader(file))[1:] == [["anna/a.wav", "ben", "", ""], ["anna/a.wav", "", "5", "10"]]


def test_a_card_that_the_arrow_keys_reach_is_seen_whole(show: Show) -> None:
    visit = show(of_cards(*(card(n, 5 * n, 5 * n + 5) for n in range(12))), PHONE)
    for _ in range(8):
        visit.page.keyboard.press("ArrowRight")
    reached = visit.page.locator(".card:focus")
    bar = visit.page.locator(".save")
    assert reached.get_attribute("id") == "chunk-7"
    box = reached.bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= bar.bounding_box()["y"] + 1
