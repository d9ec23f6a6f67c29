// "What must be true": what machines must earn (left), and what an hour of one of them must bring (right).
// The numerical functions are pure and exported; render() only draws what they return. All figures of the world come
// from Python, which reads them from the table of facts.

export const NAMES = [
  "capex", "chip_share", "chip_life", "building_life", "rate", "running", "margin", "revenue_today",
  "utilisation", "gpu_cost", "rent",
];
const HOURS = 8760, CATCH_UP = 5;

/** Equation (value.annuity): yearly payment that repays an amount with interest. */
export function annuity(amount, rate, years) {
  return rate === 0 ? amount / years : (amount * rate) / -Math.expm1(-years * Math.log1p(rate));
}

/** What a year costs, in billions: chips, buildings, running them. */
export function parts(s) {
  const chips = s.capex * s.chip_share;
  return [annuity(chips, s.rate, s.chip_life), annuity(s.capex - chips, s.rate, s.building_life), s.capex * s.running];
}
export const yearlyCost = (s) => parts(s).reduce((sum, part) => sum + part, 0);

/** Equation (value.capex-revenue): what users must pay a year, in billions. */
export const requiredRevenue = (s) => yearlyCost(s) / (1 - s.margin);

/** What an hour sold of one machine must bring its owner, in dollars; gpu_cost in thousands. Equation (value.hour). */
export const hourlyCost = (s, utilisation = s.utilisation) => ((yearlyCost(s) / s.capex) * s.gpu_cost * 1000) / (HOURS * utilisation);

/** Share of the hours that must be sold at the market's rent; above 1 no load is enough. */
export const breakEvenUtilisation = (s) => hourlyCost(s, 1) / s.rent;

/** Growth a year that turns today's revenue into the required one in five years. */
export const neededGrowth = (s) => (requiredRevenue(s) / s.revenue_today) ** (1 / CATCH_UP) - 1;

// --- drawing ----------------------------------------------------------------------------------------------------------

const BLUE = "#0072B2", ORANGE = "#E69F00", GREEN = "#009E73", PINK = "#CC79A7", SKY = "#56B4E9", GREY = "#777a80";
const [WIDTH, HEIGHT, LEFT, TOP, BOTTOM] = [360, 262, 38, 24, 34];
const money = (x) => (x > 0 && x < 10 ? x.toFixed(1) : Math.round(x).toLocaleString("en-US"));
const percent = (x) => `${Math.round(100 * x)} %`.replace("-", "−");

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
  d: "M" + points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L"),
  fill: "none", stroke, "stroke-width": 2.5, "stroke-linejoin": "round", ...extra,
});
const label = (x, y, text, extra = {}) => shape("text", { x, y, ...extra }, text);

/** A round number of at least a fifth of the top, for the grid. */
function unit(top) {
  const power = 10 ** Math.floor(Math.log10(top / 5));
  return power * [1, 2, 5, 10].find((k) => k * power >= top / 5);
}
function grid(svg, top, y, yTitle) {
  svg.replaceChildren(label(2, 11, yTitle));
  for (let t = 0; t <= top * 1.0001; t += unit(top)) {
    svg.append(line([[LEFT, y(t)], [WIDTH - 6, y(t)]], "currentColor", { "stroke-width": 1, opacity: 0.2 }));
    svg.append(label(LEFT - 5, y(t) + 4, money(t), { "text-anchor": "end" }));
  }
}

/** Left: the yearly bill piled up part by part, against today's revenue. */
function drawBill(svg, s) {
  const [chips, buildings, running] = parts(s), cost = chips + buildings + running, needed = requiredRevenue(s);
  const columns = [
    ["chips", 0, chips, BLUE], ["buildings", chips, chips + buildings, SKY], ["running", chips + buildings, cost, GREEN],
    ["sellers", cost, needed, PINK], ["needed", 0, needed, ORANGE], ["today", 0, s.revenue_today, GREY],
  ];
  const top = Math.max(needed, s.revenue_today) * 1.08, wide = (WIDTH - 6 - LEFT) / columns.length;
  const y = (t) => TOP + (1 - t / top) * (HEIGHT - TOP - BOTTOM);
  grid(svg, top, y, "billion dollars a year");
  columns.forEach(([name, from, to, fill], i) => {
    const x = LEFT + i * wide + 4;
    svg.append(shape("rect", { x, y: y(to), width: wide - 8, height: Math.max(y(from) - y(to), 0.5), fill }));
    svg.append(label(x + wide / 2 - 4, HEIGHT - BOTTOM + 15, name, { "text-anchor": "middle" }));
    svg.append(label(x + wide / 2 - 4, y(to) - 4, money(to - from), { "text-anchor": "middle" }));
  });
  svg.setAttribute("aria-label", `A year costs ${money(cost)} billion: chips ${money(chips)}, buildings ${money(buildings)}, running ${money(running)}. ` +
    `Users must pay ${money(needed)} billion; today they pay ${money(s.revenue_today)} billion.`);
  const growth = neededGrowth(s);
  return [
    ["users must pay a year", `${money(needed)} billion`], ["times today’s revenue", (needed / s.revenue_today).toFixed(2)],
    ["growth a year, there in 5 years", growth > 0 ? percent(growth) : "none: it is there"], ["revenue per dollar of capex", (needed / s.capex).toFixed(2)],
  ];
}

