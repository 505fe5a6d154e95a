"use strict";
// Draws a time line: a lane for each thread, on a canvas that shows what is in view. What is in view is found by bisection;
// of what falls within one pixel one is drawn. So a picture costs as much as it is wide, however many slices there are.

const byId = id => document.getElementById(id);
const view = byId("view"), canvas = byId("canvas"), paint = canvas.getContext("2d");
const AXIS = 24, HEAD = 20, ROW = 18, COUNTER = 44, GAP = 6;

function short(x) { return x >= 1000 ? x.toFixed(0) : String(Number(x.toPrecision(4))); }
function timeOf(ns) {
  return ns >= 1e9 ? `${short(ns / 1e9)} s` : ns >= 1e6 ? `${short(ns / 1e6)} ms`
    : ns >= 1e3 ? `${short(ns / 1e3)} µs` : `${short(ns)} ns`;
}
function valueOf(x, name) {
  if (!/alloc|free|byte|heap/.test(name)) return x.toLocaleString("en");
  return x >= 1048576 ? `${short(x / 1048576)} MiB` : x >= 1024 ? `${short(x / 1024)} KiB` : `${x} B`;
}

let height = AXIS;

function place() {
  for (const lane of lanes) {
    lane.top = height;
    height += HEAD + lane.rows.length * ROW + lane.counters.size * COUNTER + GAP;
  }
}

// ---- What is in view

let from = 0, to = total, wide = 300, high = 300, words = "", hits = null, chosen = null;
let drawing = false;

function redraw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => { drawing = false; draw(); });
}

function look(low, high) {
  const least = Math.min(total, 20), span = Math.min(total, Math.max(least, high - low));
  const middle = (low + high) / 2;
  from = Math.min(Math.max(0, middle - span / 2), total - span);
  to = from + span;
  redraw();
}
function zoom(factor, at = (from + to) / 2) { look(at - (at - from) * factor, at + (to - at) * factor); }
function pan(share) { look(from + (to - from) * share, to + (to - from) * share); }
const toX = t => (t - from) / (to - from) * wide;
const toTime = x => from + x / wide * (to - from);

// ---- Drawing

const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const hues = new Map();
function hueOf(name) {
  if (!hues.has(name)) {
    let sum = 7;
    for (let i = 0; i < name.length; i++) sum = (sum * 31 + name.charCodeAt(i)) >>> 0;
    hues.set(name, [212, 32, 165, 275, 330, 48, 195, 100][sum % 8] + (sum >>> 8) % 12);
  }
  return hues.get(name);
}
let dark, ink, faint, line, card, bad;
function readColours() {
  dark = matchMedia("(prefers-color-scheme: dark)").matches;
  [ink, faint, line, card, bad] = ["--ink", "--faint", "--line", "--card", "--bad"].map(style);
}
function colourOf(number) {
  if (hits && !hits[number]) return dark ? "#2d333c" : "#e6e8ec";
  return `hsl(${hueOf(data.names[number])} ${dark ? "45% 42%" : "55% 76%"})`;
}

function clipped(text, room) {
  if (room < 18) return "";
  if (paint.measureText(text).width <= room) return text;
  const n = Math.floor(text.length * room / paint.measureText(text).width) - 1;
  return n > 1 ? `${text.slice(0, n)}…` : "";
}

// With as many digits as tell one mark of the axis from the next.
function timeAtStep(t, step) {
  const [unit, name] = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]].find(([ns]) => t >= ns) || [1, "ns"];
  return `${(t / unit).toFixed(Math.max(0, Math.ceil(-Math.log10(step / unit) - 1e-9)))} ${name}`;
}

function drawAxis() {
  const rough = (to - from) / Math.max(2, wide / 110), power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find(n => n * power >= rough);
  paint.fillStyle = card;
  paint.fillRect(0, 0, wide, AXIS);
  for (let t = Math.ceil(from / step) * step; t <= to; t += step) {
    const x = Math.round(toX(t)) + .5;
    paint.fillStyle = line;
    paint.fillRect(x, 0, 1, high);
    paint.fillStyle = faint;
    paint.fillText(timeAtStep(t, step), x + 3, 15);
  }
}

