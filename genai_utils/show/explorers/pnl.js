// "Bend the books": a month's profit and loss (left) and the 36 months after it (right).
// The functions of money are pure and exported, and equal those of genai_utils.business.unit_economics; render() draws.

export const DEFAULTS = {
  users: 100000, paying_share: 0.064, usd_per_payer: 20, payer_tokens: 3, free_tokens: 0.2,
  tokens_per_second: 10000, machine_usd_per_hour: 23.6, utilisation: 0.4, fixed_usd: 45000,
  price_factor: 1.5, cost_factor: 2, users_factor: 1.2, use_factor: 1.5,
};
export const MONTHS = 36;

/** Equation (unit.cost-per-token): USD a million tokens. */
export const tokenUsd = (p) => (1e6 * p.machine_usd_per_hour) / (3600 * p.tokens_per_second * p.utilisation);

/** Revenue, cost of payers and of free users, fixed cost and profit of a month, in USD; the margin is null without revenue. */
export function month(p) {
  const payers = p.users * p.paying_share, token = tokenUsd(p);
  const revenue = payers * p.usd_per_payer, paying = payers * p.payer_tokens * token;
  const free = (p.users - payers) * p.free_tokens * token;
  const margin = revenue > 0 ? 1 - (paying + free) / revenue : null;
  return { revenue, payers: paying, free, fixed: p.fixed_usd, profit: revenue - paying - free - p.fixed_usd, margin };
}

/** The month so many months later; equation (unit.decline). */
export function after(p, months) {
  const years = months / 12, use = p.use_factor ** years;
  return month({
    ...p, users: p.users * p.users_factor ** years, usd_per_payer: p.usd_per_payer / p.price_factor ** years,
    payer_tokens: p.payer_tokens * use, free_tokens: p.free_tokens * use,
    machine_usd_per_hour: p.machine_usd_per_hour / p.cost_factor ** years,
  });
}
export const path = (p) => Array.from({ length: MONTHS + 1 }, (_, m) => after(p, m));

/** Share of payers at which the month breaks even, above 1 if none does; null where a further payer earns nothing. */
export function breakEvenShare(p) {
  const token = tokenUsd(p), carried = p.free_tokens * token;
  const gained = p.usd_per_payer - p.payer_tokens * token + carried;
  return gained > 0 ? (carried + p.fixed_usd / p.users) / gained : null;
}

/** First month of a path whose profit has another sign than the first month's; null if none has. */
export function turn(months) {
  const found = months.findIndex(({ profit }) => profit < 0 !== months[0].profit < 0);
  return found < 0 ? null : found;
}

// --- drawing ----------------------------------------------------------------------------------------------------------

const BLUE = "#0072B2", ORANGE = "#E69F00", SKY = "#56B4E9", GREEN = "#009E73", RED = "#D55E00", GREY = "#777a80";
const [WIDTH, HEIGHT, LEFT, TOP, BOTTOM] = [360, 262, 34, 26, 34];
const number = (x, digits = 0) => {
  const text = Math.abs(x).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return (x < 0 && /[1-9]/.test(text) ? "−" : "") + text;
};
const thousands = (x) => number(x / 1e3, Math.abs(x) < 99950 ? 1 : 0);
const usd = (x) => `${number(x)} USD`;
const percent = (x, digits = 1) => `${number(100 * x, digits)} %`;

function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, v] of Object.entries(attributes)) node.setAttribute(key, v);
  node.append(...children);
  return node;
}
function shape(name, attributes, text = "") {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, v] of Object.entries(attributes)) node.setAttribute(key, v);
  node.textContent = text;
  return node;
}
const line = (points, stroke, extra = {}) => shape("path", {
  d: "M" + points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L"), fill: "none", stroke,
  "stroke-width": 2.5, "stroke-linejoin": "round", ...extra,
});
const label = (x, y, text, extra = {}) => shape("text", { x, y, ...extra }, text);

