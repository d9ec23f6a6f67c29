// What all explorers share: nodes, pictures, controls, tables, and a state that the page's address holds.
// On the site and in tests this is a module of its own; for Jupyter, kit.py joins it and an explorer's into one text.

// The colours of genai_utils.show.style, which a colour-blind eye tells apart.
export const [BLUE, ORANGE, GREEN, RED] = ["#0072B2", "#E69F00", "#009E73", "#D55E00"];
export const [PINK, SKY, OLIVE, GRAY] = ["#CC79A7", "#56B4E9", "#B59F00", "#777a80"];

// --- words and numbers -----------------------------------------------------------------------------------------------

/** A number as readers write it: so many digits after the point, thousands apart, a true minus, never minus nought. */
export function number(x, digits = 0) {
  const text = Math.abs(x).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return (x < 0 && /[1-9]/.test(text) ? "−" : "") + text;
}
export const digits = (count) => (x) => number(x, count);
export const percent = (x, count = 0) => `${number(100 * x, count)} %`;

/** Round numbers between low and high, some four to eight: multiples of 1, 2 or 5 times a power of ten. */
export function ticks(low, high) {
  const raw = (high - low) / 5, power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((k) => k * power >= raw * 0.999);
  const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** How to write the ticks of an axis: with the digits that tell them apart. */
const asTicks = ([a, b]) => digits(Math.max(0, Math.ceil(-Math.log10(Math.abs(b - a)) - 1e-9)));

/** The bytes of a view, as a typed array: a copy starts aligned. */
export const bytes = (view, Kind) => new Kind(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));

// --- nodes -----------------------------------------------------------------------------------------------------------

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}
export const element = (tag, attributes = {}, ...children) =>
  filled(document.createElement(tag), attributes, children);
export const shape = (tag, attributes = {}, ...children) =>
  filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
export const label = (x, y, text, more = {}) => shape("text", { x, y, "text-anchor": "middle", ...more }, text);
export const disc = (x, y, fill, more = {}) => shape("circle", { cx: x, cy: y, r: 5, fill, ...more });

export function line(points, stroke, more = {}) {
  const d = `M${points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L")}`;
  return shape("path", { d, fill: "none", stroke, "stroke-width": 2.5, "stroke-linejoin": "round", ...more });
}

/** What stands for a line or an area in the key. kind: "", "fill" or "dash". */
const swatch = ([text, colour, kind]) =>
  element("span", {}, element("i", { class: `genai-swatch ${kind}`, style: `--c: ${colour}` }), text);
export const keys = (...rows) => element("div", { class: "genai-keys", "aria-hidden": "true" }, ...rows.map(swatch));

/** Terms with their values, as an output shows them. */
export const terms = (rows) =>
  rows.map(([term, value]) => element("span", {}, `${term} `, element("b", {}, value), " "));

/** A table; the first cell of a row is its head. */
function table({ caption, head, rows }) {
  const cell = (text, i) => (i ? element("td", {}, text) : element("th", { scope: "row" }, text));
  const row = (cells) => element("tr", {}, ...cells.map(cell));
  const top = element("tr", {}, ...head.map((text) => element("th", { scope: "col" }, text)));
  const body = element("tbody", {}, ...rows.map(row));
  return element("table", {}, element("caption", {}, caption), element("thead", {}, top), body);
}

// --- pictures --------------------------------------------------------------------------------------------------------

const [LEFT, RIGHT, TOP, BASE] = [38, 344, 26, 228];
export const WIDE = (RIGHT - LEFT) / (BASE - TOP); // of a plot, in heights of it

/** Empty a picture and draw its axes, x and y from low to high. Returns where a value of x and one of y lie. */
export function plot(svg, { x: [west, east], y: [south, north], xTicks = [], yTicks, xText, yText, xTitle, yTitle }) {
  const x = (t) => LEFT + ((t - west) / (east - west)) * (RIGHT - LEFT);
  const y = (t) => BASE - ((t - south) / (north - south)) * (BASE - TOP);
  const writeX = xText ?? asTicks(xTicks), writeY = yText ?? asTicks(yTicks);
  svg.replaceChildren(label(2, 11, yTitle, { "text-anchor": "start" }), label((LEFT + RIGHT) / 2, 258, xTitle));
  for (const t of yTicks) {
    svg.append(line([[LEFT, y(t)], [RIGHT, y(t)]], "currentColor", { "stroke-width": 1, opacity: t ? 0.2 : 0.5 }));
    svg.append(label(LEFT - 5, y(t) + 4, writeY(t), { "text-anchor": "end" }));
  }
  svg.append(...xTicks.map((t) => label(x(t), BASE + 15, writeX(t))));
  return { x, y };
}