function drawRow(row, y) {
  const n = row.n;
  let i = above(row.more, from, 0, n);
  if (i > 0 && row.more[i - 1] >= from) i--;
  while (i < n && row.at[i] <= to) {
    const number = row.tag[i] >> 2, missing = row.tag[i] & 3, x = Math.max(-2, toX(row.at[i])), w = Math.min(wide + 2, toX(row.more[i])) - x;
    paint.fillStyle = colourOf(number);
    paint.fillRect(x, y, Math.max(1, w - (w > 3 ? 1 : 0)), ROW - 2);
    if (row.same(i, chosen)) { paint.strokeStyle = ink; paint.strokeRect(x + .5, y + .5, Math.max(1, w - 1), ROW - 3); }
    if (missing && w > 4) {
      paint.fillStyle = bad;
      paint.fillRect(missing & 1 ? x : x + w - 3, y, 2, ROW - 2);
    }
    const text = w > 18 ? clipped(data.names[number], w - 8) : "";
    if (text) { paint.fillStyle = ink; paint.fillText(text, Math.max(x, 0) + 4, y + 12); }
    i = w >= 1 ? i + 1 : Math.max(i + 1, above(row.more, toTime(Math.floor(x) + 1), i, n));
  }
}

function drawMoments(list, y) {
  const n = list.n;
  let i = above(list.at, from - 1e-9, 0, n);
  while (i < n && list.at[i] <= to) {
    const number = list.tag[i] >> 2, x = toX(list.at[i]);
    paint.fillStyle = hits && !hits[number] ? line : `hsl(${hueOf(data.names[number])} 70% ${dark ? 60 : 42}%)`;
    paint.beginPath();
    paint.moveTo(x, y - 5); paint.lineTo(x + 4, y); paint.lineTo(x, y + 5); paint.lineTo(x - 4, y);
    paint.fill();
    i = above(list.at, toTime(x + 1), i, n);
  }
}

function drawCounter(name, points, y) {
  const n = points.n, tall = COUNTER - 16;
  let i = Math.max(0, above(points.at, from, 0, n) - 1);
  paint.fillStyle = `hsl(${hueOf(name)} ${dark ? "40% 38%" : "50% 80%"})`;
  while (i < n && points.at[i] <= to) {
    const x = Math.max(0, toX(points.at[i])), next = Math.max(i + 1, above(points.at, toTime(Math.floor(x) + 1), i, n));
    const most = highest(points, i, next), end = next < n ? Math.min(wide, toX(points.at[next])) : wide;
    paint.fillRect(x, y + 14 + tall * (1 - most / points.most), Math.max(1, end - x), tall * most / points.most);
    i = next;
  }
  paint.fillStyle = faint;
  paint.fillText(`${name}: at most ${valueOf(points.most, name)}`, 4, y + 11);
}

function nameOf(lane) {
  const program = lane.program.slice(lane.program.lastIndexOf("/") + 1);
  return `${lane.name === program || lane.name === "exe" || !lane.name ? program : `${program}: ${lane.name}`} (${lane.pid}${lane.tid === lane.pid ? "" : `, thread ${lane.tid}`})`;
}

function drawLane(lane, top) {
  paint.fillStyle = line;
  paint.fillRect(0, top, wide, 1);
  drawMoments(lane.moments, top + 11);
  paint.fillStyle = ink;
  paint.font = "600 12px system-ui, sans-serif";
  const name = clipped(nameOf(lane), wide - 8);
  paint.globalAlpha = .8;
  paint.fillStyle = card;
  paint.fillRect(0, top + 2, paint.measureText(name).width + 8, 17);
  paint.globalAlpha = 1;
  paint.fillStyle = ink;
  paint.fillText(name, 4, top + 15);
  paint.font = "12px system-ui, sans-serif";
  lane.rows.forEach((row, k) => drawRow(row, top + HEAD + k * ROW));
  let y = top + HEAD + lane.rows.length * ROW;
  for (const [counter, points] of lane.counters) { drawCounter(counter, points, y); y += COUNTER; }
}

function draw() {
  const scrolled = view.scrollTop;
  paint.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  paint.clearRect(0, 0, wide, high);
  paint.font = "12px system-ui, sans-serif";
  drawAxis();
  paint.save();
  paint.beginPath();
  paint.rect(0, AXIS, wide, high - AXIS);
  paint.clip();
  lanes.forEach((lane, k) => {
    const bottom = k + 1 < lanes.length ? lanes[k + 1].top : height;
    if (bottom > scrolled + AXIS && lane.top < scrolled + high) drawLane(lane, lane.top - scrolled);
  });
  if (data.from_ns > from) {
    paint.fillStyle = faint;
    paint.fillText("short slices are left out before here →", Math.max(4, Math.min(wide, toX(data.from_ns)) - 230), high - 6);
  }
  paint.restore();
}

