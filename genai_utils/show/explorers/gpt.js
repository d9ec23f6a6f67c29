// A small GPT that writes in the page: its text, its controls and the chances of the next character. The network itself
// is in network.js, the inside of one of its heads in attention.js.

import { AFTER, Inside } from "./attention.js";
import { button, bytes, element, explorer, number, percent, slider, within } from "./kit.js";
import { NAMES, SIGNS, Writer, complaint, named, quoted, unpack } from "./network.js";

const chance = (p) => (p > 0 && p < 0.001 ? "< 0.1 %" : percent(p, 1));
const chanceNow = (p) => (p > 0 ? chance(p) : "cut");

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

/** A field to type in; a change begins anew. `value` makes a value of its text, `read` one of the address. */
function field(name, node, state, change, { value, read, anew }) {
  node.value = state[name];
  node.addEventListener("input", () => change({ [name]: value(node.value), ...anew }));
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
  const anew = "guesses" in state ? { written: 0, guesses: "" } : { written: 0 };
  const prompt = field("prompt", area, state, change, { value: String, read: readable, anew });
  const input = element("input", { type: "number", min: 0, max: 9999, step: 1 });
  const whole = (said) => within(said, 0, 9999, 1);
  const seed = field("seed", input, state, change, { value: Number, read: whole, anew: { written: 0 } });
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
    Object.assign(this, { network, alphabet, state, change, tabulate, output, speed, next, text, area });
    this.inside = "guesses" in state ? new Inside({ network, alphabet, id }, state, change, tabulate) : null;
    this.controls = [...controls, ...this.inside?.controls ?? []];
    Object.assign(this, { writer: null, frame: 0, painted: 0, drawn: 0, begun: 0, from: 0 });
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.toggle = button("Write", () => this.write(this.busy ? 0 : PORTION));
    const one = button("One character", () => this.write(1));
    const again = button("Start again", () => change({ written: 0 }));
    const told = element("div", { class: "genai-gpt-state" }, output, speed);
    this.nodes = [element("div", {}, ...nodes, this.toggle, one, again, told, text.box), next.root];
    if (this.inside) this.nodes.push(...this.inside.nodes);
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
    this.inside?.draw(!!this.writer);
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
    return [this.chances(), ...this.inside?.tables() ?? []];
  }
  chances() {
    const rows = likely(this.writer.next(this.state)).map(([c, own, now]) => [rowName(c), chance(own), chanceNow(now)]);
    return { caption: "The next character", head: ["", "the model’s own", "after your settings"], rows };
  }
  forget() { this.writer = null; }
  sought(said) { // a link to a head leads there, not to the prompt above it
    return this.inside?.controls.some(({ name }) => name in said) ? this.inside.nodes[0] : undefined;
  }
  stop() { cancelAnimationFrame(this.frame); }
}

function render({ model, el }) {
  const get = (name) => model.get(name), traits = ["prompt", "temperature", "top_k", "top_p", "seed"];
  const network = unpack(bytes(get("weights"), Int8Array), bytes(get("numbers"), Float32Array), get("sizes"));
  const closer = { layer: 0, head: 0, place: network.context, shares: AFTER, guesses: "" }; // the last character looks
  const given = Object.fromEntries(traits.map((name) => [name, get(name)]));
  const start = { ...given, written: 0, ...(get("inside") && closer) };
  const made = { network, alphabet: get("alphabet"), note: get("note") };
  return explorer({ model, el }, "gpt", start, (...page) => new View(made, ...page));
}

export default { render };
