// "Play the game": what the best discriminator knows (left) and where a two-number GAN goes (right).
// The numerical functions are pure and exported; the rest draws what they return.

import {
  BLUE, GREEN, ORANGE, PINK, RED, WIDE, digits, disc, given, line, number, panels, plot, ticks,
} from "./kit.js";

export const DEFAULTS = {
  data_width: 1, mean: 2, width: 1, threshold: 0, steepness: 1,
  step: 0.3, r1: 0, start: 1, rounds: 120, order: "simultaneous",
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

/** Rounds of the Dirac-GAN from (start, 0): list of [theta, psi]; the discriminator pays r1 / 2 * psi^2. */
export function diracOrbit({ step, r1, start, rounds, order }) {
  const orbit = [[start, 0]];
  for (let k = 0, theta = start, psi = 0; k < rounds; k++) {
    const newPsi = psi - step * (theta * sigmoid(psi * theta) + r1 * psi);
    const seen = order === "alternating" ? newPsi : psi;
    theta += step * seen * sigmoid(seen * theta);
    psi = newPsi;
    orbit.push([theta, psi]);
  }
  return orbit;
}

/** Predicted factor a round near the centre: the larger |eigenvalue| of the linearised round. */
export function spectralRadius({ step, r1, order }) {
  const turn = (step * step) / 4, keep = 1 - step * r1;
  const [trace, det] = order === "alternating" ? [1 - turn + keep, keep] : [1 + keep, keep + turn];
  const under = trace * trace - 4 * det; // the root
  return under < 0 ? Math.sqrt(det) : (Math.abs(trace) + Math.sqrt(under)) / 2;
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

// --- the explorer ----------------------------------------------------------------------------------------------------

const players = (s) => [{ mean: 0, width: s.data_width }, { mean: s.mean, width: s.width }];
const mine = (s) => (x) => s.steepness * (s.threshold - x);

function hill(g, top, x, y, colour, grid) {
  const points = grid.map((t) => [x(t), y(density(t, g) / top)]);
  const filled = { fill: colour, "fill-opacity": 0.25, "stroke-width": 1 };
  return line([[x(-6), y(0)], ...points, [x(6), y(0)]], colour, filled);
}

/** Left: p and q as shaded hills, the best discriminator and yours as curves between 0 and 1. */
function drawKnowledge(svg, s) {
  const [p, q] = players(s), top = Math.max(density(0, p), density(q.mean, q)) / 0.9;
  const grid = Array.from({ length: 241 }, (_, i) => -6 + i / 20);
  const { x, y } = plot(svg, {
    x: [-6, 6], y: [0, 1], xTicks: [-6, -4, -2, 0, 2, 4, 6], yTicks: [0, 0.5, 1], xTitle: "sample x", yTitle: "D(x)",
  });
  svg.append(hill(p, top, x, y, BLUE, grid), hill(q, top, x, y, ORANGE, grid));
  svg.append(line(grid.map((t) => [x(t), y(optimalDiscriminator(t, p, q))]), GREEN));
  svg.append(line(grid.map((t) => [x(t), y(sigmoid(mine(s)(t)))]), PINK, { "stroke-dasharray": "5 4" }));
  const best = valueAtOptimum(p, q), yours = value(p, q, mine(s)), at = (t) => number(optimalDiscriminator(t, p, q), 2);
  return {
    words: `Data around 0 with width ${number(p.width, 1)}, generator around ${number(q.mean, 1)} with width ` +
      `${number(q.width, 1)}. The best discriminator is ${at(0)} at 0 and ${at(q.mean)} at the generator’s centre.`,
    rows: [
      ["V(D*), best possible", number(best, 3)], ["your D", `${number(yours, 3)}, ${number(best - yours, 3)} short`],
      ["JSD, at most 0.693", number(jsd(p, q), 3)], ["W₁", number(w1(p, q), 3)],
    ],
  };
}

export function knowledgeTable(s) {
  const [p, q] = players(s);
  const row = (x) => [density(x, p), density(x, q), optimalDiscriminator(x, p, q), sigmoid(mine(s)(x))];
  return {
    caption: "What the discriminator can know", head: ["x", "data p", "generator q", "best D*", "your D"],
    rows: [-4, -3, -2, -1, 0, 1, 2, 3, 4].map((x) => [number(x), ...row(x).map(digits(3))]),
  };
}

/** Where a round leads from many places: a short stroke from each. */
function strokes(x, y, reach, r1) {
  const places = [-4, -3, -2, -1, 0, 1, 2, 3, 4].flatMap((i) => [-3, -2, -1, 0, 1, 2, 3].map((j) => [i, j]));
  return places.flatMap(([i, j]) => {
    const a = (i * reach) / 3.2, b = (j * reach) / 3.2, push = sigmoid(a * b);
    const da = b * push, db = -a * push - r1 * b, long = (reach * 0.09) / (Math.hypot(da, db) || 1);
    const ends = [[x(a), y(b)], [x(a + da * long), y(b + db * long)]], faint = { "stroke-width": 1, opacity: 0.35 };
    return [line(ends, "currentColor", faint), disc(x(a), y(b), "currentColor", { r: 1.3, opacity: 0.35 })];
  });
}

/** Right: the rounds of the Dirac-GAN as an orbit in the plane of its two numbers. */
function drawOrbit(svg, s) {
  const orbit = diracOrbit(s), [theta, psi] = orbit.at(-1);
  const reach = Math.max(s.start, ...orbit.flat().map(Math.abs)) * 1.1, marks = ticks(-reach, reach);
  const { x, y } = plot(svg, {
    x: [-reach * WIDE, reach * WIDE], y: [-reach, reach], xTicks: marks, yTicks: marks,
    xTitle: "θ, the generator (data at 0)", yTitle: "ψ, the discriminator",
  });
  svg.append(...strokes(x, y, reach, s.r1), line(orbit.map(([a, b]) => [x(a), y(b)]), RED, { "stroke-width": 1.8 }));
  const ring = { r: 4, stroke: "currentColor", "stroke-width": 2 };
  svg.append(disc(x(s.start), y(0), "none", ring), disc(x(theta), y(psi), RED));
  const predicted = spectralRadius(s), observed = observedFactor(orbit);
  const fate = predicted > 1 + 1e-9 ? "spirals out" : predicted < 1 - 1e-9 ? "comes home" : "circles";
  return {
    words: `Orbit of the Dirac-GAN, ${s.order} updates: near the centre it ${fate}. After ${s.rounds} rounds the ` +
      `generator is at ${number(theta, 2)}, discriminator slope ${number(psi, 2)}, start at ${number(s.start, 1)}.`,
    rows: [
      ["predicted radius a round", `× ${number(predicted, 4)}, ${fate}`],
      ["observed radius a round", `× ${number(observed, 4)}`],
      ["distance from the data now", number(Math.abs(theta), 3)],
      ["loss V now, ideal −1.386", number(diracValue(theta, psi), 3)],
    ],
  };
}

export function orbitTable(s) {
  const orbit = diracOrbit(s), parts = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((i) => Math.round((i * s.rounds) / 8));
  const row = (k) => [...orbit[k], Math.hypot(...orbit[k]), diracValue(...orbit[k])];
  return {
    caption: "Where the two-number GAN goes", head: ["round", "θ", "ψ", "radius", "loss V"],
    rows: [...new Set(parts)].map((k) => [number(k), ...row(k).map(digits(3))]),
  };
}

const PANELS = [
  { title: "What the discriminator can know", draw: drawKnowledge, table: knowledgeTable,
    key: [["data p", BLUE, "fill"], ["generator q", ORANGE, "fill"], ["best D*", GREEN, ""], ["your D", PINK, "dash"]],
    sliders: [
      ["mean", "generator’s mean", -4, 4, 0.1, digits(1)], ["width", "generator’s width", 0.1, 2, 0.1, digits(1)],
      ["data_width", "data’s width", 0.1, 2, 0.1, digits(1)], ["threshold", "your D: threshold", -5, 5, 0.1, digits(1)],
      ["steepness", "your D: steepness", -6, 6, 0.1, digits(1)]] },
  { title: "Where the two-number GAN goes", draw: drawOrbit, table: orbitTable,
    key: [["orbit: from the circle to the dot", RED, ""]],
    sliders: [
      ["step", "step size h", 0.1, 1, 0.02, digits(2)], ["r1", "R1 strength γ", 0, 1, 0.01, digits(2)],
      ["start", "start θ", 0.1, 3, 0.1, digits(1)], ["rounds", "rounds played", 1, 400, 1, digits(0)]],
    choices: [["order", "updates", ["simultaneous", "alternating"].map((each) => [each, each])]] },
];

const render = (context) => panels(context, "game", given(context.model, DEFAULTS), PANELS);

export default { render };