function resize() {
  readColours();
  view.style.height = `min(70vh, ${height + 10}px)`;
  wide = view.clientWidth;
  high = Math.min(view.clientHeight, Math.max(height + 8, 120));
  canvas.width = wide * devicePixelRatio;
  canvas.height = high * devicePixelRatio;
  canvas.style.width = `${wide}px`;
  canvas.style.height = `${high}px`;
  byId("space").style.height = `${Math.max(0, height - high)}px`;
  redraw();
}

// ---- Pointing

function at(x, y) {
  const down = y + view.scrollTop, lane = lanes.findLast(one => one.top <= down), t = toTime(x);
  if (!lane || y < AXIS) return null;
  const slack = (to - from) / wide * 5, row = lane.rows[Math.floor((down - lane.top - HEAD) / ROW)];
  const list = down - lane.top < HEAD ? lane.moments : row;
  if (!list) {
    const counter = [...lane.counters.values()][Math.floor((down - lane.top - HEAD - lane.rows.length * ROW) / COUNTER)];
    const i = counter ? above(counter.at, t, 0, counter.n) - 1 : -1;
    return i >= 0 ? counter.one(i) : null;
  }
  const ends = list === lane.moments ? list.at : list.more, near = [];
  for (let i = above(ends, t - slack, 0, list.n); i < list.n && near.length < 8 && list.at[i] <= t + slack; i++) near.push(list.one(i));
  return near.find(one => one.begin <= t && one.end >= t) || near[0] || null;
}

function say(one) {
  const detail = byId("detail"), name = document.createElement("b");
  if (!one) return;
  name.textContent = one.name;
  const missing = one.missing & 1 ? "; its begin is missing" : one.missing ? "; its end is missing" : "";
  const lasts = one.value === undefined ? `lasts ${timeOf(one.end - one.begin)}${missing}, ` : one.value ? `${valueOf(one.value, one.name)}, ` : "";
  detail.replaceChildren(name, ` ${lasts}at ${timeOf(one.begin)}, in ${nameOf(one.lane)}`);
  if (one.from) detail.append(`, from ${one.from.replaceAll("\n", " ← ")}`);
}

const pointers = new Map();
let dragged = 0;
view.addEventListener("pointerdown", event => {
  pointers.set(event.pointerId, event);
  dragged = 0;
});
view.addEventListener("pointermove", event => {
  const box = canvas.getBoundingClientRect(), before = pointers.get(event.pointerId);
  if (!before) { say(at(event.clientX - box.left, event.clientY - box.top)); return; }
  const others = [...pointers.values()].filter(one => one.pointerId !== event.pointerId);
  if (others.length) {
    const apart = Math.abs(before.clientX - others[0].clientX), now = Math.abs(event.clientX - others[0].clientX);
    zoom(Math.max(.5, Math.min(2, Math.max(apart, 10) / Math.max(now, 10))), toTime((event.clientX + others[0].clientX) / 2 - box.left));
  } else {
    pan((before.clientX - event.clientX) / wide);
    if (event.pointerType === "mouse") view.scrollTop += before.clientY - event.clientY;
  }
  dragged += Math.abs(before.clientX - event.clientX) + Math.abs(before.clientY - event.clientY);
  pointers.set(event.pointerId, event);
});
for (const type of ["pointerup", "pointercancel", "pointerleave"])
  view.addEventListener(type, event => {
    const box = canvas.getBoundingClientRect();
    if (pointers.delete(event.pointerId) && type === "pointerup" && dragged < 5) {
      chosen = at(event.clientX - box.left, event.clientY - box.top);
      say(chosen);
      redraw();
    }
  });
view.addEventListener("dblclick", event => {
  const box = canvas.getBoundingClientRect(), one = at(event.clientX - box.left, event.clientY - box.top);
  if (one && one.end > one.begin) look(one.begin - (one.end - one.begin) * .05, one.end + (one.end - one.begin) * .05);
});
view.addEventListener("wheel", event => {
  const box = canvas.getBoundingClientRect();
  if (event.ctrlKey || event.metaKey) zoom(event.deltaY > 0 ? 1.25 : .8, toTime(event.clientX - box.left));
  else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan((event.deltaX || event.deltaY) / wide);
  else return;
  event.preventDefault();
}, { passive: false });
view.addEventListener("scroll", redraw);

