// A small GPT that writes in the page: one token at a time, keys and values of the past kept. Rotary positions, RMS
// norm, normalised queries and keys, squared ReLU, as in genai_utils.models.gpt. Unit-tested against PyTorch.

const EPSILON = 2 ** -23; // what PyTorch adds to a mean square: the resolution of float32
const BASE = 1000; // of the rotary angles

/** 8-bit weights, and float32 scales of their rows and gains of norms, to the matrices of the model, in its order. */
export function unpack(weights, numbers, { vocabulary, context, layers, heads, width }) {
  let w = 0, n = 0;
  const gain = () => numbers.subarray(n, (n += width));
  const matrix = (rows, columns) => {
    const data = Float32Array.from({ length: rows * columns }, (_, i) => weights[w + i] * numbers[n + Math.floor(i / columns)]);
    w += data.length;
    n += rows;
    return data;
  };
  const tokens = matrix(vocabulary, width);
  const blocks = Array.from({ length: layers }, () => ({
    norm1: gain(), qkv: matrix(3 * width, width), out: matrix(width, width),
    norm2: gain(), up: matrix(4 * width, width), down: matrix(width, 4 * width),
  }));
  return { tokens, blocks, norm: gain(), head: matrix(vocabulary, width), context, heads, width, turn: angles(context, width / heads) };
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
  return { model, tokens: [...prompt], start: Math.max(0, prompt.length - model.context), cache: emptyCache(model), logits: null };
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
export function probabilities(logits, { temperature, topK, topP }) {
  const order = ranked(logits);
  if (temperature === 0) return Array.from(logits, (_, i) => +(i === order[0]));
  const least = logits[order[Math.min(topK, order.length) - 1]];
  const scores = Array.from(logits, (v) => (v < least ? -Infinity : v / temperature));
  if (topP >= 1) return softmax(scores);
  const p = softmax(scores);
  let before = 0;
  for (const i of order) {
    if (before >= topP) scores[i] = -Infinity;
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

// --- the widget -------------------------------------------------------------------------------------------------------

const BUDGET = 8; // milliseconds of work in a frame, of the 16 it has
const PORTION = 400; // characters that "Write" writes
const SHOWN = 10; // characters with a bar of their own
const PAUSE = 250; // milliseconds between two pictures of the bars while the text grows: four a second do not flicker
const NAMES = { " ": "space", "\n": "new line", "\t": "tab" };
let widgets = 0;

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}
const named = (c) => NAMES[c] ?? c;
const quoted = (c) => NAMES[c] ?? `“${c}”`;
const percent = (p) => (p > 0 && p < 0.001 ? "< 0.1 %" : `${(100 * p).toFixed(1)} %`);

/** The alphabet in words: long runs are shortened to their ends. */
export function inWords(alphabet) {
  const runs = [];
  for (const c of alphabet) {
    const run = runs[runs.length - 1];
    if (run && /[A-Za-z0-9]/.test(c) && c.charCodeAt(0) === run[run.length - 1].charCodeAt(0) + 1) run.push(c);
    else runs.push([c]);
  }
  return runs.flatMap((run) => (run.length > 2 ? `${run[0]} to ${run[run.length - 1]}` : run.map(named))).join(" ");
}

/** What to tell about a prompt that the model cannot read; nothing if it can. */
export function complaint(prompt, alphabet) {
  if (!prompt) return "The prompt is empty. Write at least one character: the model continues a text.";
  const strange = strangers(prompt, alphabet);
  return strange.length ? `The model does not know ${strange.slice(0, 8).map(quoted).join(", ")}. It knows: ${inWords(alphabet)}` : "";
}

/** Text as nodes; a mark before each line break shows it. */
function lines(text) {
  return text.split("\n").flatMap((line, i) => (i ? [element("span", { class: "genai-gpt-newline" }), `\n${line}`] : [line]));
}

/** One character: its name, its chance before (outline) and after the settings (filled). */
function row(name, own, now) {
  const bar = (kind, share) => element("i", { class: `genai-gpt-${kind}`, style: `--share: ${share.toFixed(4)}` });
  const track = element("span", { class: "genai-gpt-track" }, bar("own", own), bar("now", now));
  const attributes = { class: now > 0 ? "genai-gpt-row" : "genai-gpt-row genai-gpt-cut" };
  return element("span", attributes, element("b", {}, name), track, element("span", {}, percent(own)), element("span", {}, now > 0 ? percent(now) : "cut"));
}

/** All chances side by side, and a needle where the random number falls. */
function strip(order, now, u, hit, alphabet) {
  const parts = order.filter((i) => now[i] > 0).map((i) => {
    const attributes = { style: `--share: ${now[i].toFixed(4)}`, ...(i === hit && { class: "genai-gpt-hit" }) };
    return element("span", attributes, now[i] > 0.05 ? { " ": "␣", "\n": "↵" }[alphabet[i]] ?? alphabet[i] : "");
  });
  return element("span", { class: "genai-gpt-draw" }, ...parts, element("i", { style: `--share: ${u.toFixed(4)}` }));
}

/** The picture of the next character: bars of the most likely, one for all others, and the draw. */
function paintNext(picture, { alphabet, logits, settings, u }) {
  const own = softmax(logits), now = probabilities(logits, settings), order = ranked(own);
  const top = order.slice(0, SHOWN), others = order.slice(SHOWN), sum = (p) => others.reduce((total, i) => total + p[i], 0);
  const hit = pick(now, order, u), cut = now.filter((p) => p === 0).length;
  const label = (i) => element("code", {}, { " ": "␣", "\n": "↵" }[alphabet[i]] ?? alphabet[i]);
  const rows = top.map((i) => row(NAMES[alphabet[i]] ? `${label(i).textContent} ${named(alphabet[i])}` : label(i), own[i], now[i]));
  if (others.length) rows.push(row(others.length > 1 ? `${others.length} others` : "1 other", sum(own), sum(now)));
  const set = `Temperature ${settings.temperature.toFixed(2)}, top-k ${settings.topK} and top-p ${settings.topP.toFixed(2)}`;
  const said = `${set} cut ${cut} of ${alphabet.length} characters. The random number ${u.toFixed(3)} picks `;
  picture.replaceChildren(...rows, strip(order, now, u, hit, alphabet), element("small", {}, said, element("b", {}, quoted(alphabet[hit])), "."));
  const words = top.map((i) => `${named(alphabet[i])} ${percent(own[i])}, now ${now[i] > 0 ? percent(now[i]) : "cut"}`).join("; ");
  picture.setAttribute("aria-label", `Chances of the next character: ${words}. ${said}${quoted(alphabet[hit])}.`);
}

function numbers(view, Kind) {
  return new Kind(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength)); // a copy starts aligned
}

/** A slider with its number; `told` says the number in words. */
function slider(name, range, value, told, change) {
  const input = element("input", { type: "range", ...range }), shown = element("span", { class: "genai-gpt-number", "aria-hidden": "true" });
  input.value = value;
  const tell = () => { shown.textContent = told(+input.value); input.setAttribute("aria-valuetext", shown.textContent); };
  input.addEventListener("input", () => { tell(); change(+input.value); });
  tell();
  return element("label", {}, element("span", {}, name), input, shown);
}

const button = (name, act) => {
  const node = element("button", { type: "button" }, name);
  node.addEventListener("click", act);
  return node;
};

function buildNext(note) {
  const picture = element("div", { role: "img" });
  const key = (kind, text) => element("span", {}, element("i", { class: `genai-gpt-key ${kind}` }), text);
  const keys = element("div", { class: "genai-gpt-keys", "aria-hidden": "true" }, key("", "the model’s own"), key("genai-gpt-solid", "after your settings"));
  const explained = "In the long box: all chances side by side. A random number, made from the seed, falls on one of them.";
  const root = element("div", {}, element("strong", {}, "The next character"), keys, picture, element("small", {}, explained), element("small", {}, note));
  const clear = () => { picture.replaceChildren(); picture.setAttribute("aria-label", "No chances: the prompt cannot be read"); };
  return { root, picture, clear };
}

function buildText() {
  const prompt = element("span"), grown = element("mark");
  const box = element("div", { class: "genai-gpt-text", role: "group", "aria-label": "Text so far", tabindex: 0 }, prompt, grown, element("span", { class: "genai-gpt-caret" }));
  return {
    box,
    reset: (text) => { prompt.replaceChildren(...lines(text)); grown.replaceChildren(); box.scrollTop = 0; },
    grow: (text) => { grown.append(...lines(text)); box.scrollTop = box.scrollHeight; },
  };
}

function render({ model, el }) {
  const get = (name) => model.get(name), alphabet = get("alphabet");
  const network = unpack(numbers(get("weights"), Int8Array), numbers(get("numbers"), Float32Array), get("sizes"));
  const settings = { temperature: get("temperature"), topK: get("top_k"), topP: get("top_p") };
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  // text: null while the prompt cannot be read. wanted: characters still to write. painted: tokens in the box.
  const state = { text: null, seed: get("seed"), wanted: 0, written: 0, since: 0, painted: 0, drawn: 0, frame: 0 };

  const id = `genai-gpt-${++widgets}`;
  const prompt = element("textarea", { rows: 3, spellcheck: "false", autocapitalize: "off", "aria-describedby": id });
  prompt.value = get("prompt");
  const output = element("output", { "aria-live": "polite", id }), speed = element("span");
  const next = buildNext(get("note")), box = buildText();
  const say = (words) => { if (output.textContent !== words) output.textContent = words; }; // the same is not said twice

  const paintBars = () => {
    if (!state.text || unread(state.text)) return;
    const u = draw(state.seed, state.text.tokens.length);
    paintNext(next.picture, { alphabet, logits: state.text.logits, settings, u });
  };
  const paintText = () => {
    box.grow(state.text.tokens.slice(state.painted).map((token) => alphabet[token]).join(""));
    state.painted = state.text.tokens.length;
    const seconds = (performance.now() - state.since) / 1000;
    if (state.written > 1) speed.textContent = `${Math.round(state.written / seconds)} characters a second`;
  };
  /** One step of work, one token to read; before it, a token is written if all were read. Says whether there is more. */
  const step = () => {
    const { text } = state;
    if (!unread(text) && state.wanted) {
      const p = probabilities(text.logits, settings);
      append(text, pick(p, ranked(text.logits), draw(state.seed, text.tokens.length)));
      state.wanted -= 1;
      state.written += 1;
    }
    return !read(text) || state.wanted > 0;
  };
  const tick = () => {
    const until = performance.now() + BUDGET;
    let more = true;
    while (more && performance.now() < until) more = step();
    const waits = more && performance.now() - state.drawn < PAUSE;
    if (!(calm.matches && waits)) paintText();
    if (!waits) {
      paintBars();
      state.drawn = performance.now();
    }
    state.frame = more ? requestAnimationFrame(tick) : 0;
    if (!more) rest();
  };
  const work = () => { state.frame ||= requestAnimationFrame(tick); };
  const rest = () => {
    toggle.textContent = "Write";
    if (state.written) say(`Wrote ${state.written} ${state.written === 1 ? "character" : "characters"}.`);
  };

  const restart = () => {
    const trouble = complaint(prompt.value, alphabet);
    prompt.setAttribute("aria-invalid", String(!!trouble));
    Object.assign(state, { text: null, wanted: 0, written: 0 });
    cancelAnimationFrame(state.frame);
    state.frame = 0;
    toggle.textContent = "Write";
    speed.textContent = "";
    box.reset(trouble ? "" : prompt.value);
    if (trouble) next.clear();
    say(trouble || "Ready: nothing is written yet.");
    if (trouble) return;
    state.text = begin(network, Array.from(prompt.value, (c) => alphabet.indexOf(c)));
    state.painted = state.text.tokens.length;
    work();
  };
  const write = (count) => {
    if (!state.text) return restart(); // says again what is wrong
    Object.assign(state, { wanted: count, written: 0, since: performance.now(), drawn: 0 });
    work();
  };
  const toggle = button("Write", () => {
    if (state.wanted) { state.wanted = 0; return; }
    write(PORTION);
    if (state.wanted) { toggle.textContent = "Stop"; say("Writing."); }
  });
  const buttons = element("div", { class: "genai-gpt-buttons" }, toggle, button("One character", () => write(1)), button("Start again", restart));

  const set = (name) => (value) => { settings[name] = value; paintBars(); };
  const seed = element("input", { type: "number", min: 0, max: 9999, step: 1 });
  seed.value = state.seed;
  seed.addEventListener("input", () => { state.seed = +seed.value; restart(); });
  prompt.addEventListener("input", restart);
  const size = alphabet.length;
  const controls = [
    slider("temperature", { min: 0, max: 2, step: 0.01 }, settings.temperature, (v) => v.toFixed(2), set("temperature")),
    slider("top-k", { min: 1, max: size, step: 1 }, settings.topK, (v) => (v < size ? String(v) : "all"), set("topK")),
    slider("top-p", { min: 0.01, max: 1, step: 0.01 }, settings.topP, (v) => (v < 1 ? v.toFixed(2) : "all"), set("topP")),
    element("label", {}, element("span", {}, "seed"), seed),
  ];
  const left = element("div", {}, element("label", { class: "genai-gpt-prompt" }, "Prompt", prompt), ...controls, buttons,
    element("div", { class: "genai-gpt-state" }, output, speed), box.box);
  el.append(element("div", { class: "genai-gpt" }, left, next.root));
  // JupyterLab would answer the keys of a control by going to the next cell.
  for (const control of el.querySelectorAll("input, textarea, button, [tabindex]")) control.dataset.lmSuppressShortcuts = "true";
  restart();
  return () => cancelAnimationFrame(state.frame);
}

export default { render };