/** Columns side by side, each from one value to another. columns: name, from, to, colour, text on top. */
export function bars(svg, columns, axis) {
  const ends = columns.flatMap(([, from, to]) => [from, to]);
  const low = Math.min(0, ...ends), high = Math.max(1e-9, ...ends), room = (high - low) * 0.06;
  const { x, y } = plot(svg, { x: [0, columns.length], y: [low, high + room], yTicks: ticks(low, high), ...axis });
  columns.forEach(([name, from, to, fill, text], i) => {
    const top = y(Math.max(from, to)), height = Math.max(0.5, Math.abs(y(from) - y(to)));
    svg.append(shape("rect", { x: x(i) + 4, width: x(1) - x(0) - 8, y: top, height, fill }));
    svg.append(label(x(i + 0.5), top - 4, text, { "font-weight": "bold" }), label(x(i + 0.5), BASE + 15, name));
  });
}

/** Paint grey values of 0..1, row by row, on a square canvas. */
export function paint(canvas, greys) {
  const context = canvas.getContext("2d"), image = context.createImageData(canvas.width, canvas.height);
  greys.forEach((v, i) => { image.data.set([255 * v, 255 * v, 255 * v, 255], 4 * i); });
  context.putImageData(image, 0, 0);
}

/** The table of a picture of 28 x 28 grey values of 0..1: the mean of each field of four by four pixels, in words. */
export function shades(caption, greys) {
  const seven = [...Array(7).keys()], four = [0, 1, 2, 3];
  const field = (r, c) => four.flatMap((i) => four.map((j) => greys[(4 * r + i) * 28 + 4 * c + j]));
  const mean = (values) => values.reduce((a, b) => a + b) / values.length;
  const word = (v) => ["black", "dark", "grey", "light", "white"][Math.min(4, Math.floor(5 * v))];
  const rows = seven.map((r) => [`row ${r + 1}`, ...seven.map((c) => word(mean(field(r, c))))]);
  return { caption, head: ["", ...seven.map((c) => String(c + 1))], rows };
}

// --- controls: a node, `show` for a new state, `read` for what the address says (undefined if it makes no sense) -----

/** A number on a slider's grid, next to what a text says; undefined if it says no number. */
export function within(text, min, max, step) {
  const value = Number(text);
  if (!text?.trim() || !Number.isFinite(value)) return undefined;
  const steps = Math.round((Math.min(max, Math.max(min, value)) - min) / step);
  return Number((min + steps * step).toFixed(6));
}

/** A slider with its number in words. row: name, text, lowest, highest, step, how to write a value. */
export function slider([name, text, min, max, step, written], state, change) {
  const input = element("input", { type: "range", min, max, step });
  const shown = element("span", { class: "genai-number", "aria-hidden": "true" });
  input.addEventListener("input", () => change({ [name]: Number(input.value) }));
  const show = () => {
    input.value = state[name];
    shown.textContent = written(state[name]);
    input.setAttribute("aria-valuetext", shown.textContent);
  };
  const node = element("label", {}, element("span", {}, text), input, shown);
  return { name, node, show, read: (said) => within(said, min, max, step) };
}

/** A choice among values. options: [value, text] each. */
export function choice([name, text, options], state, change) {
  const select = element("select", {}, ...options.map(([, shown]) => element("option", {}, shown)));
  select.addEventListener("change", () => change({ [name]: options[select.selectedIndex][0] }));
  const show = () => { select.selectedIndex = options.findIndex(([value]) => value === state[name]); };
  const read = (said) => options.find(([value]) => String(value) === said)?.[0];
  return { name, node: element("label", {}, element("span", {}, text), select), show, read };
}

export function button(text, act) {
  const node = element("button", { type: "button" }, text);
  node.addEventListener("click", act);
  return node;
}

// --- the address -----------------------------------------------------------------------------------------------------

function decoded(text) {
  try { return decodeURIComponent(text); } catch { return ""; }
}

/** What an address says of each explorer: "#game=mean:0.4,r1:0.2" is { game: { mean: "0.4", r1: "0.2" } }. */
export function fromHash(hash) {
  const pair = (text) => [text.split(":")[0], decoded(text.slice(text.indexOf(":") + 1))];
  const parts = hash.slice(1).split("&").map((part) => part.split("=")).filter((part) => part.length === 2);
  return Object.fromEntries(parts.map(([name, list]) => [name, Object.fromEntries(list.split(",").map(pair))]));
}

/** The address with an explorer's values in it. Without any, its part goes; the parts of other explorers stay. */
export function toHash(hash, name, values) {
  const pairs = Object.entries(values).map(([key, value]) => `${key}:${encodeURIComponent(value)}`);
  const own = pairs.length ? [`${name}=${pairs.join(",")}`] : [];
  const others = hash.slice(1).split("&").filter((part) => part && !part.startsWith(`${name}=`));
  const all = [...others.filter((part) => part.includes("=") || !own.length), ...own]; // a heading gives way to a state
  return all.length ? `#${all.join("&")}` : "";
}

