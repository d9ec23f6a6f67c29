// "Play the game": what the best discriminator knows (left) and where a two-number GAN goes (right).
// The numerical functions are pure and exported; render() only draws what they return.

export const DEFAULTS = {
  data_width: 1, generator_mean: 2, generator_width: 1, threshold: 0, steepness: 1,
  step: 0.3, penalty: 0, start: 1, rounds: 120, order: "simultaneous",
};

const LOG2 = Math.log(2);
export const sigmoid = (t) => 1 / (1 + Math.exp(-t));
export const softplus = (t) => Math.max(t, 0) + Math.log1p(Math.exp(-Math.abs(t)));

// A Gaussian is {mean, width}.
export const logDensity = (x, g) => -0.5 * ((x - g.mean) / g.width) ** 2 - Math.log(g.width * Math.sqrt(2 * Math.PI));
export const density = (x, g) => Math.exp(logDensity(x, g));
export const optimalLogit = (x, p, q) => logDensity(x, p) - logDensity(x, q);
export const optimalDiscriminator = (x, p, q) => sigmoid(optimalLogit(x, p, q));

/** Integral of f over the line where p or q lives; the trapezoid rule is spectrally exact for such smooth tails. */
function integrate(f, p, q, cells = 3000) {
  const low = Math.min(p.mean - 9 * p.width, q.mean - 9 * q.width);
  const dx = (Math.max(p.mean + 9 * p.width, q.mean + 9 * q.width) - low) / cells;
  let sum = 0;
  for (let i = 0; i <= cells; i++) sum += f(low + i * dx);
  return sum * dx;
}

/** Equation (gan.value): E_p log D + E_q log(1 - D), D given by its logit; nats. */
export function value(p, q, logit) {
  return integrate((x) => -density(x, p) * softplus(-logit(x)) - density(x, q) * softplus(logit(x)), p, q);
}
export const valueAtOptimum = (p, q) => value(p, q, (x) => optimalLogit(x, p, q));

/** Jensen-Shannon divergence in nats, by equation (gan.jsd). */
export const jsd = (p, q) => Math.max(0, valueAtOptimum(p, q) / 2 + LOG2);

/** Error function, absolute error below 1.5e-7 (Abramowitz & Stegun 7.1.26). */
export function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const tail = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return Math.sign(x) * (1 - tail * Math.exp(-x * x));
}

/** Wasserstein-1 distance of two Gaussians: sorted samples differ by m + s Z, so it is the mean of |m + s Z|. */
export function w1(p, q) {
  const m = Math.abs(p.mean - q.mean), s = Math.abs(p.width - q.width);
  if (s === 0) return m;
  return s * Math.sqrt(2 / Math.PI) * Math.exp(-0.5 * (m / s) ** 2) + m * erf(m / s / Math.SQRT2);
}

/** Value of the Dirac-GAN, equation (gan.dirac): data at 0, generator at theta, discriminator logit psi x. */
export const diracValue = (theta, psi) => -LOG2 - softplus(psi * theta);

/** Rounds of the Dirac-GAN from (start, 0): list of [theta, psi]; the discriminator pays penalty / 2 * psi^2 (R1). */
export function diracOrbit({ step, penalty, start, rounds, order }) {
  const orbit = [[start, 0]];
  for (let k = 0, theta = start, psi = 0; k < rounds; k++) {
    const newPsi = psi - step * (theta * sigmoid(psi * theta) + penalty * psi);
    const seen = order === "alternating" ? newPsi : psi;
    theta += step * seen * sigmoid(seen * theta);
    psi = newPsi;
    orbit.push([theta, psi]);
  }
  return orbit;
}

/** Predicted factor a round near the centre: the larger |eigenvalue| of the linearised round. */
export function spectralRadius({ step, penalty, order }) {
  const turn = (step * step) / 4, keep = 1 - step * penalty;
  const [trace, det] = order === "alternating" ? [1 - turn + keep, keep] : [1 + keep, keep + turn];
  const disc = trace * trace - 4 * det;
  return disc < 0 ? Math.sqrt(det) : (Math.abs(trace) + Math.sqrt(disc)) / 2;
}

/** Observed factor a round: the slope of a straight line through log(radius). */
export function observedFactor(orbit) {
  const n = orbit.length, middle = (n - 1) / 2;
  let up = 0, down = 0;
  orbit.forEach(([theta, psi], k) => {
    up += (k - middle) * Math.log(Math.max(Math.hypot(theta, psi), 1e-300));
    down += (k - middle) ** 2;
  });
  return Math.exp(up / down);
}

// --- drawing ----------------------------------------------------------------------------------------------------------