/** Axis from low to high that includes 0: [low, high, ticks], the step being 1, 2 or 5 times a power of ten. */
function scaleFor(values) {
  const low = Math.min(0, ...values), high = Math.max(0, ...values, low + 1e-9);
  const raw = (high - low) / 4, power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((n) => n * power >= raw);
  const first = Math.floor(low / step + 1e-9), last = Math.ceil(high / step - 1e-9);
  return [first * step, last * step, Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step)];
}
function frame(svg, y, ticks, title) {
  svg.append(label(2, 11, title));
  for (const t of ticks) {
    const strong = t === 0 ? 0.6 : 0.2;
    svg.append(line([[LEFT, y(t)], [WIDTH - 4, y(t)]], "currentColor", { "stroke-width": 1, opacity: strong }));
    svg.append(label(LEFT - 5, y(t) + 4, number(t / 1e3, Math.abs(ticks[1] - ticks[0]) < 1e3 ? 1 : 0), { "text-anchor": "end" }));
  }
}

/** Left: revenue as a column, the three costs hanging from it one after the other, and what is left. */
function drawMonth(svg, s) {
  const m = month(s), left = m.revenue - m.payers, next = left - m.free;
  const columns = [
    ["revenue", 0, m.revenue, BLUE], ["payers", left, m.revenue, ORANGE], ["free users", next, left, SKY],
    ["fixed", m.profit, next, GREY], ["profit", 0, m.profit, m.profit < 0 ? RED : GREEN],
  ];
  const [low, high, ticks] = scaleFor(columns.flatMap(([, from, to]) => [from, to]));
  const y = (v) => TOP + ((high - v) / (high - low)) * (HEIGHT - TOP - BOTTOM), wide = (WIDTH - 4 - LEFT) / columns.length;
  svg.replaceChildren();
  frame(svg, y, ticks, "thousand USD a month");
  columns.forEach(([name, from, to, fill], i) => {
    const x = LEFT + i * wide, top = y(Math.max(from, to)), middle = x + wide / 2;
    svg.append(shape("rect", { x: x + 5, y: top, width: wide - 10, height: Math.abs(y(from) - y(to)).toFixed(1), fill }));
    svg.append(label(middle, top - 4, thousands(name === "profit" ? to : to - from), { "text-anchor": "middle", "font-weight": "bold" }));
    svg.append(label(middle, HEIGHT - 12, name, { "text-anchor": "middle" }));
  });
  const share = breakEvenShare(s);
  svg.setAttribute("aria-label", `A month: revenue ${usd(m.revenue)}, serving payers ${usd(m.payers)}, serving free users ` +
    `${usd(m.free)}, fixed ${usd(m.fixed)}, profit ${usd(m.profit)}.`);
  return [
    ["profit a month", usd(m.profit)], ["gross margin", m.margin === null ? "no revenue" : percent(m.margin)],
    ["a million tokens", `${number(tokenUsd(s), 3)} USD`],
    ["breaks even if", share === null ? "never: payers lose money" : share > 1 ? "never: all is not enough" : `${percent(share)} pay`],
  ];
}

