// A map of a latent space of two numbers: test pictures where the encoder puts them, and the picture that the decoder
// draws at the cross-hair. One pair of networks for each weight (beta) of the KL. Unit-tested against PyTorch.

import {
  BLUE, GREEN, GRAY, OLIVE, ORANGE, PINK, RED, SKY,
  button, bytes, choice, element, explorer, number, paint, shades, shape, slider, terms, within,
} from "./kit.js";

/** Cut 8-bit weights, and float32 scales and biases of their rows, into networks: a list of layers each. */
export function unpack(weights, numbers, widths) {
  const networks = [];
  let w = 0, n = 0;
  const take = (count) => numbers.subarray(n, (n += count));
  const layer = (inputs, k) => {
    const outputs = widths[k + 1];
    return { weight: weights.subarray(w, (w += inputs * outputs)), scale: take(outputs), bias: take(outputs) };
  };
  while (w < weights.length) networks.push(widths.slice(0, -1).map(layer));
  return networks;
}

const sigmoid = (v) => 1 / (1 + Math.exp(-v));
const silu = (v) => v * sigmoid(v);

/** Two latent numbers to 28 x 28 grey values in [0, 1]: linear layers, SiLU between them, sigmoid at the end. */
export function decode(network, z) {
  return network.reduce((x, { weight, scale, bias }, k) => {
    const bend = k + 1 < network.length ? silu : sigmoid;
    return Float32Array.from(bias, (b, o) => {
      let sum = 0;
      for (let i = 0; i < x.length; i++) sum += weight[o * x.length + i] * x[i];
      return bend(b + scale[o] * sum);
    });
  }, z);
}

/** Density of the prior, a standard normal in the plane. */
export const priorDensity = ([x, y]) => Math.exp(-(x * x + y * y) / 2) / (2 * Math.PI);

/** Index of the code next to z, and its distance. */
export function nearest(codes, z) {
  const away = codes.map(([x, y]) => Math.hypot(x - z[0], y - z[1]));
  const distance = Math.min(...away);
  return [away.indexOf(distance), distance];
}

