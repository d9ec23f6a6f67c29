// The page "Real or generated?": twenty pictures or lines, an answer each, and then who was taken for what.
import { interval } from "./predictions.js";

const ROUND = 20, SIDE = 28;
const percent = (share) => `${Math.round(100 * share)} %`;

function make(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

// Some of a list, in an order drawn by chance.
export function drawn(list, count, chance = Math.random) {
  const rest = [...list];
  const one = () => rest.splice(Math.floor(chance() * rest.length), 1)[0];
  return Array.from({ length: Math.min(count, rest.length) }, one);
}

// How often what was real, and what was made, was called real. answers: { kind, real }, `real` being what was said.
export function confusion(answers) {
  const count = (real, said) => answers.filter((each) => (each.kind === "real") === real && each.real === said).length;
  return [true, false].map((real) => [true, false].map((said) => count(real, said)));
}

// Of each maker, how many were shown and how many taken for real.
export function fooled(answers) {
  const kinds = [...new Set(answers.map((each) => each.kind))].filter((kind) => kind !== "real").sort();
  return kinds.map((kind) => {
    const shown = answers.filter((each) => each.kind === kind);
    return { kind, shown: shown.length, taken: shown.filter((each) => each.real).length };
  });
}

export function verdict(answers) {
  const [[hits], [, rejections]] = confusion(answers), right = hits + rejections;
  const [low, high] = interval(right, answers.length);
  const told = low > 0.5 ? "You told them apart better than a coin does."
    : high < 0.5 ? "You were wrong more often than a coin: you see a difference, and read it the wrong way round."
      : "A coin may do as well: half lies inside that interval.";
  return `${right} of ${answers.length} right: ${percent(right / answers.length)} `
    + `(95 % interval ${percent(low)} to ${percent(high)}). ${told}`;
}

function picture(pixels) {
  const ariaLabel = "a picture of 28 by 28 grey values";
  const canvas = make("canvas", { width: SIDE, height: SIDE, role: "img", ariaLabel });
  const context = canvas.getContext("2d"), image = context.createImageData(SIDE, SIDE);
  pixels.forEach((grey, i) => { image.data.set([grey, grey, grey, 255], 4 * i); });
  context.putImageData(image, 0, 0);
  return canvas;
}

// What can be shown, by the name of the game.
function items(data) {
  const bytes = Uint8Array.from(atob(data.pictures.pixels), (each) => each.charCodeAt(0));
  const size = SIDE * SIDE;
  return {
    picture: data.pictures.kinds.map((kind, i) =>
      ({ kind, show: () => picture(bytes.subarray(i * size, (i + 1) * size)) })),
    line: data.lines.map(([words, kind]) => ({ kind, show: () => make("blockquote", {}, words) })),
  };
}

function table(caption, head, rows) {
  const line = ([first, ...cells]) =>
    make("tr", {}, make("th", { scope: "row" }, first), ...cells.map((cell) => make("td", {}, `${cell}`)));
  const top = make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)));
  return make("table", {}, make("caption", {}, caption), make("thead", {}, top), make("tbody", {}, ...rows.map(line)));
}

function result(answers, again) {
  const [real, made] = confusion(answers);
  const said = table("What you said", ["It was", "you said real", "you said generated"],
    [["real", ...real], ["generated", ...made]]);
  const makers = fooled(answers).map(({ kind, shown, taken }) => [kind, shown, taken]);
  return [make("p", { className: "blind-verdict" }, verdict(answers)), said,
    table("Who took you in", ["Maker", "shown", "taken for real"], makers),
    make("button", { type: "button", onclick: again }, "Another round")];
}

// One game in its place: a round of things to judge, and then the result.
function play(place, name, all) {
  const status = make("p", { role: "status" }), stage = make("div", { className: "blind-stage" });
  const answers = [], title = name[0].toUpperCase() + name.slice(1);
  let left = drawn(all, ROUND);
  const buttons = [["Real", true], ["Generated", false]].map(([text, real]) =>
    make("button", { type: "button", onclick: () => answer(real) }, text));
  const choice = make("div", { role: "group", ariaLabel: `Is this ${name} real or generated?` }, ...buttons);
  place.replaceChildren(status, stage, choice);

  function show() {
    const done = answers.length === ROUND;
    status.textContent = done ? "The round is over." : `${title} ${answers.length + 1} of ${ROUND}`;
    choice.hidden = done;
    stage.replaceChildren(...(done ? result(answers, again) : [left[0].show()]));
    if (done) stage.querySelector("button").focus();
  }
  function answer(real) {
    answers.push({ kind: left.shift().kind, real });
    show();
  }
  function again() {
    answers.length = 0;
    left = drawn(all, ROUND);
    show();
    buttons[0].focus();
  }
  show();
}

async function start(places) {
  try {
    const found = items(await (await fetch(new URL("blind.json", import.meta.url))).json());
    for (const place of places) play(place, place.dataset.game, found[place.dataset.game]);
  } catch (error) {
    for (const place of places) place.textContent = `The test could not be loaded (${error.message}). Reload the page.`;
  }
}

if (globalThis.document) start(document.querySelectorAll("[data-game]"));