// ---- Finding, keys, buttons

// All that can be searched for, in the order of lanes.
function* everything() { for (const lane of lanes) yield* [...lane.rows, lane.moments]; }

function find() {
  let n = 0;
  words = byId("words").value.toLowerCase();
  hits = words ? Uint8Array.from(data.names, (name, i) => `${name}\n${data.from[i] || ""}`.toLowerCase().includes(words)) : null;
  if (hits) for (const series of everything()) for (let i = 0; i < series.n; i++) n += hits[series.tag[i] >> 2];
  byId("found").textContent = words ? `${n.toLocaleString("en")} found` : "";
  redraw();
}

// The match that comes next in time (step 1), or the one before (-1); of those at one time, the next in the order of lanes.
function matchFrom(time, place, step) {
  let best = null, k = 0, bestPlace = 0;
  for (const series of everything()) {
    const same = step * (k - place) > 0; // whether one of exactly that time is yet to come
    let i = step > 0 ? above(series.at, time, 0, series.n) : above(series.at, time, 0, series.n) - 1;
    if (step > 0 && same) while (i > 0 && series.at[i - 1] === time) i--;
    if (step < 0 && !same) while (i >= 0 && series.at[i] === time) i--;
    while (i >= 0 && i < series.n && !hits[series.tag[i] >> 2]) i += step;
    if (i >= 0 && i < series.n && (!best || step * (best.begin - series.at[i]) > 0 || (best.begin === series.at[i] && step < 0))) {
      best = series.one(i);
      bestPlace = k;
    }
    k++;
  }
  return best && Object.assign(best, { place: bestPlace });
}

function next(step) {
  if (!hits) return;
  const now = chosen && chosen.place !== undefined ? chosen : { begin: from, place: -1 };
  const found = matchFrom(now.begin, now.place, step) || matchFrom(step > 0 ? -1 : total + 1, 0, step);
  if (!found) return;
  chosen = found;
  const span = Math.min(to - from, Math.max((chosen.end - chosen.begin) * 4, (to - from) / 16)), middle = (chosen.begin + chosen.end) / 2;
  if (chosen.begin < from || chosen.end > to) look(middle - span / 2, middle + span / 2);
  view.scrollTop = Math.max(0, chosen.lane.top + HEAD + (chosen.depth || 0) * ROW - high / 2);
  say(chosen);
  redraw();
}

const actions = {
  "+": () => zoom(.6), "=": () => zoom(.6), w: () => zoom(.6), "-": () => zoom(1 / .6), s: () => zoom(1 / .6),
  ArrowLeft: () => pan(-.2), a: () => pan(-.2), ArrowRight: () => pan(.2), d: () => pan(.2),
  0: () => look(0, total), n: () => next(1), N: () => next(-1), Escape: () => { byId("words").value = ""; find(); },
};
view.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || !actions[event.key]) return;
  event.preventDefault();
  actions[event.key]();
});
byId("words").addEventListener("input", find);
byId("words").addEventListener("keydown", event => { if (event.key === "Enter") { event.preventDefault(); next(1); } });
byId("tools").addEventListener("submit", event => event.preventDefault());
for (const [id, key] of Object.entries({ in: "+", out: "-", left: "ArrowLeft", right: "ArrowRight", fit: "0", next: "n" }))
  byId(id).addEventListener("click", actions[key]);

// ---- The begin

const number = n => n.toLocaleString("en");
function tellWhatIsThere() {
  byId("said").textContent = data.left_out === 0 ? " All of them are on this page."
    : ` This page holds all of the last ${timeOf(total - data.from_ns)}; before that, only what lasts long: ${number(data.left_out)} events are left out. trace --from DIR --window 2s..5s writes another part of a recording that --keep has kept.`;
}

async function start() {
  if (!window.DecompressionStream) {
    byId("said").textContent = " This browser is too old to unpack the events; the table below holds the longest slices.";
    return;
  }
  byId("said").textContent = " The events are being read.";
  read(await unpacked(byId("events").textContent));
  byId("events").remove();
  join();
  place();
  for (const id of ["tools", "view", "detail", "how"]) byId(id).hidden = false;
  tellWhatIsThere();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", resize);
  new ResizeObserver(resize).observe(view);
  resize();
}
const started = start();
