// The inside of attention: one head of the page's GPT at work on the prompt, one character that looks at a time. The
// reader first guesses where it looks, from its query and the keys; then come scores, shares and values.

import { button, choice, element, number, percent, slider, within } from "./kit.js";
import { SIGNS, emptyCache, forward, look, named, quoted } from "./network.js";

export const AFTER = "after a guess"; // when the shares are shown
const AT_ONCE = "at once";

// --- what is computed ------------------------------------------------------------------------------------------------

/** A text that was read with queries, keys and values of all layers kept. */
export class Reading {
  constructor(model) {
    Object.assign(this, { model, tokens: [], cache: emptyCache(model, ["queries", "keys", "values"]) });
  }

  /** Reads the last tokens that fit; but not again what the text before began with as well: it sees only its past. */
  follow(text) {
    const tokens = text.slice(-this.model.context), { cache } = this;
    const other = tokens.findIndex((token, i) => token !== this.tokens[i]);
    cache.length = other < 0 ? tokens.length : other;
    for (const token of tokens.slice(cache.length)) forward(this.model, cache, token);
    this.tokens = tokens;
  }

  /** What a head computes at a place (all from 0): query; key, value, score and share of each place so far; found. */
  head(layer, head, place) {
    const { width, heads } = this.model, size = width / heads, held = this.cache.held[layer];
    const part = (kind, t) => held[kind].subarray(t * width + head * size, t * width + (head + 1) * size);
    const past = (kind) => Array.from({ length: place + 1 }, (_, t) => part(kind, t)), query = part("queries", place);
    return { query, keys: past("keys"), values: past("values"), ...look(query, held, place, width, head * size) };
  }
}

/** The place with the largest share. */
const largest = (shares) => shares.indexOf(Math.max(...shares));

/** Guesses as an address holds them: "1.0.12.11" is layer, head, place that looks, place guessed, these two from 1. */
export function guessesOf(text, { blocks, heads }, length) {
  const all = text.split("_").map((each) => each.split(".").map(Number));
  const possible = ([layer, head, place, guess]) =>
    layer < blocks.length && head < heads && 1 < place && place <= length && 0 < guess && guess <= place;
  return all.filter((each) => each.length === 4 && possible(each));
}

/** How many guesses hit the largest share, of how many, and how many blind ones would on average. */
export function scored(reading, guesses) {
  const hit = ([layer, head, place, guess]) => largest(reading.head(layer, head, place - 1).shares) === guess - 1;
  const blind = guesses.reduce((sum, [, , place]) => sum + 1 / place, 0);
  return { right: guesses.filter(hit).length, asked: guesses.length, blind };
}

/** The characters that are read, and the one that looks, from 1: the last one where the state says more. */
export function lookerOf({ prompt, place }, { context }) {
  const characters = Array.from(prompt).slice(-context), at = Math.min(place, characters.length);
  return { characters, at, looker: characters[at - 1] ?? "" };
}

// --- pictures --------------------------------------------------------------------------------------------------------

/** Numbers as cells side by side: blue above nought, orange below, full colour at `full`. */
function strip(values, full) {
  const cell = (v, i) => {
    const strength = Math.min(1, Math.abs(v) / full).toFixed(2);
    const end = (k) => `${((100 * k) / values.length).toFixed(2)}%`;
    return `rgb(${v > 0 ? "0 114 178" : "213 94 0"} / ${strength}) ${end(i)} ${end(i + 1)}`;
  };
  const cells = Array.from(values, cell).join(", ");
  return element("i", { class: "genai-att-strip", style: `background-image: linear-gradient(90deg, ${cells})` });
}
const FULL = 2.5; // of queries and keys, whose numbers have a mean square of 1
const sign = (c) => SIGNS[c] ?? c;
const shareOf = (p) => (p < 0.001 ? "< 0.1 %" : percent(p, 1));

/** The numbers of a list, times a share. */
const part = (values, share) => Array.from(values, (v) => v * share);