/** Reads a state from the page's address, now and when a link is followed. Returns how to write it, and how to stop. */
function address(name, read) {
  const stop = new AbortController(), PAUSE = 250; // milliseconds without a change before it is written
  const here = () => location.pathname + location.search;
  let timer = 0;
  if (!("content_root" in document.documentElement.dataset)) return { write: () => {}, stop }; // not a page of the site
  const look = () => {
    const said = fromHash(location.hash);
    if (!(name in said)) return;
    clearTimeout(timer);
    read(said[name]);
  };
  const write = (values) => {
    clearTimeout(timer);
    const put = () => history.replaceState(history.state, "", here() + toHash(location.hash, name, values));
    timer = setTimeout(put, PAUSE);
  };
  const again = ({ target }) => { // a link to where we are changes no address
    if (target.closest?.("a[href*='#']")?.href === location.href) look();
  };
  addEventListener("hashchange", look, stop);
  addEventListener("click", again, stop);
  look();
  return { write, stop };
}

/** Scroll to a node as soon as it has a place: a notebook's page may attach it later. */
function intoView(node) {
  new ResizeObserver((_, watch) => {
    if (!node.offsetHeight) return;
    watch.disconnect();
    node.scrollIntoView();
  }).observe(node);
}

// --- explorers -------------------------------------------------------------------------------------------------------

/** JupyterLab would answer the keys of a control by going to the next cell. */
function shield(root) {
  const controls = "input, select, button, textarea, summary, [tabindex]";
  for (const control of root.querySelectorAll(controls)) control.dataset.lmSuppressShortcuts = "true";
}

/** The foot of an explorer: back to the start, and what the pictures show as tables. */
function foot(reset) {
  const tables = element("div", { tabindex: 0, role: "region", "aria-label": "The pictures as tables" });
  const fold = element("details", {}, element("summary", {}, "As a table"), tables);
  return { node: element("div", { class: "genai-foot" }, button("Reset", reset), fold), tables };
}

/**
 * An explorer around a state. start: its values by name; those that are traits stay in step with the kernel.
 * build(state, change, tabulate) makes the view: `nodes` for the columns, `controls`, `draw()` and `tables()`; where
 * needed, `forget()` before a state from the address, `sought(said)`, the node that such a state is about, and `stop()`
 * at the end. Controls call change({ name: value }).
 * Returns how to clean up.
 */
export function explorer({ model, el }, name, start, build) {
  const state = { ...start }, traits = Object.keys(start).filter((key) => model.get(key) !== undefined);
  const tabulate = () => end.tables.replaceChildren(...view.tables().map(table));
  const update = (changes) => {
    Object.assign(state, changes);
    for (const { show } of view.controls) show();
    view.draw();
    tabulate();
  };
  const change = (changes) => {
    update(changes);
    for (const key of traits) if (key in changes) model.set(key, changes[key]);
    model.save_changes();
    page.write(Object.fromEntries(Object.entries(state).filter(([key, value]) => value !== start[key])));
  };
  const read = (said) => {
    const values = view.controls.map((control) => [control.name, control.read(said[control.name])]);
    view.forget?.();
    update({ ...start, ...Object.fromEntries(values.filter(([, value]) => value !== undefined)) });
    intoView(view.sought?.(said) ?? root);
  };
  const view = build(state, change, tabulate), end = foot(() => change(start));
  const root = element("div", { class: `genai-kit genai-${name}` }, ...view.nodes, end.node);
  for (const key of traits) {
    model.on(`change:${key}`, () => { if (model.get(key) !== state[key]) update({ [key]: model.get(key) }); });
  }
  el.append(root);
  update({});
  shield(root);
  const page = address(name, read);
  return () => { page.stop.abort(); view.stop?.(); };
}

function panel({ title, draw, key = [], sliders, choices = [] }, state, change) {
  const svg = shape("svg", { viewBox: "0 0 360 262", role: "img" });
  const output = element("output", { "aria-live": "polite" });
  const ranges = sliders.map((row) => slider(row, state, change));
  const controls = [...ranges, ...choices.map((row) => choice(row, state, change))];
  const nodes = [element("strong", {}, title), svg, keys(...key), output, ...controls.map(({ node }) => node)];
  const redraw = () => {
    const { words, rows } = draw(svg, state);
    svg.setAttribute("aria-label", words);
    output.replaceChildren(...terms(rows));
  };
  return { node: element("section", { "aria-label": title }, ...nodes), controls, redraw };
}

/**
 * An explorer of panels, a picture with its values and controls each. A panel has title, key, sliders, choices (rows),
 * draw(svg, state) that returns `words` and `rows`, and table(state). buttons: text and changes of the state.
 */
export function panels(context, name, start, list, buttons = []) {
  return explorer(context, name, start, (state, change) => {
    const built = list.map((each) => panel(each, state, change));
    built.at(-1).node.append(...buttons.map(([text, changes]) => button(text, () => change(changes))));
    return {
      nodes: built.map(({ node }) => node),
      controls: built.flatMap(({ controls }) => controls),
      draw: () => { for (const { redraw } of built) redraw(); },
      tables: () => list.map((each) => each.table(state)),
    };
  });
}

/** Start values of an explorer: what the kernel or the page gives, else the defaults. */
export const given = (model, defaults) =>
  Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, model.get(name) ?? value]));
