// The page "How good are your predictions?": the reader's own predictions as a table, a curve and a score.
import { all, bins, brier, forgetAll, KEY, summary } from "./predictions.js";

const SVG = "http://www.w3.org/2000/svg";
const place = document.querySelector("#predictions");
const [told, page] = [document.createElement("p"), document.createElement("div")];
place.replaceChildren(told, page);
told.role = "status";

const percent = (share) => `${Math.round(100 * share)} %`;

function make(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function drawn(tag, attributes, text = "") {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.textContent = text;
  return node;
}

function table(caption, names, rows) {
  const head = make("tr", {}, ...names.map((name) => make("th", { scope: "col" }, name)));
  const cells = (row) => row.map((cell, i) => {
    const td = make("td", {}, cell);
    td.dataset.label = names[i];
    return td;
  });
  const body = rows.map((row) => make("tr", {}, ...cells(row)));
  const whole = make("table", {}, make("caption", {}, caption), make("thead", {}, head), make("tbody", {}, ...body));
  return make("div", { className: "ledger results" }, whole);
}

const X = (said) => 60 + 560 * (said - 0.5), Y = (share) => 230 - 210 * share;

function axes(svg) {
  for (const share of [0, 0.5, 1])
    svg.append(drawn("line", { x1: 60, x2: 340, y1: Y(share), y2: Y(share), class: "grid" }),
      drawn("text", { x: 52, y: Y(share) + 4, "text-anchor": "end" }, percent(share)));
  for (const said of [0.5, 0.6, 0.7, 0.8, 0.9, 1])
    svg.append(drawn("text", { x: X(said), y: 248, "text-anchor": "middle" }, percent(said)));
  svg.append(drawn("line", { x1: X(0.5), y1: Y(0.5), x2: X(1), y2: Y(1), class: "ideal" }),
    drawn("text", { x: 200, y: 270, "text-anchor": "middle" }, "how sure you were"),
    drawn("text", { x: 60, y: 12 }, "share that was right"));
}

function curve(found) {
  const words = found.map((bin) => `${bin.from} to ${bin.to} %: ${bin.right} of ${bin.count} right`).join("; ");
  const svg = drawn("svg", { viewBox: "0 0 360 276", role: "img", class: "calibration" });
  svg.setAttribute("aria-label", `Confidence against share right. ${words}.`);
  axes(svg);
  const points = found.map((bin) => `${X(bin.said)},${Y(bin.share)}`).join(" ");
  svg.append(drawn("polyline", { points, class: "mine" }));
  for (const { said, share, count, range: [low, high] } of found) {
    svg.append(drawn("line", { x1: X(said), x2: X(said), y1: Y(low), y2: Y(high), class: "range" }),
      drawn("circle", { cx: X(said), cy: Y(share), r: 5 }),
      drawn("text", { x: X(said) + 8, y: Y(share) + (share > 0.5 ? 16 : -8) }, `n = ${count}`));
  }
  return svg;
}

function verdict(predictions) {
  const { count, right, share, said, range: [low, high] } = summary(predictions);
  const compared = said > high ? "You were surer than you were right."
    : said < low ? "You were right more often than you were sure." : "What you said lies inside that interval.";
  const counted = make("strong", {}, `Brier score ${brier(predictions).toFixed(3)}`);
  return make("p", {}, counted, ` over ${count} resolved. You said ${percent(said)} on average, and ${right} of `
    + `${count} were right: ${percent(share)} (95 % interval ${percent(low)} to ${percent(high)}). ${compared}`);
}

const OUTCOMES = new Map([[true, "right"], [false, "wrong"], [null, "open"]]);

function row(each) {
  const link = make("a", { href: `../notebooks/${encodeURIComponent(each.chapter)}.html` }, each.title);
  return [link, each.guess, `${each.confidence} %`, OUTCOMES.get(each.right), each.made];
}

function save() {
  const file = new Blob([`${JSON.stringify({ [KEY]: all() }, null, 1)}\n`], { type: "application/json" });
  const link = make("a", { href: URL.createObjectURL(file), download: "my-predictions.json" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function remove() {
  forgetAll();
  show();
  told.textContent = "Deleted. This browser keeps none of your predictions.";
}

function show() {
  const predictions = all(), found = bins(predictions);
  told.textContent = predictions.length ? "" : "No prediction is kept yet. Begin with the Predict box of any chapter.";
  page.replaceChildren();
  if (!predictions.length) return;
  if (found.length) {
    const rows = found.map((bin) => [`${bin.from} to ${bin.to} %`, `${bin.count}`, `${bin.right}`, percent(bin.share),
      bin.range.map(percent).join(" to ")]);
    page.append(verdict(predictions), curve(found),
      table("The curve as a table", ["How sure", "Resolved", "Right", "Share", "95 % interval"], rows));
  }
  page.append(table("Your predictions", ["Chapter", "Your guess", "Sure", "Outcome", "Day"], predictions.map(row)),
    make("p", {}, make("button", { type: "button", onclick: save }, "Save as a file"), " ",
      make("button", { type: "button", onclick: remove }, "Delete all")));
}

addEventListener("storage", show);
show();