/** Right: what an hour sold must bring, by the share of hours sold; the dashed line is what the market pays. */
function drawHour(svg, s) {
  const now = hourlyCost(s), top = Math.max(3 * s.rent, now) * 1.1;
  const x = (u) => LEFT + u * (WIDTH - 6 - LEFT), y = (t) => TOP + (1 - t / top) * (HEIGHT - TOP - BOTTOM);
  grid(svg, top, y, "dollars for an hour sold");
  for (const u of [0, 0.25, 0.5, 0.75, 1]) svg.append(label(x(u), HEIGHT - BOTTOM + 15, percent(u), { "text-anchor": u === 1 ? "end" : "middle" }));
  svg.append(label((LEFT + WIDTH - 6) / 2, HEIGHT - 4, "share of the hours that are sold", { "text-anchor": "middle" }));
  const shares = Array.from({ length: 200 }, (_, i) => (i + 1) / 200).filter((u) => hourlyCost(s, u) <= top);
  if (shares.length > 1) svg.append(line(shares.map((u) => [x(u), y(hourlyCost(s, u))]), BLUE));
  svg.append(line([[x(0), y(s.rent)], [x(1), y(s.rent)]], ORANGE, { "stroke-dasharray": "6 4" }));
  svg.append(label(x(1), y(s.rent) - 6, "the market’s rent", { "text-anchor": "end" }));
  svg.append(shape("circle", { cx: x(s.utilisation), cy: y(now), r: 5, fill: BLUE }));
  const enough = breakEvenUtilisation(s);
  const verdict = enough > 1 ? "none is enough" : percent(enough);
  svg.setAttribute("aria-label", `With ${percent(s.utilisation)} of the hours sold, an hour must bring ${now.toFixed(2)} dollars; the market pays ${s.rent.toFixed(2)}. Share that pays at this rent: ${verdict}.`);
  return [
    ["an hour must bring", `${now.toFixed(2)} dollars`], ["the market pays", `${s.rent.toFixed(2)} dollars`],
    ["share of hours that pays", verdict], ["gain or loss on an hour", `${(s.rent - now).toFixed(2)} dollars`.replace("-", "−")],
  ];
}

// --- the widget -------------------------------------------------------------------------------------------------------

// name, label, lowest, highest, step, how to show it
const share = percent, years = (x) => `${x} y`, plain = (x) => String(x);
const PANELS = [
  { title: "What users must pay", draw: drawBill, sliders: [
    ["capex", "spent once, billion USD", 50, 2000, 5, plain], ["chip_share", "of it on chips", 0.3, 0.9, 0.01, share],
    ["chip_life", "chips last", 1, 12, 0.5, years], ["building_life", "buildings last", 1, 40, 1, years],
    ["rate", "return asked", 0, 0.2, 0.005, (x) => `${(100 * x).toFixed(1)} %`], ["running", "running, of capex", 0, 0.2, 0.01, share],
    ["margin", "sellers keep", 0, 0.8, 0.01, share], ["revenue_today", "today’s revenue, billion", 10, 1000, 1, plain]] },
  { title: "What an hour of one machine must bring", draw: drawHour, sliders: [
    ["utilisation", "hours sold", 0.1, 1, 0.01, share], ["gpu_cost", "one GPU, thousand USD", 10, 100, 0.5, (x) => x.toFixed(1)],
    ["rent", "the market’s rent", 0.5, 10, 0.05, (x) => x.toFixed(2)]] },
];
const ONE_YEAR = { chip_life: 1, building_life: 1, rate: 0, running: 0, margin: 0.5 };

function slider([name, text, min, max, step, show], state, change) {
  const input = element("input", { type: "range", min, max, step });
  const shown = element("span", { class: "genai-capex-number", "aria-hidden": "true" });
  const redraw = () => {
    input.value = state[name];
    shown.textContent = show(state[name]);
    input.setAttribute("aria-valuetext", shown.textContent);
  };
  input.addEventListener("input", () => change({ [name]: Number(input.value) }));
  return [element("label", {}, element("span", {}, text), input, shown), redraw];
}

function buildPanel(panel, state, change) {
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  const output = element("output", { "aria-live": "polite" });
  const controls = panel.sliders.map((row) => slider(row, state, change));
  const root = element("section", { "aria-label": panel.title }, element("strong", {}, panel.title), svg, output, ...controls.map(([node]) => node));
  const redraw = () => {
    controls.forEach(([, show]) => show());
    output.replaceChildren(...panel.draw(svg, state).map(([name, v]) => element("span", {}, `${name} `, element("b", {}, v), " ")));
  };
  return [root, redraw];
}

function render({ model, el }) {
  const state = Object.fromEntries(NAMES.map((name) => [name, model.get(name)])), start = { ...state };
  const root = element("div", { class: "genai-capex" }), redraws = [];
  const update = (changes) => { Object.assign(state, changes); redraws.forEach((redraw) => redraw()); };
  const change = (changes) => {
    for (const [name, v] of Object.entries(changes)) model.set(name, v);
    model.save_changes();
    update(changes);
  };
  for (const panel of PANELS) {
    const [node, redraw] = buildPanel(panel, state, change);
    root.append(node);
    redraws.push(redraw);
  }
  for (const [text, changes] of [["Charge it all to one year", ONE_YEAR], ["Back to the start", start]]) {
    const button = element("button", { type: "button" }, text);
    button.addEventListener("click", () => change(changes));
    root.lastChild.append(button, " ");
  }
  for (const name of NAMES) model.on(`change:${name}`, () => update({ [name]: model.get(name) }));
  // JupyterLab would answer the arrow keys of a control by going to the next cell.
  for (const control of root.querySelectorAll("input, button")) control.dataset.lmSuppressShortcuts = "true";
  el.append(root);
  redraws.forEach((redraw) => redraw());
}

export default { render };
