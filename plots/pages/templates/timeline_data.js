"use strict";
// What a time line holds: the numbers in the page, read into arrays (harness/timeline/write/page.c writes them).

const data = JSON.parse(document.getElementById("data").textContent);

// The first index from which on list[i] is above x; the list never falls.
function above(list, x, low, high) {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] > x) high = middle; else low = middle + 1;
  }
  return low;
}

// Slices of one depth, moments, or values of a counter, in the order of their times. `more` is the end of a slice, else a
// value; `tag` is 4 times the number of the name, plus what is missing of a slice.
class Series {
  constructor(lane) { this.lane = lane; this.n = 0; this.resize(16); }
  resize(n) {
    const old = this;
    for (const [key, Kind] of [["at", Float64Array], ["more", Float64Array], ["tag", Uint32Array]]) {
      const list = new Kind(n);
      if (old[key]) list.set(old[key].subarray(0, this.n));
      this[key] = list;
    }
  }
  add(at, more, tag) {
    if (this.n === this.at.length) this.resize(2 * this.n);
    this.at[this.n] = at;
    this.more[this.n] = more;
    this.tag[this.n++] = tag;
  }
  same(i, one) { return one !== null && one.series === this && one.i === i; }
  one(i) {
    const begin = this.at[i], tag = this.tag[i], common = { series: this, i, begin, name: data.names[tag >> 2], from: data.from[tag >> 2], missing: tag & 3, lane: this.lane };
    return this.depth === undefined ? { ...common, end: begin, value: this.more[i] } : { ...common, end: this.more[i], depth: this.depth };
  }
}

// Two series as one.
function merged(a, b) {
  const all = new Series(a.lane);
  all.resize(a.n + b.n);
  for (let i = 0, k = 0; i < a.n || k < b.n;) {
    const from = k === b.n || (i < a.n && a.at[i] <= b.at[k]) ? a : b, at = from === a ? i++ : k++;
    all.add(from.at[at], from.more[at], from.tag[at]);
  }
  return all;
}

// The highest of values i to n: of 16, of 16 times 16, and so on it is known.
const STEP = 16;
function summarize(points) {
  points.peaks = [points.more.subarray(0, points.n)];
  while (points.peaks.at(-1).length > 1) {
    const below = points.peaks.at(-1), peaks = new Float64Array(Math.ceil(below.length / STEP));
    for (let i = 0; i < below.length; i++) if (below[i] > peaks[i / STEP | 0]) peaks[i / STEP | 0] = below[i];
    points.peaks.push(peaks);
  }
  points.most = Math.max(1, points.peaks.at(-1)[0] || 0);
}
function highest(points, i, n) {
  let most = 0, level = 0;
  while (i < n) {
    while (level + 1 < points.peaks.length && i % STEP ** (level + 1) === 0 && i + STEP ** (level + 1) <= n) level++;
    while (level > 0 && i + STEP ** level > n) level--;
    most = Math.max(most, points.peaks[level][i / STEP ** level]);
    i += STEP ** level;
  }
  return most;
}

async function unpacked(text) {
  const letters = atob(text.trim()), bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// What a process was before exec and what it is then is one lane; they come in the order in which they began.
function laneOf(raw) {
  const key = `${raw.pid} ${raw.tid}`;
  if (!byThread.has(key)) {
    byThread.set(key, { rows: [], counters: new Map() });
    lanes.push(byThread.get(key));
    byThread.get(key).moments = new Series(byThread.get(key));
  }
  return Object.assign(byThread.get(key), raw);
}

function rowOf(lane, depth) {
  for (let k = lane.rows.length; k <= depth; k++) {
    lane.rows.push(new Series(lane));
    lane.rows[k].depth = k;
  }
  return lane.rows[depth];
}

function counterOf(lane, name) {
  if (!lane.counters.has(name)) lane.counters.set(name, new Series(lane));
  return lane.counters.get(name);
}

// See harness/timeline/write/page.c.
function read(bytes) {
  let i = 0, lane = null, at = 0, n = 0;
  const number = () => {
    let x = bytes[i++];
    if (x < 128) return x;
    x -= 128;
    for (let scale = 128; ; scale *= 128) {
      const byte = bytes[i++];
      if (byte < 128) return x + byte * scale;
      x += (byte - 128) * scale;
    }
  };
  while (i < bytes.length) {
    const kind = number();
    if (kind === 3) { lane = laneOf(data.lanes[n++]); at = 0; continue; }
    at += number();
    const second = number(), third = number();
    if (kind === 1) lane.moments.add(at, third, second * 4);
    else if (kind === 2) counterOf(lane, data.names[second]).add(at, third, second * 4);
    else rowOf(lane, kind >>> 4).add(at - second, at, third * 4 + (kind >> 2 & 3));
  }
}

// Counters belong to the process: what its threads said becomes one line.
function join() {
  const first = new Map();
  for (const lane of lanes) {
    const home = first.get(lane.pid) || lane;
    first.set(lane.pid, home);
    if (home === lane) continue;
    for (const [name, points] of lane.counters)
      home.counters.set(name, home.counters.has(name) ? merged(home.counters.get(name), points) : Object.assign(points, { lane: home }));
    lane.counters = new Map();
  }
  for (const lane of lanes) for (const points of lane.counters.values()) summarize(points);
}

const lanes = [], byThread = new Map(), total = Math.max(1, data.ns);