const BLUE = "#0072B2", ORANGE = "#E69F00", GREEN = "#009E73", PINK = "#CC79A7", RED = "#D55E00";
const [WIDTH, HEIGHT, LEFT, TOP, BOTTOM] = [360, 262, 30, 24, 34];
const number = (x, digits = 3) => (Object.is(x, -0) || Math.abs(x) < 0.5 * 10 ** -digits ? 0 : x).toFixed(digits).replace("-", "−");

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
const path = (points) => "M" + points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L");
const line = (points, stroke, extra = {}) => shape("path", { d: path(points), fill: "none", stroke, "stroke-width": 2.5, "stroke-linejoin": "round", ...extra });
const label = (x, y, text, extra = {}) => shape("text", { x, y, ...extra }, text);

function frame(svg, x, y, xTicks, yTicks, xTitle, yTitle) {
  svg.append(label(2, 11, yTitle));
  const [bottom, right] = [HEIGHT - BOTTOM, WIDTH - 6];
  for (const t of yTicks) {
    svg.append(line([[LEFT, y(t)], [right, y(t)]], "currentColor", { "stroke-width": 1, opacity: 0.2 }));
    svg.append(label(LEFT - 5, y(t) + 4, number(t, Number.isInteger(t) ? 0 : 1), { "text-anchor": "end" }));
  }
  for (const t of xTicks) svg.append(label(x(t), bottom + 15, number(t, Number.isInteger(t) ? 0 : 1), { "text-anchor": "middle" }));
  svg.append(label((LEFT + right) / 2, HEIGHT - 4, xTitle, { "text-anchor": "middle" }));
}

/** Left: p and q as shaded hills, the best discriminator and yours as curves between 0 and 1. */
function drawKnowledge(svg, s) {
  const p = { mean: 0, width: s.data_width }, q = { mean: s.generator_mean, width: s.generator_width };
  const mine = (x) => s.steepness * (s.threshold - x);
  const x = (t) => LEFT + ((t + 6) / 12) * (WIDTH - 6 - LEFT), y = (t) => TOP + (1 - t) * (HEIGHT - TOP - BOTTOM);
  const grid = Array.from({ length: 241 }, (_, i) => -6 + i / 20);
  const top = Math.max(density(0, p), density(q.mean, q)) / 0.9;
  svg.replaceChildren();
  frame(svg, x, y, [-6, -4, -2, 0, 2, 4, 6], [0, 0.5, 1], "sample x", "D(x)");
  for (const [g, colour] of [[p, BLUE], [q, ORANGE]]) {
    const hill = grid.map((t) => [x(t), y(density(t, g) / top)]);
    svg.append(line([[x(-6), y(0)], ...hill, [x(6), y(0)]], colour, { fill: colour, "fill-opacity": 0.25, "stroke-width": 1 }));
  }
  svg.append(line(grid.map((t) => [x(t), y(optimalDiscriminator(t, p, q))]), GREEN));
  svg.append(line(grid.map((t) => [x(t), y(sigmoid(mine(t)))]), PINK, { "stroke-dasharray": "5 4" }));

  const best = valueAtOptimum(p, q), yours = value(p, q, mine), divergence = jsd(p, q), distance = w1(p, q);
  svg.setAttribute("aria-label", `Data around 0 with width ${number(p.width, 1)}, generator around ${number(q.mean, 1)} with width ${number(q.width, 1)}. ` +
    `The best discriminator is ${number(optimalDiscriminator(0, p, q), 2)} at 0 and ${number(optimalDiscriminator(q.mean, p, q), 2)} at the generator's centre.`);
  return [
    ["V(D*), best possible", number(best)], ["your D", `${number(yours)}, ${number(best - yours)} short`],
    ["JSD, at most 0.693", number(divergence)], ["W₁", number(distance)],
  ];
}

