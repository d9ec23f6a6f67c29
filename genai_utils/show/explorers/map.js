// A map of a latent space of two numbers: test pictures where the encoder puts them, and the picture that the decoder
// draws at the cross-hair. One pair of networks for each weight (beta) of the KL. Unit-tested against PyTorch.

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

const HALF = 190; // the plane, from its centre to its edge, in units of the drawing
// Letters tell the classes apart; colours only help, and black is the text's.
const COLOURS = ["#e69f00", "#0072b2", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#b59f00", "#777a80", "currentColor", "#882255"];
const colour = (k) => `--c: ${COLOURS[k % COLOURS.length]}`;
const signed = (v, digits = 0) => v.toFixed(digits).replace("-", "−");
const share = (v) => (v < 0.0001 ? "less than 0.01" : (100 * v).toFixed(v < 0.01 ? 2 : 0));

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}
const element = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const shape = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

function paint(canvas, pixels) {
  const context = canvas.getContext("2d"), image = context.createImageData(28, 28);
  pixels.forEach((v, i) => image.data.set([255 * v, 255 * v, 255 * v, 255], 4 * i));
  context.putImageData(image, 0, 0);
}

/** The plane with the rings of the prior, the letters of the codes and the cross-hair. */
function buildPlane(reach, labels, letters) {
  const unit = HALF / reach, words = [], limit = (v) => Math.max(-reach, Math.min(reach, v));
  const write = (text, attributes) => words.push(shape("text", { "text-anchor": "middle", ...attributes }, text));
  for (let t = 1 - Math.ceil(reach); t < reach; t++) {
    write(signed(t), { x: t * unit, y: HALF + 14 });
    write(signed(t), { x: -HALF - 12, y: 4 - t * unit });
  }
  write("first latent number", { y: HALF + 32 });
  write("second latent number", { transform: `translate(${-HALF - 26} 0) rotate(-90)` });
  const frame = shape("rect", { x: -HALF, y: -HALF, width: 2 * HALF, height: 2 * HALF });
  const rings = [3, 2, 1].map((sd) => shape("circle", { r: sd * unit }));
  const points = labels.map((k) => shape("text", { class: "genai-map-code", style: colour(k) }, letters[k]));
  const d = "M-14 0H-4M4 0H14M0 -14V-4M0 4V14";
  const hair = shape("g", {}, shape("path", { class: "genai-map-halo", d }), shape("path", { class: "genai-map-hair", d }));
  const viewBox = `${-HALF - 40} ${-HALF - 4} ${2 * HALF + 44} ${2 * HALF + 42}`;
  const svg = shape("svg", { viewBox, role: "img" }, frame, ...rings, ...words, ...points, hair);

  const put = (node, z) => {
    const [x, y] = z.map((v) => (limit(v) * unit).toFixed(1));
    node.setAttribute("transform", `translate(${x} ${-y})`);
  };
  const at = (event) => {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return [limit(x / unit), limit(-y / unit)];
  };
  return { svg, points, at, aim: (z) => put(hair, z), place: (codes) => points.forEach((node, i) => put(node, codes[i])) };
}

function numbers(view, Kind) {
  return new Kind(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength)); // a copy starts aligned
}

function render({ model, el }) {
  const get = (name) => model.get(name);
  const [codes, labels, names, letters] = ["codes", "labels", "names", "letters"].map(get);
  const betas = get("betas"), costs = get("costs"), reach = get("reach"), everything = names.length;
  const networks = unpack(numbers(get("weights"), Int8Array), numbers(get("numbers"), Float32Array), get("widths"));
  const state = { z: [0, 0], beta: betas.indexOf(get("beta")), shown: everything };

  const plane = buildPlane(reach, labels, letters);
  const legend = element("div", { class: "genai-map-legend", "aria-hidden": "true" },
    ...names.map((name, k) => element("span", {}, element("b", { style: colour(k) }, letters[k]), ` ${name}`)));
  const note = element("small", {}, "Rings: 1, 2 and 3 standard deviations of the prior. Letters on the frame lie farther out.");
  const canvas = element("canvas", { width: 28, height: 28, role: "img" });
  const output = element("output", { "aria-live": "polite" });
  const sliders = ["first latent number", "second latent number"].map((label, axis) => {
    const input = element("input", { type: "range", min: -reach, max: reach, step: 0.05 });
    input.addEventListener("input", () => { state.z[axis] = +input.value; draw(); });
    return element("label", {}, label, input);
  });
  const choice = (name, label, options) => {
    const select = element("select", {}, ...options.map((text, k) => element("option", { value: k }, text)));
    select.value = state[name];
    select.addEventListener("change", () => { state[name] = +select.value; arrange(); });
    return element("label", {}, label, select);
  };
  const classes = choice("shown", "classes shown", [...names.map((name, k) => `${letters[k]}: ${name}`), "all"]);
  const again = element("button", { type: "button" }, "Draw from the prior");

  const draw = () => {
    const { z, beta, shown } = state, place = `(${signed(z[0], 2)}, ${signed(z[1], 2)})`;
    const [index, distance] = nearest(codes[beta], z), name = names[labels[index]], density = priorDensity(z);
    const [rate, distortion] = costs[beta][shown], whose = shown === everything ? "all test pictures" : names[shown];
    plane.aim(z);
    sliders.forEach((label, axis) => { label.lastChild.value = z[axis]; });
    paint(canvas, decode(networks[beta], z));
    const rows = [
      ["place", place],
      ["nearest test picture", `${name}, ${distance.toFixed(2)} away`],
      ["density of the prior", density < 0.0001 ? "less than 0.0001" : density.toFixed(4)],
      ["draws that land farther out", `${share(2 * Math.PI * density)} %`],
      [`rate (KL), ${whose}`, `${rate.toFixed(1)} nats`],
      [`distortion, ${whose}`, `${distortion.toFixed(1)} nats`],
    ];
    output.replaceChildren(...rows.map(([term, value]) => element("span", {}, `${term} `, element("b", {}, value), " ")));
    plane.svg.setAttribute("aria-label", `Map of ${whose} at beta ${betas[beta]}; cross-hair at ${place}, nearest: ${name}`);
    canvas.setAttribute("aria-label", `Picture that the decoder of beta ${betas[beta]} draws at ${place}`);
  };
  const arrange = () => {
    plane.place(codes[state.beta]);
    const faint = (k) => state.shown !== everything && state.shown !== k;
    plane.points.forEach((node, i) => node.classList.toggle("genai-map-faint", faint(labels[i])));
    draw();
  };
  const move = (z) => { state.z = z; draw(); };
  plane.svg.addEventListener("pointerdown", (event) => {
    plane.svg.setPointerCapture(event.pointerId);
    move(plane.at(event));
  });
  plane.svg.addEventListener("pointermove", (event) => { if (event.buttons) move(plane.at(event)); });
  again.addEventListener("click", () => move(fromPrior()));

  const controls = [...sliders, choice("beta", "weight of the KL (beta)", betas), classes, again];
  el.append(element("div", { class: "genai-map" },
    element("div", {}, plane.svg, legend, note), element("div", {}, canvas, output, ...controls)));
  // JupyterLab would answer the arrow keys of a control by going to the next cell.
  for (const control of el.querySelectorAll("input, select, button")) control.dataset.lmSuppressShortcuts = "true";
  arrange();
}

export default { render };
