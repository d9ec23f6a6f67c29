// A trained GAN generator that runs in the page: linear and convolution layers with ReLU between and tanh at the end.
// The numbers are unit-tested against PyTorch.

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
    x = k + 2 < tensors.length ? y.map((v) => (v > 0 ? v : 0)) : y.map(Math.tanh);
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

function paint(canvas, pixels) {
  const context = canvas.getContext("2d"), image = context.createImageData(28, 28);
  pixels.forEach((v, i) => image.data.set([0, 1, 2].map(() => 127.5 * (v + 1)).concat(255), 4 * i));
  context.putImageData(image, 0, 0);
}

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function render({ model, el }) {
  const raw = model.get("weights");
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const layers = unpack(fromHalf(view), model.get("shapes"));
  const latents = model.get("latents"), names = model.get("names");
  const chosen = [...model.get("corners")], place = { x: 0.5, y: 0.5 }, draws = [0, 0, 0, 0];
  const latent = (corner) => latents[chosen[corner]][draws[corner] % latents[chosen[corner]].length];

  const canvas = element("canvas", { width: 28, height: 28, className: "genai-latent-picture" });
  canvas.setAttribute("role", "img");
  const output = element("output");
  output.setAttribute("aria-live", "polite");

  const draw = () => {
    const start = performance.now();
    paint(canvas, generate(layers, blend([0, 1, 2, 3].map(latent), place.x, place.y)));
    el.dataset.milliseconds = (performance.now() - start).toFixed(2);
    const parts = chosen.map((c, k) => [names[c], [1 - place.x, place.x][k % 2] * [1 - place.y, place.y][k >> 1]]);
    const mix = parts.filter(([, w]) => w > 0.005).map(([n, w]) => `${Math.round(100 * w)} % ${n}`).join(", ");
    const text = `${mix} (set ${(draws[0] % latents[0].length) + 1} of ${latents[0].length})`;
    output.textContent = text;
    canvas.setAttribute("aria-label", `generated picture from ${text}`);
  };

  const slider = (axis, label) => {
    const input = element("input", { type: "range", min: 0, max: 1, step: 0.02, value: 0.5 });
    input.addEventListener("input", () => { place[axis] = +input.value; draw(); });
    return element("label", {}, label, input);
  };
  const corner = (k, label) => {
    const select = element("select");
    names.forEach((name, i) => select.append(element("option", { value: i, textContent: name, selected: i === chosen[k] })));
    select.addEventListener("change", () => { chosen[k] = +select.value; draw(); });
    return element("label", {}, label, select);
  };
  const again = element("button", { type: "button", textContent: "Next set of examples" });
  again.addEventListener("click", () => { draws.forEach((_, k) => (draws[k] += 1)); draw(); });

  const sides = [["top left", "top right"], ["bottom left", "bottom right"]];
  const row = (r) => element("div", { className: "genai-latent-row" }, corner(2 * r, sides[r][0]), corner(2 * r + 1, sides[r][1]));
  el.classList.add("genai-latent");
  el.append(row(0), canvas, row(1), slider("x", "left to right"), slider("y", "top to bottom"), again, output);
  // JupyterLab would answer the arrow keys of a control by going to the next cell.
  for (const control of el.querySelectorAll("input, select, button")) control.dataset.lmSuppressShortcuts = "true";
  draw();
}

export default { render };
