// A trained GAN generator that runs in the page: linear and convolution layers with ReLU between and tanh at the end.
// The numbers are unit-tested against PyTorch.

import { button, choice, element, explorer, paint, percent, shades, slider, within } from "./kit.js";

/** IEEE half precision, little endian, to Float32Array. */
export function fromHalf(view) {
  const out = new Float32Array(view.byteLength / 2);
  for (let i = 0; i < out.length; i++) {
    const h = view.getUint16(2 * i, true);
    const sign = h & 0x8000 ? -1 : 1, exponent = (h >> 10) & 31, fraction = h & 1023;
    out[i] = sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
  }
  return out;
}

/** Cut one array of numbers into the tensors of the generator; shapes as in PyTorch. */
export function unpack(numbers, shapes) {
  let offset = 0;
  return shapes.map((shape) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return { shape, data: numbers.subarray(offset, (offset += size)) };
  });
}

/** Linear layer. */
function linear(x, weight, bias) {
  const [outputs, inputs] = weight.shape, y = Float32Array.from(bias.data);
  for (let o = 0; o < outputs; o++) for (let i = 0; i < inputs; i++) y[o] += weight.data[o * inputs + i] * x[i];
  return y;
}

/** Scatter each input pixel, through a kernel, over the output pixels that start at (stride * row - 1, ...). */
function spread(x, side, channels, outputs, kernel, stride, bias, at) {
  const wide = stride * side, y = new Float32Array(outputs * wide * wide);
  for (let o = 0; o < outputs; o++) y.fill(bias.data[o], o * wide * wide, (o + 1) * wide * wide);
  for (let c = 0; c < channels; c++)
    for (let r = 0; r < side; r++)
      for (let s = 0; s < side; s++) {
        const value = x[(c * side + r) * side + s];
        if (value === 0) continue;
        for (let i = 0; i < kernel; i++) {
          const row = stride * r - 1 + i;
          if (row < 0 || row >= wide) continue;
          for (let j = 0; j < kernel; j++) {
            const column = stride * s - 1 + j;
            if (column < 0 || column >= wide) continue;
            for (let o = 0; o < outputs; o++) y[(o * wide + row) * wide + column] += value * at(c, o, i, j);
          }
        }
      }
  return y;
}

/** One layer, told apart by the shape of its weight: linear, transposed convolution 4/2/1, or convolution 3/1/1. */
function layer(x, weight, bias) {
  if (weight.shape.length === 2) return linear(x, weight, bias);
  const kernel = weight.shape[3], up = kernel === 4;
  const [channels, outputs] = up ? weight.shape : [weight.shape[1], weight.shape[0]];
  const w = weight.data, side = Math.sqrt(x.length / channels);
  const at = up
    ? (c, o, i, j) => w[((c * outputs + o) * 4 + i) * 4 + j]
    : (c, o, i, j) => w[((o * channels + c) * 3 + (2 - i)) * 3 + (2 - j)]; // scattering turns the kernel round
  return spread(x, side, channels, outputs, kernel, up ? 2 : 1, bias, at);
}

/** Latent vector to 28 x 28 grey values in [-1, 1]; tensors are weight, bias, weight, bias, ... */
export function generate(tensors, z) {
  let x = z;
  for (let k = 0; k < tensors.length; k += 2) {
    const y = layer(x, tensors[k], tensors[k + 1]);
    x = k + 2 < tensors.length ? y.map((v) => Math.max(v, 0)) : y.map(Math.tanh);
  }
  return x;
}

/** Blend four corner latents at (x, y) in the unit square, then restore the length that normal noise has. */
export function blend(corners, x, y) {
  const weights = [(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y];
  const z = corners[0].map((_, i) => weights.reduce((sum, w, k) => sum + w * corners[k][i], 0));
  const size = Math.sqrt(z.length / z.reduce((sum, v) => sum + v * v, 0));
  return z.map((v) => v * size);
}

// --- the explorer ----------------------------------------------------------------------------------------------------

const CORNERS = ["top_left", "top_right", "bottom_left", "bottom_right"];

/** The share of each corner at a place, as "25 % Bag", without those that hardly count. */
function mix(state) {
  const shares = CORNERS.map((_, k) => [1 - state.x, state.x][k % 2] * [1 - state.y, state.y][k >> 1]);
  const parts = CORNERS.map((corner, k) => [shares[k], `${percent(shares[k])} ${state[corner]}`]);
  return parts.filter(([part]) => part > 0.005).map(([, words]) => words).join(", ");
}

/** The generator and its examples: what it makes of a state. */
function maker({ model }) {
  const raw = model.get("weights"), latents = model.get("latents"), names = model.get("names");
  const layers = unpack(fromHalf(new DataView(raw.buffer, raw.byteOffset, raw.byteLength)), model.get("shapes"));
  const latent = (state, corner) => latents[names.indexOf(state[corner])][state.set - 1];
  const make = (state) => generate(layers, blend(CORNERS.map((corner) => latent(state, corner)), state.x, state.y));
  return { names, sets: latents[0].length, make: (state) => make(state).map((v) => (v + 1) / 2) };
}

function build({ names, sets, make }, el, state, change) {
  const canvas = element("canvas", { width: 28, height: 28, role: "img" });
  const output = element("output", { "aria-live": "polite" }), options = names.map((name) => [name, name]);
  const corners = CORNERS.map((corner) => choice([corner, corner.replace("_", " "), options], state, change));
  const across = slider(["x", "left to right", 0, 1, 0.02, (v) => percent(v)], state, change);
  const down = slider(["y", "top to bottom", 0, 1, 0.02, (v) => percent(v)], state, change);
  const again = button("Next set of examples", () => change({ set: (state.set % sets) + 1 }));
  const set = { name: "set", show: () => {}, read: (said) => within(said, 1, sets, 1) };
  const [above, below] = [corners.slice(0, 2), corners.slice(2)].map((pair) =>
    element("div", { class: "genai-latent-row" }, ...pair.map(({ node }) => node)));
  const words = () => `${mix(state)} (set ${state.set} of ${sets})`;
  let greys = [];
  return {
    nodes: [element("div", {}, above, canvas, below, output), element("div", {}, across.node, down.node, again)],
    controls: [...corners, across, down, set],
    draw: () => {
      const start = performance.now();
      greys = make(state);
      paint(canvas, greys);
      el.dataset.milliseconds = (performance.now() - start).toFixed(2);
      output.textContent = words();
      canvas.setAttribute("aria-label", `generated picture from ${words()}`);
    },
    tables: () => [shades(`The picture, ${words()}`, greys)],
  };
}

function render({ model, el }) {
  const made = maker({ model }), corners = model.get("corners").map((k) => made.names[k]);
  const start = { x: 0.5, y: 0.5, set: 1, ...Object.fromEntries(CORNERS.map((corner, k) => [corner, corners[k]])) };
  return explorer({ model, el }, "latent", start, (state, change) => build(made, el, state, change));
}

export default { render };
