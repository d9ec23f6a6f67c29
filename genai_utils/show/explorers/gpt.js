// A small GPT that writes in the page: one token at a time, keys and values of the past kept. Rotary positions, RMS
// norm, normalised queries and keys, squared ReLU, as in genai_utils.models.gpt. Unit-tested against PyTorch.

import { button, bytes, element, explorer, number, percent, slider, within } from "./kit.js";

const EPSILON = 2 ** -23; // what PyTorch adds to a mean square: the resolution of float32
const BASE = 1000; // of the rotary angles

/** 8-bit weights, and float32 scales of their rows and gains of norms, to the matrices of the model, in its order. */
export function unpack(weights, numbers, { vocabulary, context, layers, heads, width }) {
  let w = 0, n = 0;
  const gain = () => numbers.subarray(n, (n += width));
  const matrix = (rows, columns) => {
    const scaled = (_, i) => weights[w + i] * numbers[n + Math.floor(i / columns)];
    const data = Float32Array.from({ length: rows * columns }, scaled);
    w += data.length;
    n += rows;
    return data;
  };
  const tokens = matrix(vocabulary, width);
  const blocks = Array.from({ length: layers }, () => ({
    norm1: gain(), qkv: matrix(3 * width, width), out: matrix(width, width),
    norm2: gain(), up: matrix(4 * width, width), down: matrix(width, 4 * width),
  }));
  const norm = gain(), head = matrix(vocabulary, width), turn = angles(context, width / heads);
  return { tokens, blocks, norm, head, context, heads, width, turn };
}

/** Cosine and sine of the angle of each place and pair of numbers, rounded where PyTorch rounds. */
function angles(context, head) {
  const speeds = Array.from({ length: head / 2 }, (_, i) => Math.fround(BASE ** (-2 * i / head)));
  return Array.from({ length: context }, (_, t) => {
    const turned = speeds.map((speed) => Math.fround(t * speed));
    return { cos: turned.map(Math.cos), sin: turned.map(Math.sin) };
  });
}

/** Matrix times vector; rows by fours, so that four sums grow at once. */
function times(matrix, x) {
  const columns = x.length, rows = matrix.length / columns, y = new Float32Array(rows), fours = rows - (rows % 4);
  for (let row = 0; row < fours; row += 4) {
    let a = 0, b = 0, c = 0, d = 0;
    for (let i = 0, at = row * columns; i < columns; i++, at++) {
      a += matrix[at] * x[i];
      b += matrix[at + columns] * x[i];
      c += matrix[at + 2 * columns] * x[i];
      d += matrix[at + 3 * columns] * x[i];
    }
    y[row] = a; y[row + 1] = b; y[row + 2] = c; y[row + 3] = d;
  }
  for (let row = fours; row < rows; row++) y[row] = dot(matrix, row * columns, x);
  return y;
}

/** Sum of products of x with what stands in an array from a place on. */
function dot(array, at, x) {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += array[at + i] * x[i];
  return sum;
}

/** Vector over the root of its mean square; times a gain, if there is one. */
function normed(x, gain) {
  const scale = 1 / Math.sqrt(dot(x, 0, x) / x.length + EPSILON), y = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) y[i] = x[i] * scale * (gain ? gain[i] : 1);
  return y;
}

/** Turn the pairs (x_i, x_{i + half}) of one head by the angles of its place. */
function turned(x, { cos, sin }) {
  const half = x.length / 2, y = new Float32Array(x.length);
  for (let i = 0; i < half; i++) {
    y[i] = x[i] * cos[i] - x[i + half] * sin[i];
    y[i + half] = x[i + half] * cos[i] + x[i] * sin[i];
  }
  return y;
}

/** Exponentials that sum to 1. */
export function softmax(scores) {
  const p = new Float64Array(scores.length);
  let top = -Infinity, sum = 0;
  for (const v of scores) if (v > top) top = v;
  for (let i = 0; i < p.length; i++) sum += p[i] = Math.exp(scores[i] - top);
  for (let i = 0; i < p.length; i++) p[i] /= sum;
  return p;
}

/** One head: its query looks at the keys of places 0..place and takes from their values; written into out. */
function look(query, keys, values, place, width, at, out) {
  const size = query.length, scores = new Float64Array(place + 1);
  for (let t = 0; t <= place; t++) scores[t] = dot(keys, t * width + at, query) * size ** -0.5;
  const shares = softmax(scores), gathered = new Float64Array(size);
  for (let t = 0; t <= place; t++) for (let i = 0; i < size; i++) gathered[i] += shares[t] * values[t * width + at + i];
  out.set(gathered, at);
}