/** A draw from the prior (Box and Muller). */
function fromPrior() {
  const radius = Math.sqrt(-2 * Math.log(1 - Math.random())), angle = 2 * Math.PI * Math.random();
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** Where the codes of each class lie: centre and spread (standard deviation) in both latent numbers. */
export function spreads(codes, labels, classes) {
  const mean = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;
  return Array.from({ length: classes }, (_, k) => {
    const own = codes.filter((_, i) => labels[i] === k), centre = [0, 1].map((axis) => mean(own.map((z) => z[axis])));
    const spread = [0, 1].map((axis) => Math.sqrt(mean(own.map((z) => (z[axis] - centre[axis]) ** 2))));
    return { centre, spread };
  });
}

// --- the explorer ----------------------------------------------------------------------------------------------------

const HALF = 190; // the plane, from its centre to its edge, in units of the drawing
// Letters tell the classes apart; colours only help, and black is the text's.
const COLOURS = [ORANGE, BLUE, GREEN, RED, PINK, SKY, OLIVE, GRAY, "currentColor", "#882255"];
const ALL = "all";
const colour = (k) => `--c: ${COLOURS[k % COLOURS.length]}`;
const share = (v) => (v < 0.0001 ? "less than 0.01" : number(100 * v, v < 0.01 ? 2 : 0));
const pair = (z) => `(${z.map((v) => number(v, 2)).join(", ")})`;

/** The axes of the plane in words. */
function words(reach, unit) {
  const write = (text, attributes) => shape("text", { "text-anchor": "middle", ...attributes }, text);
  const marks = Array.from({ length: 2 * Math.ceil(reach) - 1 }, (_, i) => i + 1 - Math.ceil(reach));
  return [
    ...marks.flatMap((t) => [
      write(number(t), { x: t * unit, y: HALF + 14 }), write(number(t), { x: -HALF - 12, y: 4 - t * unit }),
    ]),
    write("first latent number", { y: HALF + 32 }),
    write("second latent number", { transform: `translate(${-HALF - 26} 0) rotate(-90)` }),
  ];
}

/** The plane with the rings of the prior, the letters of the codes and the cross-hair; `move` is told where it goes. */
function buildPlane(reach, labels, letters, move) {
  const unit = HALF / reach, limit = (v) => Math.max(-reach, Math.min(reach, v));
  const frame = shape("rect", { x: -HALF, y: -HALF, width: 2 * HALF, height: 2 * HALF });
  const rings = [3, 2, 1].map((sd) => shape("circle", { r: sd * unit }));
  const points = labels.map((k) => shape("text", { class: "genai-map-code", style: colour(k) }, letters[k]));
  const d = "M-14 0H-4M4 0H14M0 -14V-4M0 4V14";
  const [halo, cross] = ["halo", "hair"].map((kind) => shape("path", { class: `genai-map-${kind}`, d }));
  const hair = shape("g", {}, halo, cross);
  const viewBox = `${-HALF - 40} ${-HALF - 4} ${2 * HALF + 44} ${2 * HALF + 42}`;
  const svg = shape("svg", { viewBox, role: "img" }, frame, ...rings, ...words(reach, unit), ...points, hair);
  const put = (node, [x, y]) => node.setAttribute("transform", `translate(${limit(x) * unit} ${-limit(y) * unit})`);
  const follow = (event) => {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    move([limit(x / unit), limit(-y / unit)]);
  };
  svg.addEventListener("pointerdown", (event) => {
    svg.setPointerCapture(event.pointerId);
    follow(event);
  });
  svg.addEventListener("pointermove", (event) => event.buttons && follow(event));
  const place = (codes) => points.forEach((node, i) => { put(node, codes[i]); });
  return { svg, points, place, aim: (z) => put(hair, z) };
}

/** What the notebook gives, with the networks unpacked. */
function read(model) {
  const names = ["codes", "labels", "names", "letters", "betas", "costs", "reach"];
  const world = Object.fromEntries(names.map((name) => [name, model.get(name)]));
  const numbers = bytes(model.get("numbers"), Float32Array);
  return { ...world, networks: unpack(bytes(model.get("weights"), Int8Array), numbers, model.get("widths")) };
}

/** All that the page says of a state: z, which of the networks, which class. */
function facts({ betas, codes, names, labels, costs }, { x, y, beta, shown }) {
  const z = [x, y], which = betas.indexOf(beta), [index, distance] = nearest(codes[which], z);
  const [rate, distortion] = costs[which][shown === ALL ? names.length : names.indexOf(shown)];
  const whose = shown === ALL ? "all test pictures" : shown;
  return { z, which, nearest: names[labels[index]], distance, density: priorDensity(z), rate, distortion, whose };
}

const rows = ({ z, nearest: name, distance, density, rate, distortion, whose }) => [
  ["place", pair(z)],
  ["nearest test picture", `${name}, ${number(distance, 2)} away`],
  ["density of the prior", density < 0.0001 ? "less than 0.0001" : number(density, 4)],
  ["draws that land farther out", `${share(2 * Math.PI * density)} %`],
  [`rate (KL), ${whose}`, `${number(rate, 1)} nats`],
  [`distortion, ${whose}`, `${number(distortion, 1)} nats`],
];

function classTable({ betas, codes, labels, names, costs }, which) {
  const of = spreads(codes[which], labels, names.length);
  const row = (name, k) => [name, pair(of[k].centre), pair(of[k].spread), ...costs[which][k].map((v) => number(v, 1))];
  return {
    caption: `The map at beta ${betas[which]}: codes of each class, and their costs in nats`,
    head: ["class", "centre", "spread", "rate", "distortion"], rows: names.map(row),
  };
}

function controlsOf({ betas, letters, names, reach }, state, change) {
  const axes = [["x", "first latent number"], ["y", "second latent number"]];
  const sliders = axes.map(([name, text]) => ({
    ...slider([name, text, -reach, reach, 0.05, (v) => number(v, 2)], state, change),
    read: (said) => within(said, -reach, reach, 0.01), // the hand may stop between two steps of the slider
  }));
  const classes = [...names.map((name, k) => [name, `${letters[k]}: ${name}`]), [ALL, ALL]];
  return [
    ...sliders,
    choice(["beta", "weight of the KL (beta)", betas.map((beta) => [beta, String(beta)])], state, change),
    choice(["shown", "classes shown", classes], state, change),
  ];
}

function draw({ plane, canvas, output }, world, said, shown, greys) {
  plane.place(world.codes[said.which]);
  plane.points.forEach((node, i) => {
    node.classList.toggle("genai-map-faint", shown !== ALL && shown !== world.names[world.labels[i]]);
  });
  plane.aim(said.z);
  paint(canvas, greys);
  output.replaceChildren(...terms(rows(said)));
  const beta = `beta ${world.betas[said.which]}`, place = pair(said.z);
  const words = `Map of ${said.whose} at ${beta}; cross-hair at ${place}, nearest: ${said.nearest}`;
  plane.svg.setAttribute("aria-label", words);
  canvas.setAttribute("aria-label", `Picture that the decoder of ${beta} draws at ${place}`);
}

function build(world, state, change) {
  const move = (z) => { const [x, y] = z.map((v) => Math.round(100 * v) / 100); change({ x, y }); };
  const plane = buildPlane(world.reach, world.labels, world.letters, move);
  const name = (text, k) => element("span", {}, element("b", { style: colour(k) }, world.letters[k]), ` ${text}`);
  const legend = element("div", { class: "genai-keys", "aria-hidden": "true" }, ...world.names.map(name));
  const note = "Rings: 1, 2 and 3 standard deviations of the prior. Letters on the frame lie farther out.";
  const canvas = element("canvas", { width: 28, height: 28, role: "img" });
  const output = element("output", { "aria-live": "polite" });
  const controls = controlsOf(world, state, change), again = button("Draw from the prior", () => move(fromPrior()));
  const picture = ({ z, which }) => decode(world.networks[which], z);
  return {
    nodes: [
      element("div", {}, plane.svg, legend, element("small", {}, note)),
      element("div", {}, canvas, output, ...controls.map(({ node }) => node), again),
    ],
    controls,
    draw: () => {
      const said = facts(world, state);
      draw({ plane, canvas, output }, world, said, state.shown, picture(said));
    },
    tables: () => {
      const said = facts(world, state);
      return [classTable(world, said.which), shades(`The picture drawn at ${pair(said.z)}`, picture(said))];
    },
  };
}

function render({ model, el }) {
  const start = { x: 0, y: 0, beta: model.get("beta"), shown: ALL }, world = read(model);
  return explorer({ model, el }, "map", start, (state, change) => build(world, state, change));
}

export default { render };