/** One place: its character and key and, once revealed, score, share and the part of its value that is taken. */
function option(i, character, { keys, values, scores, shares }, full, open) {
  const name = `${i + 1}: ${quoted(character)}`, score = number(scores[i], 2), share = shareOf(shares[i]);
  const bar = element("span", { class: "genai-att-share", style: `--share: ${shares[i].toFixed(4)}` }, share);
  const strips = [strip(keys[i], FULL), ...(open ? [strip(part(values[i], shares[i]), full)] : [])];
  const cells = [element("b", {}, sign(character)), element("span", {}, ...strips)];
  if (open) cells.push(element("span", {}, score), bar);
  const said = open ? `${name}, score ${score}, share ${share}` : name;
  return element("div", { role: "option", class: "genai-att-row", "aria-label": said }, ...cells);
}

/** The text: who looks, what lies behind it, and what it cannot see; with the shares as colour once they are shown. */
function sentence(picture, { characters, at, shares, open, guess, guessed }) {
  const character = (c, i) => {
    const kind = i >= at ? "genai-att-later" : i === at - 1 ? "genai-att-looker" : "";
    const marked = open && guess === i + 1 ? `${kind} genai-att-guess` : kind;
    const style = open && i < at ? `--share: ${shares[i].toFixed(4)}` : "";
    const node = element("span", { class: marked, style }, sign(c));
    if (i < at) node.addEventListener("click", () => guessed(i));
    return node;
  };
  picture.replaceChildren(...characters.map(character));
  const best = open ? [...shares.keys()].sort((a, b) => shares[b] - shares[a]).slice(0, 5) : [];
  const words = best.map((i) => `${i + 1}: ${quoted(characters[i])} ${shareOf(shares[i])}`);
  const said = open ? `It looks most at ${words.join("; ")}.` : "Where it looks is not shown yet.";
  const who = `${quoted(characters[at - 1])}, character ${at} of ${characters.length}, looks back. ${said}`;
  picture.setAttribute("aria-label", who);
}

/** A strip with a caption above it. */
function captioned() {
  const caption = element("span"), picture = element("div", { role: "img" });
  const paint = (words, values, full) => {
    caption.textContent = words;
    picture.setAttribute("aria-label", `${words}: ${values.length} numbers`);
    picture.replaceChildren(...(values.length ? [strip(values, full)] : []));
  };
  return { root: element("div", { class: "genai-att-captioned" }, caption, picture), paint };
}

// --- the view --------------------------------------------------------------------------------------------------------

/** A slider over the characters of the prompt: its right end is the last of them. */
function placeSlider(network, state, change) {
  const written = () => {
    const { characters, at, looker } = lookerOf(state, network);
    return `${quoted(looker)}, ${at} of ${characters.length}`;
  };
  const made = slider(["place", "who looks", 1, network.context, 1, written], state, change);
  const input = made.node.querySelector("input");
  const show = () => {
    input.max = Math.max(1, lookerOf(state, network).characters.length);
    made.show();
  };
  return { ...made, show, read: (said) => within(said, 1, network.context, 1) };
}

function controlsOf(network, state, change) {
  const upTo = (count) => Array.from({ length: count }, (_, i) => [i, String(i)]);
  const shown = [AFTER, AT_ONCE].map((when) => [when, when]);
  const read = (said) => (/^\d+(\.\d+){3}(_\d+(\.\d+){3})*$/.test(said) ? said : undefined);
  return [
    choice(["layer", "layer", upTo(network.blocks.length)], state, change),
    choice(["head", "head", upTo(network.heads)], state, change),
    placeSlider(network, state, change),
    choice(["shares", "shares shown", shown], state, change),
    { name: "guesses", show: () => {}, read },
  ];
}

const ASKED = "Each character asks with its query. The key of each character up to it answers. Which one fits best?";
const TITLES = ["", "key; below, value × share", "q · k / √d", "softmax"];
const CELLS = "A cell is one number: blue above nought, orange below; the stronger, the larger.";

/** The view of a state: layer, head, place that looks, when the shares are shown, and the guesses so far. */
export class Inside {
  constructor({ network, alphabet, id }, state, change, tabulate) {
    Object.assign(this, { network, alphabet, id, state, change, tabulate, reading: new Reading(network), cursor: 0 });
    this.controls = controlsOf(network, state, change);
    this.text = element("div", { role: "img", class: "genai-att-text" });
    this.output = element("output", { "aria-live": "polite" });
    this.nodes = [element("section", { class: "genai-att", "aria-label": "Inside one head" }, this.ask(), this.show())];
  }

