"use strict";
// Each card's class can be corrected, by a click or a digit; what was corrected is saved as a table.
{
  const bar = document.querySelector(".save");
  const cards = [...document.querySelectorAll(".card")];
  const buttons = (card) => [...card.querySelectorAll(".choose button")];
  const corrected = () => cards.filter((card) => "label" in card.dataset);
  let unsaved = false;

  const choose = (card, label) => {
    const same = label === card.dataset.own || label === card.dataset.label;
    if (same) delete card.dataset.label;
    else card.dataset.label = label;
    const shown = card.dataset.label ?? card.dataset.own;
    for (const button of buttons(card)) button.setAttribute("aria-pressed", String(button.value === shown));
    const other = card.querySelector(".choose input");
    if (!buttons(card).some((button) => button.value === shown)) other.value = shown ?? "";
    else other.value = "";
    const count = corrected().length;
    bar.querySelector("output").textContent = count + (count === 1 ? " correction" : " corrections");
    bar.querySelector("button").disabled = count === 0;
    unsaved = count > 0;
  };

  // No spreadsheet takes a name for a formula: an apostrophe stands before it, which prepare leaves out again.
  const guarded = (text) => text.replace(/(^|[;\t\r\n])(?=\s*'*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r])/g, "$1'");
  const quoted = (text) => (/[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text);
  const row = ({ path, label, start = "", end = "" }) => [path, label, start, end].map(guarded).map(quoted).join(",") + "\n";
  // Of lines about the same seconds the last counts: what is said of a part comes after what is said of the whole.
  const isPart = (card) => "start" in card.dataset;
  const save = () => {
    const inOrder = corrected().sort((a, b) => isPart(a) - isPart(b));
    const table = "path,label,start,end\n" + inOrder.map((card) => row(card.dataset)).join("");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([table], { type: "text/csv" }));
    link.download = "corrections.csv";
    link.click();
    unsaved = false;
    bar.querySelector(".then").hidden = false;
  };

  // Where no card is chosen yet, the first that begins in view, or below, is.
  const go = (card, steps) => {
    const shown = [...document.querySelectorAll(".card")];
    const inView = shown.find((each) => each.getBoundingClientRect().top >= 0) ?? shown[0];
    const next = card ? shown[shown.indexOf(card) + steps] : inView;
    if (!next) return;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };

  for (const card of cards) {
    for (const button of buttons(card)) button.addEventListener("click", () => choose(card, button.value));
    const other = card.querySelector(".choose input");
    if (other) other.addEventListener("change", () => choose(card, other.value.trim() || card.dataset.label));
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, .scroll")) return;
    const card = event.target.closest(".card");
    const steps = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const button = card && buttons(card).find((found) => found.dataset.key === event.key);
    if (button) {
      choose(card, button.value);
      go(card, 1);
    } else if ((steps && !event.target.closest("audio")) || (!card && /^\d$/.test(event.key))) {
      go(card, steps);
    } else if (event.key === " " && event.target === card && card.querySelector("audio")) {
      const audio = card.querySelector("audio");
      if (audio.paused) audio.play();
      else audio.pause();
    } else return;
    event.preventDefault();
  });
  if (bar) {
    bar.addEventListener("submit", (event) => {
      event.preventDefault();
      save();
    });
    const order = document.querySelector("#order");
    const byRecording = (a, b) => a.dataset.name.localeCompare(b.dataset.name) || a.dataset.at - b.dataset.at;
    order.addEventListener("change", () => {
      const sorted = order.value === "recording" ? [...cards].sort(byRecording) : cards;
      document.querySelector(".cards").append(...sorted);
    });
    addEventListener("beforeunload", (event) => unsaved && event.preventDefault());
  }
}
