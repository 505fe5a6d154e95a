"use strict";
// Everything can be read without this; it sorts tables, finds questions, filters the large table, opens the card that a
// link leads to, and all that is folded for print.

// Numbers by number, words by word; what has neither (no key and no text but "-") comes last, either way.
function keyOf(row, column) {
  const cell = row.cells[column];
  if ("key" in cell.dataset) return Number(cell.dataset.key);
  return cell.textContent === "-" ? null : cell.textContent;
}

function compare(a, b, sign) {
  if (a === null || b === null) return (a === null) - (b === null);
  return sign * (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
}

function sortBy(table, heading) {
  const column = heading.cellIndex;
  const sign = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, row => ({ row, key: keyOf(row, column) }));
  rows.sort((a, b) => compare(a.key, b.key, sign));
  body.append(...rows.map(one => one.row));
  for (const other of heading.parentNode.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
}

for (const table of document.querySelectorAll("table.rows")) {
  for (const heading of table.tHead.rows[0].cells) {
    const button = document.createElement("span"); // no <button>: a heading repeated on a printed page would lose it
    button.setAttribute("role", "button");
    button.tabIndex = 0;
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sortBy(table, heading));
    button.addEventListener("keydown", event => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      sortBy(table, heading);
    });
  }
}

const form = document.getElementById("filter");
const words = document.getElementById("words");
const verdict = document.getElementById("verdict");
const rows = Array.from(document.getElementById("all-rows").tBodies[0].rows);

// A word is part of a name or of the verdict, a number is a size.
function has(row, word) {
  const cells = Array.from(row.querySelectorAll("td.words:not([data-key])"), cell => cell.textContent);
  const names = cells.join(" ").toLowerCase();
  const size = row.cells[1]; // of a pair; a configuration's name on the page of allocators
  const bySize = /^\d+$/.test(word) && !size.classList.contains("words"); // verdicts hold digits, too
  return bySize ? size.textContent === word : names.includes(word);
}

function filter() {
  const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    row.hidden = !(wanted.every(word => has(row, word)) && (!verdict.value || row.dataset.verdict === verdict.value));
    shown += !row.hidden;
  }
  document.getElementById("shown").textContent = `${shown} of ${rows.length} rows`;
}

form.hidden = false;
form.addEventListener("submit", event => event.preventDefault());
words.addEventListener("input", filter);
verdict.addEventListener("change", filter);
filter();

// The questions and their cards that hold every word.
const search = document.getElementById("find");
const entries = Array.from(document.querySelectorAll("[data-find]"), element => {
  const asked = Array.from(element.querySelectorAll("th, h3, .question"), part => part.textContent);
  return { element, text: asked.join(" ").toLowerCase() };
});

function find() {
  const wanted = document.getElementById("find-words").value.toLowerCase().split(/\s+/).filter(Boolean);
  let left = 0;
  for (const { element, text } of entries) {
    element.hidden = !wanted.every(word => text.includes(word));
    left += !element.hidden && element.matches(".card");
  }
  document.getElementById("found").textContent = wanted.length ? `${left} found` : "";
}

if (search) {
  search.hidden = false;
  search.addEventListener("submit", event => event.preventDefault());
  search.addEventListener("input", find);
}

function openTarget() {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (!target || !target.matches(".card")) return;
  target.querySelector("details").open = true;
  for (let at = target.closest("details"); at; at = at.parentElement.closest("details")) at.open = true;
  target.scrollIntoView();
}

addEventListener("hashchange", openTarget);
openTarget();

addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