/** Right: the rounds of the Dirac-GAN as an orbit in the plane of its two numbers. */
function drawOrbit(svg, s) {
  const orbit = diracOrbit(s), [theta, psi] = orbit[orbit.length - 1];
  const reach = Math.max(s.start, ...orbit.map(([a, b]) => Math.max(Math.abs(a), Math.abs(b)))) * 1.1;
  const tick = 10 ** Math.floor(Math.log10(reach)), unit = reach / tick >= 5 ? 5 * tick : reach / tick >= 2 ? 2 * tick : tick;
  const scale = (HEIGHT - TOP - BOTTOM) / 2 / reach, middle = (LEFT + WIDTH - 6) / 2;
  const x = (t) => middle + t * scale, y = (t) => TOP + (reach - t) * scale;
  svg.replaceChildren();
  frame(svg, x, y, [-unit, 0, unit], [-unit, 0, unit], "θ, the generator (data at 0)", "ψ, the discriminator");
  for (let i = -4; i <= 4; i++) {
    for (let j = -3; j <= 3; j++) {
      const [a, b] = [(i * reach) / 3.2, (j * reach) / 3.2], push = sigmoid(a * b);
      const [da, db] = [b * push, -a * push - s.penalty * b], size = Math.hypot(da, db) || 1, long = 9 / scale / size;
      svg.append(line([[x(a), y(b)], [x(a + da * long), y(b + db * long)]], "currentColor", { "stroke-width": 1, opacity: 0.35 }));
      svg.append(shape("circle", { cx: x(a), cy: y(b), r: 1.3, fill: "currentColor", opacity: 0.35 }));
    }
  }
  svg.append(line(orbit.map(([a, b]) => [x(a), y(b)]), RED, { "stroke-width": 1.8 }));
  svg.append(shape("circle", { cx: x(s.start), cy: y(0), r: 4, fill: "none", stroke: "currentColor", "stroke-width": 2 }));
  svg.append(shape("circle", { cx: x(theta), cy: y(psi), r: 5, fill: RED }));

  const predicted = spectralRadius(s), observed = observedFactor(orbit);
  const fate = predicted > 1 + 1e-9 ? "spirals out" : predicted < 1 - 1e-9 ? "comes home" : "circles";
  svg.setAttribute("aria-label", `Orbit of the Dirac-GAN, ${s.order} updates: near the centre it ${fate}. After ${s.rounds} rounds the generator is at ${number(theta, 2)}, discriminator slope ${number(psi, 2)}, start at ${number(s.start, 1)}.`);
  return [
    ["predicted radius a round", `× ${number(predicted, 4)}, ${fate}`], ["observed radius a round", `× ${number(observed, 4)}`],
    ["distance from the data now", number(Math.abs(theta))], ["loss V now, ideal −1.386", number(diracValue(theta, psi))],
  ];
}

// --- the widget -------------------------------------------------------------------------------------------------------

const PANELS = [
  { title: "What the discriminator can know", draw: drawKnowledge, sliders: [
    ["generator_mean", "generator’s mean", -4, 4, 0.1], ["generator_width", "generator’s width", 0.1, 2, 0.1],
    ["data_width", "data’s width", 0.1, 2, 0.1], ["threshold", "your D: threshold", -5, 5, 0.1], ["steepness", "your D: steepness", -6, 6, 0.1]],
    key: [["data p", BLUE, "fill"], ["generator q", ORANGE, "fill"], ["best D*", GREEN, ""], ["your D", PINK, "dash"]] },
  { title: "Where the two-number GAN goes", draw: drawOrbit, sliders: [
    ["step", "step size h", 0.1, 1, 0.02], ["penalty", "R1 strength γ", 0, 1, 0.01],
    ["start", "start θ", 0.1, 3, 0.1], ["rounds", "rounds played", 1, 400, 1]],
    orders: ["simultaneous", "alternating"], key: [["orbit, its dot is now", RED, ""], ["○ start", "transparent", "none"]] },
];
let widgets = 0;

function slider([name, text, min, max, step], state, change) {
  const input = element("input", { type: "range", min, max, step });
  const shown = element("span", { class: "genai-game-number", "aria-hidden": "true" });
  const show = () => { input.value = state[name]; shown.textContent = number(state[name], step < 0.1 ? 2 : step < 1 ? 1 : 0); };
  input.addEventListener("input", () => { change(name, Number(input.value)); });
  return [element("label", {}, element("span", {}, text), input, shown), show];
}
function choice(orders, state, change, group) {
  const inputs = orders.map((order) => element("input", { type: "radio", name: group, value: order }));
  inputs.forEach((input) => input.addEventListener("change", () => change("order", input.value)));
  const labels = inputs.map((input) => element("label", {}, input, ` ${input.value}`));
  const show = () => inputs.forEach((input) => { input.checked = input.value === state.order; });
  return [element("fieldset", {}, element("legend", {}, "updates"), element("div", {}, ...labels)), show];
}
function swatch([text, colour, kind]) {
  return element("span", {}, element("i", { class: `genai-game-key ${kind}`, style: `--c: ${colour}` }), text);
}

function buildPanel(panel, state, change) {
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  const output = element("output", { "aria-live": "polite" });
  const controls = panel.sliders.map((row) => slider(row, state, change));
  if (panel.orders) controls.push(choice(panel.orders, state, change, `genai-game-${++widgets}`));
  const key = element("div", { class: "genai-game-keys", "aria-hidden": "true" }, ...panel.key.map(swatch));
  const root = element("section", { "aria-label": panel.title }, element("strong", {}, panel.title), svg, key, output, ...controls.map(([node]) => node));
  const redraw = () => {
    controls.forEach(([, show]) => show());
    output.replaceChildren(...panel.draw(svg, state).map(([name, v]) => element("span", {}, `${name} `, element("b", {}, v), " ")));
  };
  return [root, redraw];
}

function render({ model, el }) {
  const state = Object.fromEntries(Object.entries(DEFAULTS).map(([name, v]) => [name, model.get(name) ?? v]));
  const root = element("div", { class: "genai-game" });
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
