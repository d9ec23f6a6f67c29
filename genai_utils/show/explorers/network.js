// The small GPT of the page, as pure functions: read and write one token at a time, keys and values of the past kept.
// Rotary positions, RMS norm, normalised queries and keys, squared ReLU, as in genai_utils.models.gpt. Unit-tested
// against PyTorch.

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

/** One head, its numbers from `at` on: its query looks at the keys of places 0..place and takes from their values. */
export function look(query, { keys, values }, place, width, at) {
  const size = query.length, scores = new Float64Array(place + 1);
  for (let t = 0; t <= place; t++) scores[t] = dot(keys, t * width + at, query) * size ** -0.5;
  const shares = softmax(scores), found = new Float64Array(size);
  for (let t = 0; t <= place; t++) for (let i = 0; i < size; i++) found[i] += shares[t] * values[t * width + at + i];
  return { scores, shares, found };
}

/** Attention of the token at a place; its key and value join those held, its query too where queries are. */
function attend(qkv, held, place, { width, heads, turn }) {
  const head = width / heads, out = new Float32Array(width);
  const straight = (at) => turned(normed(qkv.subarray(at, at + head)), turn[place]);
  held.values.set(qkv.subarray(2 * width), place * width);
  for (let at = 0; at < width; at += head) {
    const query = straight(at);
    held.keys.set(straight(width + at), place * width + at);
    held.queries?.set(query, place * width + at);
    out.set(look(query, held, place, width, at).found, at);
  }
  return out;
}

/** Room for the keys and values of a context; a writer needs no queries of the past, who looks inside does. */
export function emptyCache({ blocks, context, width }, kinds = ["keys", "values"]) {
  const room = () => new Float32Array(context * width);
  return { length: 0, held: blocks.map(() => Object.fromEntries(kinds.map((kind) => [kind, room()]))) };
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

export const NAMES = { " ": "space", "\n": "new line", "\t": "tab" };
export const SIGNS = { " ": "␣", "\n": "↵" };
export const named = (c) => NAMES[c] ?? c;
export const quoted = (c) => NAMES[c] ?? `“${c}”`;

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