  /** The column with the question. */
  ask() {
    const buttons = [button("Previous character", () => this.step(-1)), button("Next character", () => this.step(1))];
    const nodes = this.controls.flatMap(({ node }) => node ?? []), title = element("strong", {}, "Inside one head");
    const asked = element("small", {}, ASKED);
    return element("div", { class: "genai-att-told" }, title, asked, this.text, this.output, ...nodes, ...buttons);
  }

  /** The column with the numbers. */
  show() {
    const box = { role: "listbox", tabindex: 0, class: "genai-att-list", "aria-label": "Where it looks" };
    const [query, product, found] = [captioned(), captioned(), captioned()], list = element("div", box);
    list.addEventListener("keydown", (event) => this.press(event));
    const titles = TITLES.map((words) => element("span", {}, words));
    const top = element("div", { class: "genai-att-row genai-att-titles", "aria-hidden": "true" }, ...titles);
    const side = element("div", {}, query.root, top, list, product.root, found.root, element("small", {}, CELLS));
    Object.assign(this, { query, product, found, list, side });
    return side;
  }

  /** To a character before or after the one that looks, round the ends. */
  step(by) {
    const { characters, at } = lookerOf(this.state, this.network), count = characters.length;
    this.change({ place: at + by < 1 ? count : at + by > count ? 1 : at + by });
  }

  /** readable: whether the network knows all characters of the prompt. */
  draw(readable) {
    this.shown = null;
    if (!readable) return this.clear();
    const { layer, head, shares, prompt } = this.state, { characters, at, looker } = lookerOf(this.state, this.network);
    this.reading.follow(Array.from(prompt, (c) => this.alphabet.indexOf(c)));
    const sight = this.reading.head(layer, head, at - 1);
    const guesses = guessesOf(this.state.guesses, this.network, characters.length);
    const guess = guesses.find((each) => [layer, head, at].every((v, i) => each[i] === v))?.[3];
    const open = at === 1 || shares === AT_ONCE || guess !== undefined;
    this.shown = { ...sight, characters, at, looker, guesses, guess, open, top: largest(sight.shares) };
    this.cursor = open ? this.shown.top : at - 1;
    this.paint();
  }
  clear() {
    for (const node of [this.text, this.list]) node.replaceChildren();
    this.text.setAttribute("aria-label", "No text: the prompt cannot be read");
    this.list.removeAttribute("aria-activedescendant");
    for (const each of [this.query, this.product, this.found]) each.paint("Nothing to show", [], 1);
    this.output.textContent = "Nothing to look at: the prompt cannot be read.";
  }
  paint() {
    const { shown, list } = this, { layer, head } = this.state, who = quoted(shown.looker);
    const full = Math.max(...shown.found.map(Math.abs), 1e-9);
    sentence(this.text, { ...shown, guessed: (i) => this.guess(i) });
    this.query.paint(`Query of ${who} in layer ${layer}, head ${head}`, shown.query, FULL);
    if (shown.open) this.found.paint("What it writes: the values, each times its share, in one sum", shown.found, full);
    else this.found.paint("What it writes: shown after your guess", [], full);
    this.side.classList.toggle("genai-att-open", shown.open);
    list.replaceChildren(...shown.keys.map((_, i) => {
      const node = option(i, shown.characters[i], shown, full, shown.open);
      node.id = `${this.id}-place-${i}`;
      node.addEventListener("click", () => this.guess(i));
      return node;
    }));
    this.output.replaceChildren(...this.words().map((words) => element("span", {}, words)));
    this.mark();
  }

  /** Question or answer, and the score. */
  words() {
    const { at, looker, shares, guess, open, top } = this.shown, score = this.score();
    if (at === 1) return ["The first character sees only itself: there is nothing to guess. ", score];
    const blind = `A blind guess is right in 1 of ${at} (${percent(1 / at)}). `;
    const question = `Which of these ${at} characters does ${quoted(looker)} look at most? Choose one. `;
    if (!open) return [question + blind, score];
    const called = (i) => `${quoted(this.shown.characters[i])} (${i + 1})`;
    const answer = `${called(top)} gets most: ${shareOf(shares[top])}. `;
    if (guess === undefined) return [answer, score];
    const no = `No: you chose ${called(guess - 1)}, ${shareOf(shares[guess - 1])}. `;
    return [guess - 1 === top ? "Right. " : no, answer, score];
  }
  score() {
    const { right, asked, blind } = scored(this.reading, this.shown.guesses);
    return asked ? `Score: ${right} of ${asked} right; blind guesses get ${number(blind, 2)} on average.` : "";
  }