/** Attention of the token at a place; its key and value join those held. */
function attend(qkv, { keys, values }, place, { width, heads, turn }) {
  const head = width / heads, out = new Float32Array(width);
  const straight = (at) => turned(normed(qkv.subarray(at, at + head)), turn[place]);
  values.set(qkv.subarray(2 * width), place * width);
  for (let at = 0; at < width; at += head) {
    keys.set(straight(width + at), place * width + at);
    look(straight(at), keys, values, place, width, at, out);
  }
  return out;
}

/** Room for the keys and values of a context. */
export function emptyCache({ blocks, context, width }) {
  const room = () => new Float32Array(context * width);
  return { length: 0, held: blocks.map(() => ({ keys: room(), values: room() })) };
}

/** Read one token; returns the logits of the one after it. */
export function forward(model, cache, token) {
  const place = cache.length++, x = model.tokens.slice(token * model.width, (token + 1) * model.width);
  const add = (y) => { for (let i = 0; i < x.length; i++) x[i] += y[i]; };
  model.blocks.forEach((block, layer) => {
    add(times(block.out, attend(times(block.qkv, normed(x, block.norm1)), cache.held[layer], place, model)));
    const inner = times(block.up, normed(x, block.norm2));
    for (let i = 0; i < inner.length; i++) inner[i] = inner[i] > 0 ? inner[i] * inner[i] : 0;
    add(times(block.down, inner));
  });
  return times(model.head, normed(x, model.norm));
}

/** A text that goes on; only the last `context` tokens of the prompt are read. */
export function begin(model, prompt) {
  const start = Math.max(0, prompt.length - model.context); // what lies before is never read
  return { model, tokens: [...prompt], start, cache: emptyCache(model), logits: null };
}
const unread = (text) => text.tokens.length - text.start - text.cache.length;

/** Read one token that was not read yet.  Returns: whether all are read, so that `logits` are those of the next. */
export function read(text) {
  if (unread(text)) text.logits = forward(text.model, text.cache, text.tokens[text.start + text.cache.length]);
  return !unread(text);
}

/** Write a token. When the context is full, all but its last half is forgotten. */
export function append(text, token) {
  const { context } = text.model;
  text.tokens.push(token);
  if (text.tokens.length - text.start <= context) return;
  text.start = text.tokens.length - Math.max(1, context >> 1);
  text.cache.length = 0;
}

/** Indices of numbers, largest first. */
export const ranked = (values) => Array.from(values.keys()).sort((a, b) => values[b] - values[a]);

/** Chance of each token: logits over the temperature, then the k most likely, then the fewest with a share p. */
export function probabilities(logits, { temperature, top_k, top_p }) {
  const order = ranked(logits);
  if (temperature === 0) return Array.from(logits, (_, i) => +(i === order[0]));
  const least = logits[order[Math.min(top_k, order.length) - 1]];
  const scores = Array.from(logits, (v) => (v < least ? -Infinity : v / temperature));
  if (top_p >= 1) return softmax(scores);
  const p = softmax(scores);
  let before = 0;
  for (const i of order) {
    if (before >= top_p) scores[i] = -Infinity;
    before += p[i];
  }
  return softmax(scores);
}

