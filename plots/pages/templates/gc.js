"use strict";
// The drawings of a run of collectors, from the numbers in #data. Nothing is measured or computed here but places on the
// page; the last part steps through a small heap of its own.

const data = JSON.parse(document.getElementById("data").textContent);
const MIB = 1048576;

function svg(name, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function put(id, drawing) { document.getElementById(id).replaceChildren(drawing); }

function short(x) { return x >= 1000 ? x.toFixed(0) : String(Number(x.toPrecision(3))); }
function sizeOf(b) { return b >= MIB ? `${short(b / MIB)} MiB` : `${short(b / 1024)} KiB`; }
function timeOf(ns) {
  return ns >= 1e9 ? `${short(ns / 1e9)} s` : ns >= 1e6 ? `${short(ns / 1e6)} ms`
    : ns >= 1e3 ? `${short(ns / 1e3)} µs` : `${short(ns)} ns`;
}

// ---- A frame with two axes

const WIDE = 720, HIGH = 300, LEFT = 70, RIGHT = 14, TOP = 26, BOTTOM = 42;

function scale(from, to, low, high, log) {
  const f = log ? Math.log : x => x;
  return x => low + (high - low) * (f(x) - f(from)) / ((f(to) - f(from)) || 1);
}

function ticks(from, to, log) {
  const found = [];
  if (log) {
    for (let x = 10 ** Math.ceil(Math.log10(from) - 1e-9); x <= to * 1.0001; x *= 10) found.push(x);
    return found;
  }
  const rough = (to - from) / 5, power = 10 ** Math.floor(Math.log10(rough || 1));
  const step = power * [1, 2, 5, 10].find(n => n * power >= rough);
  for (let x = Math.ceil(from / step) * step; x <= to + step * 1e-6; x += step) found.push(x);
  return found;
}

// x, y: { from, to, log, title, show, at: ticks of its own }
function frame(x, y, wide = WIDE, high = HIGH) {
  const toX = scale(x.from, x.to, LEFT, wide - RIGHT, x.log), toY = scale(y.from, y.to, high - BOTTOM, TOP, y.log);
  const root = svg("svg", { viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": `${y.title} by ${x.title}` });
  root.append(svg("path", { class: "axis", d: `M${LEFT} ${TOP}V${high - BOTTOM}H${wide - RIGHT}` }));
  for (const one of x.at || ticks(x.from, x.to, x.log)) {
    root.append(svg("path", { class: "axis", d: `M${toX(one)} ${high - BOTTOM}v5` }),
      svg("text", { x: toX(one), y: high - BOTTOM + 18, "text-anchor": "middle" }, x.show(one)));
  }
  for (const one of y.at || ticks(y.from, y.to, y.log)) {
    root.append(svg("path", { class: "axis", d: `M${LEFT} ${toY(one)}h-5` }),
      svg("text", { x: LEFT - 8, y: toY(one) + 4, "text-anchor": "end" }, y.show(one)));
  }
  root.append(svg("text", { x: LEFT, y: 14 }, y.title),
    svg("text", { x: wide - RIGHT, y: high - 6, "text-anchor": "end" }, x.title));
  return { root, toX, toY };
}

function path(points, toX, toY) {
  return points.map(([x, y], i) => `${i ? "L" : "M"}${toX(x).toFixed(1)} ${toY(y).toFixed(1)}`).join("");
}

// ---- The saw-tooth

function drawSaw() {
  const run = data.saws[document.getElementById("saw-run").value];
  if (!run) return;
  const last = run.cycles[run.cycles.length - 1];
  const end = Math.max(...run.cycles.map(c => c.end_ms)) * Number(document.getElementById("saw-part").value);
  const most = Math.max(...run.cycles.map(c => Math.max(c.goal, c.end)));
  const { root, toX, toY } = frame({ from: 0, to: end || last.end_ms, title: "ms since the heap was built", show: short },
    { from: 0, to: most * 1.05, title: "heap, MiB", show: short });
  const heap = [], goal = [], live = [], low = toY(0);
  root.classList.add(run.collector);
  for (const c of run.cycles) {
    if (c.begin_ms > end) break;
    root.append(svg("rect", { class: "cycle", x: toX(c.begin_ms), y: TOP, width: Math.max(1, toX(c.end_ms) - toX(c.begin_ms)),
      height: low - TOP }, svg("title", {}, c.words)));
    for (const at of [c.begin_ms, c.end_ms]) root.append(svg("path", { class: "stop", d: `M${toX(at)} ${low}v-12` }));
    heap.push([c.begin_ms, c.trigger], [c.end_ms, c.end], [c.end_ms, c.live]);
    goal.push([live.length ? live[live.length - 1][0] : 0, c.goal], [c.end_ms, c.goal]);
    live.push([c.end_ms, c.live]);
    root.append(svg("path", { class: "trigger", d: `M${toX(c.begin_ms)} ${toY(c.trigger) - 5}l4 5-4 5-4-5z` }));
  }
  root.append(svg("path", { class: "goal", d: path(goal, toX, toY) }), svg("path", { class: "live", d: path(live, toX, toY) }),
    svg("path", { class: "line", d: path(heap, toX, toY) }));
  put("saw-chart", root);
}

// ---- Pauses: which share is longer

function drawPauses() {
  if (!data.pauses.length) return;
  const every = data.pauses.flatMap(one => one.points.map(point => point[0])).filter(ns => ns > 0);
  const { root, toX, toY } = frame(
    { from: Math.min(...every), to: Math.max(...every) * 1.3, log: true, title: "time, longer to the right", show: timeOf },
    { from: 1, to: 0.0005, log: true, title: "share that is longer", show: x => `${short(100 * x)} %`, at: [1, 0.1, 0.01, 0.001] });
  for (const one of data.pauses) {
    const points = one.points.filter(point => point[0] > 0).map(([ns, share]) => [ns, Math.max(share, 0.0005)]);
    root.append(svg("g", { class: one.collector }, svg("path", { class: `line ${one.look}`, d: path(points, toX, toY) },
      svg("title", {}, one.name))));
  }
  data.pauses.forEach((one, i) => root.append(svg("g", { class: one.collector }, // above all lines
    svg("text", { class: "name", x: LEFT + 12, y: TOP + 14 + 15 * i },
      `${one.look === "second" ? "- - " : one.look === "marking" ? "· · " : "— "}${one.name}`))));
  put("pauses-chart", root);
}

// ---- Sliders over what was measured

const knobs = { workload: "", gogc: 0, live: 0 };

function here(point) { return point.workload === knobs.workload; }

function drawKnob(id, title, value, model, show, log, names = 446) {
  const live = data.lives[knobs.live], points = data.points.filter(p => here(p) && p.live_b === live);
  const values = points.flatMap(p => [value(p), ...(model ? p.model.map(model) : [])]).filter(y => y > 0);
  if (!values.length) return;
  const { root, toX, toY } = frame(
    { from: data.gogcs[0] * 0.9, to: data.gogcs[data.gogcs.length - 1] * 1.1, log: true, title: "GOGC", show: String, at: data.gogcs },
    { from: log ? Math.min(...values) * 0.8 : 0, to: Math.max(...values) * (log ? 1.3 : 1.08), log, title, show }, 460, 280);
  for (const collector of data.collectors) {
    const group = svg("g", { class: collector });
    for (const p of points.filter(one => one.collector === collector)) {
      const line = model && p.gogc === data.gogcs[0] ? p.model.filter(one => model(one) !== null) : []; // null: not known
      if (line.length)
        group.append(svg("path", { class: "line", d: path(line.map(one => [one.gogc, model(one)]), toX, toY) }));
      group.append(svg("circle", { class: p.gogc === data.gogcs[knobs.gogc] ? "mark chosen" : "mark", cx: toX(p.gogc), cy: toY(value(p)),
        r: p.gogc === data.gogcs[knobs.gogc] ? 6 : 4 }, svg("title", {}, `${collector}, GOGC ${p.gogc}: ${show(value(p))}`)));
    }
    root.append(group, svg("text", { class: `name ${collector}`, x: names, y: TOP + 6 + 15 * data.collectors.indexOf(collector),
      "text-anchor": names > 230 ? "end" : "start" }, collector));
  }
  put(id, root);
}

function row(cells, tag) {
  const line = document.createElement("tr");
  line.append(...cells.map((text, i) => {
    const cell = document.createElement(tag);
    cell.textContent = text;
    if (i === 0) cell.className = "words";
    return cell;
  }));
  return line;
}

function drawKnobs() {
  const gogc = data.gogcs[knobs.gogc], live = data.lives[knobs.live], table = document.createElement("table");
  document.getElementById("knob-gogc-is").textContent = gogc;
  document.getElementById("knob-live-is").textContent = sizeOf(live);
  table.append(row(["", "peak heap", "of the model", "GC CPU", "of the model", "stop p50", "p99", "max"], "th"));
  for (const p of data.points.filter(one => here(one) && one.gogc === gogc && one.live_b === live))
    table.append(row([p.collector, sizeOf(p.peak_b), p.heap_off, `${short(100 * p.share)} %`, p.cpu_off,
      ...p.pauses_ns.map(timeOf)], "td"));
  put("knob-now", table);
  drawKnob("knob-heap", "peak heap, MiB", p => p.peak_b / MIB, m => m.peak_b / MIB, short, false, LEFT + 12);
  drawKnob("knob-cpu", "CPU of collecting, ns for each KiB allocated", p => p.cpu_ns_per_kib, m => m.cpu_ns_per_kib, short, false);
  drawKnob("knob-pause", "stops, p99", p => p.pauses_ns[1], null, timeOf, true);
}

function choices(id, names) {
  const select = document.getElementById(id);
  for (const [value, name] of names) {
    const option = document.createElement("option");
    option.value = value;
    option.textContent = name;
    select.append(option);
  }
  return select;
}

function start() {
  choices("saw-run", data.saws.map((one, i) => [i, one.name])).addEventListener("change", drawSaw);
  document.getElementById("saw-part").addEventListener("change", drawSaw);
  const workload = choices("knob-workload", data.workloads.map(name => [name, name]));
  knobs.workload = workload.value;
  workload.addEventListener("change", () => { knobs.workload = workload.value; drawKnobs(); });
  for (const [name, list] of [["gogc", data.gogcs], ["live", data.lives]]) {
    const slider = document.getElementById(`knob-${name}`);
    slider.max = list.length - 1;
    slider.value = knobs[name] = name === "gogc" ? Math.max(0, list.indexOf(100)) : list.length - 1;
    slider.addEventListener("input", () => { knobs[name] = Number(slider.value); drawKnobs(); });
  }
  drawSaw();
  drawPauses();
  drawKnobs();
}

// ---- A small heap, step by step

// from -> to; objects 24 to 29 are garbage, some of it a circle, some of it pointing to what lives
const EDGES = [[0, 3], [0, 4], [1, 5], [1, 6], [2, 7], [3, 8], [3, 9], [4, 10], [5, 11], [5, 12], [6, 13], [7, 14],
  [7, 15], [8, 16], [9, 17], [10, 18], [11, 19], [12, 20], [13, 21], [14, 22], [15, 23], [24, 25], [25, 26], [26, 24],
  [27, 28], [28, 29], [27, 16]];
const ROOTS = [0, 1, 2], OBJECTS = 30;
const BLACK = 0, GREY = 7, MOVED = 14; // the mutator moves the pointer to MOVED from the one to the other

// The state after `steps` steps. Scanned first in, first out; the mutator runs after two objects are black.
function play(steps, barrier) {
  const state = { colours: Array(OBJECTS).fill("white"), edges: EDGES.map(edge => [...edge, ""]), queue: [], says: "", done: false,
    scanned: 0, phase: "idle" };
  for (let i = 0; i < steps && !state.done; i++) step(state, barrier);
  return state;
}

function shade(state, object) {
  if (state.colours[object] !== "white") return false;
  state.colours[object] = "grey";
  state.queue.push(object);
  return true;
}

function step(state, barrier) {
  if (state.phase === "idle") {
    ROOTS.forEach(root => shade(state, root));
    state.phase = "marking";
    state.says = `First stop: the ${barrier ? "write barrier is on" : "barrier stays off"}, and what the roots point to is grey. The program goes on.`;
  } else if (state.phase === "marking" && state.scanned === 2) {
    state.edges.push([BLACK, MOVED, "fresh"]);
    state.phase = "stored";
    const shaded = barrier && shade(state, MOVED);
    state.says = `The program stores a pointer to ${MOVED} into ${BLACK}, which is black. ` + (shaded
      ? `The barrier shades ${MOVED}: it is grey now.` : `Without a barrier nobody notices: a black object points to a white one.`);
  } else if (state.phase === "stored") {
    state.edges.find(edge => edge[0] === GREY && edge[1] === MOVED)[2] = "cut";
    state.phase = "moved";
    if (barrier) shade(state, MOVED);
    state.says = `It deletes the old pointer, ${GREY} to ${MOVED}. ` + (barrier
      ? `The barrier would shade what the deleted pointer led to, if it were still white.` : `Nothing that is still to be scanned leads to ${MOVED} now.`);
  } else if (state.queue.length) {
    scan(state);
  } else if (state.phase !== "marked") {
    state.phase = "marked";
    state.says = "Second stop: no object is grey, so marking has ended. What is white is taken for garbage.";
  } else {
    sweep(state);
  }
}

function scan(state) {
  const object = state.queue.shift(), found = [];
  for (const [from, to, look] of state.edges)
    if (from === object && look !== "cut" && shade(state, to)) found.push(to);
  state.colours[object] = "black";
  state.scanned++;
  state.says = `${object} is scanned, and black` + (found.length ? `; ${found.join(" and ")} become grey.` : ".");
}

function reachable(state) {
  const seen = new Set(ROOTS);
  for (const object of seen)
    for (const [from, to, look] of state.edges) if (from === object && look !== "cut") seen.add(to);
  return seen;
}

function sweep(state) {
  const live = reachable(state);
  let lost = 0, freed = 0;
  state.colours = state.colours.map((colour, object) => {
    if (colour !== "white") return colour;
    if (live.has(object)) { lost++; return "lost"; }
    freed++;
    return "freed";
  });
  state.done = true;
  state.says = `Swept: ${freed} objects of garbage are free` + (lost
    ? `, and ${lost} that the program can still reach. It has lost them.` : ". Nothing that can be reached was lost.");
}

const COLUMNS = [[0, 1, 2], [3, 4, 5, 6, 7], [8, 9, 10, 11, 12, 13, 14, 15], [16, 17, 18, 19, 20, 21, 22, 23],
  [24, 25, 26, 27, 28, 29]];

function placeOf(object) {
  const column = COLUMNS.findIndex(list => list.includes(object)), list = COLUMNS[column];
  return [90 + 140 * column, 30 + 340 * (list.indexOf(object) + 0.5) / list.length];
}

function edgeOf(from, to, look) {
  const [x1, y1] = from === null ? [20, placeOf(to)[1]] : placeOf(from), [x2, y2] = placeOf(to);
  const length = Math.hypot(x2 - x1, y2 - y1), r = 15;
  const bend = length > 300 ? 40 : 12;
  const x3 = x2 - (x2 - x1) * r / length, y3 = y2 - (y2 - y1) * r / length;
  return svg("path", { class: `edge ${look}`,
    d: `M${x1} ${y1}Q${(x1 + x2) / 2} ${(y1 + y2) / 2 - bend} ${x3} ${y3}` });
}

const steps = { at: 0 };

function drawStep() {
  const barrier = document.getElementById("step-barrier").checked, state = play(steps.at, barrier);
  const root = svg("svg", { viewBox: "0 0 720 390", role: "img", "aria-label": "a heap of thirty objects" });
  root.append(svg("defs", {}, svg("marker", { id: "tip", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 6, markerHeight: 6,
    orient: "auto" }, svg("path", { d: "M0 0L8 4L0 8z", fill: "#888888" }))));
  root.append(svg("text", { x: 4, y: 16 }, "roots"), svg("text", { x: 650, y: 16, "text-anchor": "middle" }, "garbage"));
  for (const object of ROOTS) root.append(edgeOf(null, object, ""));
  for (const [from, to, look] of state.edges) root.append(edgeOf(from, to, look));
  state.colours.forEach((colour, object) => {
    const [x, y] = placeOf(object);
    root.append(svg("g", { class: `node ${colour}`, "data-object": object, "data-colour": colour },
      svg("circle", { cx: x, cy: y, r: 13 }), svg("text", { x, y: y + 4 }, String(object))));
  });
  root.dataset.step = steps.at;
  root.dataset.done = state.done;
  put("step-chart", root);
  document.getElementById("step-says").textContent = steps.at ? `${steps.at}. ${state.says}`
    : "Thirty objects, all white. Pointers go from left to right; the program runs.";
  document.getElementById("step-next").disabled = document.getElementById("step-all").disabled = state.done;
  document.getElementById("step-back").disabled = steps.at === 0;
}

function stepTo(to) {
  steps.at = Math.max(0, to);
  drawStep();
}

function toTheEnd() {
  let n = steps.at;
  while (!play(n, document.getElementById("step-barrier").checked).done) n++;
  stepTo(n);
}

document.getElementById("step-next").addEventListener("click", () => stepTo(steps.at + 1));
document.getElementById("step-back").addEventListener("click", () => stepTo(steps.at - 1));
document.getElementById("step-all").addEventListener("click", toTheEnd);
document.getElementById("step-reset").addEventListener("click", () => stepTo(0));
document.getElementById("step-barrier").addEventListener("change", () => stepTo(0));
for (const form of document.querySelectorAll("form")) form.addEventListener("submit", event => event.preventDefault());
start();
drawStep();