  /** Shows at which place the keys of the keyboard are, and which was guessed. */
  mark() {
    const { list, cursor, shown } = this, nodes = list.children, node = nodes[cursor];
    for (const [i, each] of [...nodes].entries()) {
      each.classList.toggle("genai-att-cursor", i === cursor);
      each.setAttribute("aria-selected", String(i === shown.guess - 1));
    }
    list.setAttribute("aria-activedescendant", node.id);
    this.multiply();
    const above = node.offsetTop, below = above + node.offsetHeight;
    const seen = list.scrollTop <= above && below <= list.scrollTop + list.clientHeight;
    if (!seen) list.scrollTop = below - list.clientHeight / 2;
  }
  /** The marked place, step by step: products of query and key, their sum, its exponential, its share of all. */
  multiply() {
    const { query, keys, scores, shares, characters, open } = this.shown, i = this.cursor;
    if (!open) return this.product.paint("Query × key: shown after your guess", [], 1);
    const two = (v) => number(v, 2), all = scores.reduce((total, v) => total + Math.exp(v), 0), d = query.length;
    const steps = [`sum ${two(scores[i] * Math.sqrt(d))}`, `over √${d}: ${two(scores[i])}`,
      `its exponential ${two(Math.exp(scores[i]))}`, `of ${two(all)} in all: ${shareOf(shares[i])}`].join("; ");
    const products = query.map((q, n) => q * keys[i][n]);
    this.product.paint(`Query × key of ${quoted(characters[i])} (${i + 1}): ${steps}`, products, 4);
  }
  press(event) {
    const { shown, cursor } = this, last = shown ? shown.at - 1 : 0;
    const to = { ArrowDown: cursor + 1, ArrowUp: cursor - 1, Home: 0, End: last }[event.key];
    if (!shown || (to === undefined && !["Enter", " "].includes(event.key))) return;
    event.preventDefault();
    if (to === undefined) return this.guess(cursor);
    this.cursor = Math.min(last, Math.max(0, to));
    this.mark();
    this.tabulate();
  }

  /** A guess counts once; afterwards a click moves the mark. */
  guess(i) {
    const { shown, state } = this;
    if (!shown.open) {
      const own = [state.layer, state.head, shown.at, i + 1].join(".");
      return this.change({ guesses: state.guesses ? `${state.guesses}_${own}` : own });
    }
    this.cursor = i;
    this.mark();
    this.tabulate();
  }

  tables() {
    if (!this.shown) return [];
    const { layer, head } = this.state, { characters, at, looker, scores, shares, open } = this.shown;
    const cells = (i) => (open ? [number(scores[i], 2), shareOf(shares[i])] : ["?", "?"]);
    const rows = characters.slice(0, at).map((c, i) => [`${i + 1} ${named(c)}`, ...cells(i)]);
    const caption = `Layer ${layer}, head ${head}: where ${named(looker)}, character ${at}, looks`;
    return [{ caption, head: ["", "q · k / √d", "share"], rows }, this.vectors()];
  }

  /** Query, key and value of the marked place, and what is written, number by number. */
  vectors() {
    const { cursor } = this, { characters, query, keys, values, found, open } = this.shown;
    const name = `${cursor + 1} ${named(characters[cursor])}`, more = (i) => [values[cursor][i], found[i]];
    const cells = (i) => [query[i], keys[cursor][i], ...(open ? more(i) : [])].map((v) => number(v, 2));
    const rows = Array.from(query, (_, i) => [String(i + 1), ...cells(i), ...(open ? [] : ["?", "?"])]);
    const head = ["", "query", `key of ${name}`, `value of ${name}`, "written"];
    return { caption: "Numbers of the head", head, rows };
  }
}