/** A random number in [0, 1) that depends on seed and place alone (the generator mulberry32). */
export function draw(seed, place) {
  let t = (Math.imul(seed, 0x9e3779b1) + Math.imul(place + 1, 0x6d2b79f5)) | 0;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

/** The token on which u falls when the chances lie side by side, in this order. */
export function pick(p, order, u) {
  const possible = order.filter((i) => p[i] > 0);
  let sum = 0;
  return possible.find((i) => (sum += p[i]) > u) ?? possible[possible.length - 1];
}

/** Characters of a prompt that are not in the alphabet, each once. */
export const strangers = (prompt, alphabet) => [...new Set(prompt)].filter((c) => !alphabet.includes(c));

// --- words -----------------------------------------------------------------------------------------------------------

const NAMES = { " ": "space", "\n": "new line", "\t": "tab" };
const SIGNS = { " ": "␣", "\n": "↵" };
const named = (c) => NAMES[c] ?? c;
const quoted = (c) => NAMES[c] ?? `“${c}”`;
const chance = (p) => (p > 0 && p < 0.001 ? "< 0.1 %" : percent(p, 1));
const chanceNow = (p) => (p > 0 ? chance(p) : "cut");

/** The alphabet in words: long runs are shortened to their ends. */
export function inWords(alphabet) {
  const runs = [];
  for (const c of alphabet) {
    const run = runs.at(-1);
    if (run && /[A-Za-z0-9]/.test(c) && c.charCodeAt(0) === run.at(-1).charCodeAt(0) + 1) run.push(c);
    else runs.push([c]);
  }
  return runs.flatMap((run) => (run.length > 2 ? `${run[0]} to ${run.at(-1)}` : run.map(named))).join(" ");
}

/** What to tell about a prompt that the model cannot read; nothing if it can. */
export function complaint(prompt, alphabet) {
  if (!prompt) return "The prompt is empty. Write at least one character: the model continues a text.";
  const strange = strangers(prompt, alphabet).slice(0, 8).map(quoted);
  return strange.length ? `The model does not know ${strange.join(", ")}. It knows: ${inWords(alphabet)}` : "";
}

/** A text that is written to an end: so many characters, one step of work at a time. */
export class Writer {
  constructor(network, alphabet, prompt, seed) {
    Object.assign(this, { alphabet, prompt, seed, wanted: 0 });
    this.text = begin(network, Array.from(prompt, (c) => alphabet.indexOf(c)));
    this.before = this.text.tokens.length;
  }
  get written() { return this.text.tokens.length - this.before; }
  get ready() { return !unread(this.text); }
  get chance() { return draw(this.seed, this.text.tokens.length); } // the random number of the next character

  /** Reads one token; before it, writes one if all are read. Returns whether there is more to do. */
  step(settings) {
    const { text } = this;
    if (this.ready && this.written < this.wanted) {
      append(text, pick(probabilities(text.logits, settings), ranked(text.logits), this.chance));
    }
    return !read(text) || this.written < this.wanted;
  }
  since(token) { return this.text.tokens.slice(token).map((each) => this.alphabet[each]).join(""); }

  /** What comes next: chances before and after the settings, in what order, and the character that will be drawn. */
  next(settings) {
    const own = softmax(this.text.logits), now = probabilities(this.text.logits, settings), order = ranked(own);
    const name = (i) => this.alphabet[i], hit = pick(now, order, this.chance);
    return { own, now, order, hit, u: this.chance, name, cut: now.filter((p) => p === 0).length };
  }
}

// --- the picture of the next character -------------------------------------------------------------------------------

const SHOWN = 10; // characters with a bar of their own

/** The most likely characters and all others in one: [characters, chance before, chance after the settings]. */
function likely({ own, now, order, name }) {
  const rows = order.slice(0, SHOWN).map((i) => [name(i), own[i], now[i]]), others = order.slice(SHOWN);
  const sum = (p) => others.reduce((total, i) => total + p[i], 0);
  return others.length ? [...rows, [others.length, sum(own), sum(now)]] : rows;
}

/** A character, or how many others, in words. */
const rowName = (c) => (typeof c === "string" ? named(c) : `${c} other${c > 1 ? "s" : ""}`);

function rowHead(c) {
  if (typeof c !== "string") return rowName(c);
  return NAMES[c] ? `${SIGNS[c] ?? c} ${named(c)}` : element("code", {}, c);
}

/** One character: its name, its chance before (outline) and after the settings (filled). */
function row([c, own, now]) {
  const bar = (kind, share) => element("i", { class: `genai-gpt-${kind}`, style: `--share: ${share.toFixed(4)}` });
  const track = element("span", { class: "genai-gpt-track" }, bar("own", own), bar("now", now));
  const texts = [chance(own), chanceNow(now)].map((text) => element("span", {}, text));
  const kind = now > 0 ? "genai-gpt-row" : "genai-gpt-row genai-gpt-cut";
  return element("span", { class: kind }, element("b", {}, rowHead(c)), track, ...texts);
}

/** All chances side by side, and a needle where the random number falls. */
function strip({ order, now, u, hit, name }) {
  const parts = order.filter((i) => now[i] > 0).map((i) => {
    const attributes = { style: `--share: ${now[i].toFixed(4)}`, ...(i === hit && { class: "genai-gpt-hit" }) };
    return element("span", attributes, now[i] > 0.05 ? SIGNS[name(i)] ?? name(i) : "");
  });
  return element("span", { class: "genai-gpt-draw" }, ...parts, element("i", { style: `--share: ${u.toFixed(4)}` }));
}

/** Bars of the most likely, one for all others, and the draw. */
function paintNext(picture, next, { temperature, top_k, top_p }) {
  const set = `Temperature ${number(temperature, 2)}, top-k ${top_k} and top-p ${number(top_p, 2)}`;
  const said = `${set} cut ${next.cut} of ${next.own.length} characters. The random number ${number(next.u, 3)} picks `;
  const hit = quoted(next.name(next.hit)), rows = likely(next);
  picture.replaceChildren(...rows.map(row), strip(next), element("small", {}, said, element("b", {}, hit), "."));
  const words = rows.slice(0, SHOWN).map(([c, own, now]) => `${named(c)} ${chance(own)}, now ${chanceNow(now)}`);
  picture.setAttribute("aria-label", `Chances of the next character: ${words.join("; ")}. ${said}${hit}.`);
}

function buildNext(note) {
  const picture = element("div", { role: "img" });
  const key = (kind, text) => element("span", {}, element("i", { class: `genai-gpt-key ${kind}` }), text);
  const both = [key("", "the model’s own"), key("genai-gpt-solid", "after your settings")];
  const explained = "In the long box: all chances side by side. A random number, made from the seed, falls on one.";
  const root = element("div", {}, element("strong", {}, "The next character"),
    element("div", { class: "genai-keys", "aria-hidden": "true" }, ...both), picture,
    element("small", {}, explained), element("small", {}, note));
  const clear = () => {
    picture.replaceChildren();
    picture.setAttribute("aria-label", "No chances: the prompt cannot be read");
  };
  return { root, clear, paint: (next, settings) => paintNext(picture, next, settings) };
}

// --- the text and the controls ---------------------------------------------------------------------------------------

/** Text as nodes; a mark before each line break shows it. */
function lines(text) {
  const broken = (line) => [element("span", { class: "genai-gpt-newline" }), `\n${line}`];
  return text.split("\n").flatMap((line, i) => (i ? broken(line) : [line]));
}

function buildText() {
  const prompt = element("span"), grown = element("mark"), caret = element("span", { class: "genai-gpt-caret" });
  const attributes = { class: "genai-gpt-text", role: "group", "aria-label": "Text so far", tabindex: 0 };
  const box = element("div", attributes, prompt, grown, caret);
  const reset = (text) => {
    prompt.replaceChildren(...lines(text));
    grown.replaceChildren();
    box.scrollTop = 0;
  };
  const grow = (text) => {
    grown.append(...lines(text));
    box.scrollTop = box.scrollHeight;
  };
  return { box, reset, grow };
}

/** A field to type in; a change begins a new text. `value` makes a value of its text, `read` one of the address. */
function field(name, node, state, change, { value, read }) {
  node.value = state[name];
  node.addEventListener("input", () => change({ [name]: value(node.value), written: 0 }));
  const show = () => { // "04" may stay, on its way to 4
    if (value(node.value) !== state[name]) node.value = state[name];
  };
  return { name, node, show, read };
}

const MOST = 2000; // characters that an address may ask for
const PORTION = 400; // characters that "Write" writes
const BUDGET = 8; // milliseconds of work in a frame, of the 16 it has
const PAUSE = 250; // milliseconds between two pictures of the bars while the text grows: four a second do not flicker
let widgets = 0;

function controlsOf(alphabet, id, state, change) {
  const area = element("textarea", { rows: 3, spellcheck: "false", autocapitalize: "off", "aria-describedby": id });
  const readable = (said) => (said && !complaint(said, alphabet) ? said : undefined);
  const prompt = field("prompt", area, state, change, { value: String, read: readable });
  const input = element("input", { type: "number", min: 0, max: 9999, step: 1 });
  const seed = field("seed", input, state, change, { value: Number, read: (said) => within(said, 0, 9999, 1) });
  const all = (v, most, text) => (v < most ? text : "all"), size = alphabet.length;
  const sliders = [
    ["temperature", "temperature", 0, 2, 0.01, (v) => number(v, 2)],
    ["top_k", "top-k", 1, size, 1, (v) => all(v, size, String(v))],
    ["top_p", "top-p", 0.01, 1, 0.01, (v) => all(v, 1, number(v, 2))],
  ].map((row) => slider(row, state, change));
  const nodes = [
    element("label", { class: "genai-gpt-prompt" }, "Prompt", area), ...sliders.map(({ node }) => node),
    element("label", {}, element("span", {}, "seed"), input),
  ];
  const written = { name: "written", show: () => {}, read: (said) => within(said, 0, MOST, 1) };
  return { nodes, area, controls: [prompt, ...sliders, seed, written] };
}

/**
 * The view: it draws a state (prompt, seed, settings, and how many characters are written after the prompt). The text
 * grows towards it frame by frame; a prompt or a seed of another kind, or fewer characters, begin anew.
 */
class View {
  constructor({ network, alphabet, note }, state, change, tabulate) {
    const id = `genai-gpt-${++widgets}`, speed = element("span");
    const output = element("output", { "aria-live": "polite", id });
    const next = buildNext(note), text = buildText();
    const { nodes, area, controls } = controlsOf(alphabet, id, state, change);
    Object.assign(this, { network, alphabet, state, change, tabulate, output, speed, next, text, area, controls });
    Object.assign(this, { writer: null, frame: 0, painted: 0, drawn: 0, begun: 0, from: 0 });
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.toggle = button("Write", () => this.write(this.busy ? 0 : PORTION));
    const one = button("One character", () => this.write(1));
    const again = button("Start again", () => change({ written: 0 }));
    const told = element("div", { class: "genai-gpt-state" }, output, speed);
    this.nodes = [element("div", {}, ...nodes, this.toggle, one, again, told, text.box), next.root];
  }
  get busy() { return !!this.writer && this.writer.written < this.writer.wanted; }

  /** Asks for so many characters more than there are. */
  write(count) {
    this.change({ written: this.writer ? this.writer.written + count : 0 });
  }
  say(words) {
    if (this.output.textContent !== words) this.output.textContent = words; // the same is not said twice
  }

  draw() {
    const { prompt, seed, written } = this.state, { writer } = this;
    if (!writer || writer.prompt !== prompt || writer.seed !== seed || writer.written > written) this.restart();
    if (!this.writer) return;
    if (this.writer.wanted !== written) this.begin(written);
    this.paintBars();
    this.frame ||= requestAnimationFrame(() => this.work());
  }
  restart() {
    const { prompt, seed } = this.state, trouble = complaint(prompt, this.alphabet);
    this.writer = trouble ? null : new Writer(this.network, this.alphabet, prompt, seed);
    this.painted = this.writer?.before;
    this.area.setAttribute("aria-invalid", String(!!trouble));
    this.speed.textContent = "";
    this.text.reset(trouble ? "" : prompt);
    if (trouble) this.next.clear();
    this.say(trouble || "Ready: nothing is written yet.");
  }
  begin(written) {
    Object.assign(this, { begun: performance.now(), from: this.writer.written, drawn: 0 });
    this.writer.wanted = written;
    this.toggle.textContent = this.busy ? "Stop" : "Write";
    if (this.busy) this.say("Writing.");
  }

  /** The work of a frame. */
  work() {
    this.frame = 0;
    if (!this.writer) return;
    const now = performance.now();
    let more = true;
    while (more && performance.now() < now + BUDGET) more = this.writer.step(this.state);
    const waits = more && now - this.drawn < PAUSE;
    if (!(this.calm.matches && waits)) this.paintText();
    if (!waits) {
      this.paintBars();
      this.tabulate();
      this.drawn = now;
    }
    if (more) this.frame = requestAnimationFrame(() => this.work());
    else this.rest();
  }
  rest() {
    const { written } = this.writer;
    this.toggle.textContent = "Write";
    if (written) this.say(`Wrote ${written} ${written === 1 ? "character" : "characters"}.`);
  }
  paintBars() {
    if (!this.writer.ready) return;
    this.next.paint(this.writer.next(this.state), this.state);
  }
  paintText() {
    const { writer } = this, seconds = (performance.now() - this.begun) / 1000, count = writer.written - this.from;
    this.text.grow(writer.since(this.painted));
    this.painted = writer.text.tokens.length;
    if (count > 1) this.speed.textContent = `${Math.round(count / seconds)} characters a second`;
  }
  tables() {
    if (!this.writer?.ready) return [];
    const rows = likely(this.writer.next(this.state)).map(([c, own, now]) => [rowName(c), chance(own), chanceNow(now)]);
    return [{ caption: "The next character", head: ["", "the model’s own", "after your settings"], rows }];
  }
  forget() { this.writer = null; }
  stop() { cancelAnimationFrame(this.frame); }
}

function render({ model, el }) {
  const get = (name) => model.get(name), traits = ["prompt", "temperature", "top_k", "top_p", "seed"];
  const network = unpack(bytes(get("weights"), Int8Array), bytes(get("numbers"), Float32Array), get("sizes"));
  const start = { ...Object.fromEntries(traits.map((name) => [name, get(name)])), written: 0 };
  const made = { network, alphabet: get("alphabet"), note: get("note") };
  return explorer({ model, el }, "gpt", start, (...page) => new View(made, ...page));
}

export default { render };
