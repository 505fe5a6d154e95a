"use strict";
// Everything can be read without this; it shows the findings of one kind, or those that have some words.
const form = document.getElementById("filter");
const kind = document.getElementById("kind");
const words = document.getElementById("words");
const found = Array.from(document.querySelectorAll("[data-find]"));
const texts = new Map(found.map(one => [one, one.textContent.toLowerCase()]));

function filter() {
  const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const one of found) {
    const fits = (!kind.value || one.dataset.rule === kind.value) && wanted.every(word => texts.get(one).includes(word));
    one.hidden = !fits;
    if (fits && one.tagName === "LI") shown++;
  }
  document.getElementById("shown").textContent = `${shown} shown`;
}

form.addEventListener("submit", event => event.preventDefault());
form.addEventListener("input", filter);
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(one => { one.open = true; }));
filter();