/** Right: revenue and all costs over 36 months; a dot where profit turns. */
function drawYears(svg, s) {
  const months = path(s), costs = months.map((m) => m.revenue - m.profit), revenue = months.map((m) => m.revenue);
  const [low, high, ticks] = scaleFor([...costs, ...revenue]);
  const x = (i) => LEFT + (i / MONTHS) * (WIDTH - 14 - LEFT), y = (v) => TOP + ((high - v) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const points = (values) => values.map((v, i) => [x(i), y(v)]), when = turn(months), sum = months.reduce((t, m) => t + m.profit, 0);
  svg.replaceChildren();
  frame(svg, y, ticks, "thousand USD a month");
  for (let i = 0; i <= MONTHS; i += 6) svg.append(label(x(i), HEIGHT - 18, i, { "text-anchor": "middle" }));
  svg.append(label((LEFT + WIDTH) / 2, HEIGHT - 3, "months from now", { "text-anchor": "middle" }));
  svg.append(line([...points(revenue), ...points(costs).reverse()], "none", { fill: GREY, "fill-opacity": 0.2 }));
  svg.append(line(points(costs), ORANGE, { "stroke-dasharray": "6 4" }), line(points(revenue), BLUE));
  if (when !== null) svg.append(shape("circle", { cx: x(when), cy: y(revenue[when]), r: 5, fill: months[0].profit < 0 ? GREEN : RED }));
  const end = months[MONTHS].profit, turned = months[0].profit < 0 ? "first profit" : "first loss";
  svg.setAttribute("aria-label", `Over ${MONTHS} months revenue goes from ${usd(revenue[0])} to ${usd(revenue[MONTHS])} a month, ` +
    `costs from ${usd(costs[0])} to ${usd(costs[MONTHS])}; ${turned}: ${when === null ? "none" : `month ${when}`}.`);
  return [
    [turned, when === null ? `none in ${MONTHS} months` : `month ${when}`], [`profit in month ${MONTHS}`, usd(end)],
    [`all ${MONTHS + 1} months together`, usd(sum)], ["gross margin then", months[MONTHS].margin === null ? "no revenue" : percent(months[MONTHS].margin)],
  ];
}

// --- the widget -------------------------------------------------------------------------------------------------------

const times = (x) => `× ${number(x, 1)}`;
const PANELS = [
  { title: "A month", draw: drawMonth, key: [], sliders: [
    ["users", "users", 1000, 1000000, 1000, number], ["paying_share", "of them pay", 0, 0.4, 0.002, percent],
    ["usd_per_payer", "a payer brings, USD", 0, 100, 0.5, (x) => number(x, 1)],
    ["payer_tokens", "a payer’s million tokens", 0, 20, 0.1, (x) => number(x, 1)],
    ["free_tokens", "a free user’s", 0, 2, 0.02, (x) => number(x, 2)],
    ["utilisation", "machine busy", 0.02, 1, 0.02, (x) => percent(x, 0)],
    ["machine_usd_per_hour", "its rent an hour, USD", 0.5, 60, 0.1, (x) => number(x, 1)],
    ["tokens_per_second", "its tokens a second", 500, 50000, 500, number],
    ["fixed_usd", "fixed costs, USD", 0, 300000, 1000, number]] },
  { title: "The three years after", draw: drawYears, key: [["revenue", BLUE, ""], ["all costs", ORANGE, "dash"]], sliders: [
    ["price_factor", "price falls, a year", 0.5, 10, 0.1, times], ["cost_factor", "rent falls, a year", 0.5, 10, 0.1, times],
    ["users_factor", "users grow, a year", 0.5, 4, 0.1, times], ["use_factor", "use grows, a year", 0.5, 4, 0.1, times]] },
];

function slider([name, text, min, max, step, written], state, change) {
  const input = element("input", { type: "range", min, max, step });
  const shown = element("span", { class: "genai-pnl-number", "aria-hidden": "true" });
  const show = () => { input.value = state[name]; input.ariaValueText = shown.textContent = written(state[name]); };
  input.addEventListener("input", () => { change(name, Number(input.value)); });
  return [element("label", {}, element("span", {}, text), input, shown), show];
}
const swatch = ([text, colour, kind]) => element("span", {}, element("i", { class: `genai-pnl-key ${kind}`, style: `--c: ${colour}` }), text);

function buildPanel(panel, state, change) {
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  const output = element("output", { "aria-live": "polite" });
  const controls = panel.sliders.map((row) => slider(row, state, change));
  const key = element("div", { class: "genai-pnl-keys", "aria-hidden": "true" }, ...panel.key.map(swatch));
  const root = element("section", { "aria-label": panel.title }, element("strong", {}, panel.title), svg, key, output, ...controls.map(([node]) => node));
  const redraw = () => {
    controls.forEach(([, show]) => show());
    output.replaceChildren(...panel.draw(svg, state).map(([name, v]) => element("span", {}, `${name} `, element("b", {}, v), " ")));
  };
  return [root, redraw];
}

function render({ model, el }) {
  const state = Object.fromEntries(Object.entries(DEFAULTS).map(([name, v]) => [name, model.get(name) ?? v]));
  const root = element("div", { class: "genai-pnl" });
  const redraws = [];
  const update = (name, v) => { state[name] = v; redraws.forEach((redraw) => redraw()); };
  const change = (name, v) => { model.set(name, v); model.save_changes(); update(name, v); };
  for (const panel of PANELS) {
    const [node, redraw] = buildPanel(panel, state, change);
    root.append(node);
    redraws.push(redraw);
  }
  for (const name of Object.keys(DEFAULTS)) model.on(`change:${name}`, () => update(name, model.get(name) ?? DEFAULTS[name]));
  // JupyterLab would answer the arrow keys of a control by going to the next cell.
  for (const control of root.querySelectorAll("input")) control.dataset.lmSuppressShortcuts = "true";
  el.append(root);
  redraws.forEach((redraw) => redraw());
}

export default { render };
