// Below each Predict box: the reader's guess and confidence, kept in this browser only (predictions.js), and resolved
// when the reader asks to. Without this script the box stays as it is.
import { find, forget, keep } from "./predictions.js";

const PAGE = new URL("../book/predictions.html", import.meta.url).href;
const CHAPTER = location.pathname.split("/").pop().replace(/\.html$/, "");
const BLOCKED = "Not kept: this browser lets the page store nothing.";

function make(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

const button = (text, onclick) => make("button", { type: "button", onclick }, text);

// The words of a box; a formula that stands already is read from its MathML.
function question(box) {
  const copy = box.cloneNode(true);
  copy.querySelector(".admonition-title")?.remove();
  for (const formula of copy.querySelectorAll("mjx-container"))
    formula.replaceWith(formula.querySelector("mjx-assistive-mml")?.textContent ?? "…");
  return copy.textContent.trim().replace(/\s+/g, " ");
}

function kept(prediction) {
  const outcome = prediction.right === null ? "" : ` You were ${prediction.right ? "right" : "wrong"}.`;
  return `You wrote “${prediction.guess}” on ${prediction.made} and were ${prediction.confidence} % sure.${outcome}`;
}

function guessForm(submit) {
  const guess = make("input", { type: "text", name: "guess", required: true, maxLength: 200, autocomplete: "off" });
  const sure = make("input", { type: "range", name: "sure", min: 50, max: 100, step: 5, value: 70 });
  const shown = make("span", {}, "70 %");
  sure.addEventListener("input", () => { shown.textContent = sure.ariaValueText = `${sure.value} %`; });
  const form = make("form", {}, make("label", {}, "Your guess ", guess),
    make("label", {}, "How sure are you? ", sure, " ", shown), make("button", { type: "submit" }, "Keep my prediction"),
    make("small", {}, "Less sure than 50 %? Then guess more widely: “between 60 and 110”."));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(guess.value.trim() || "(nothing)", Number(sure.value));
  });
  return form;
}

function mount(box, place) {
  const asked = { ...place, title: document.title.split(" — ")[0], question: question(box) };
  const told = make("p", { role: "status" }), controls = make("div", { className: "prediction-controls" });
  const show = (focus, ...nodes) => {
    controls.replaceChildren(...nodes);
    if (focus) controls.querySelector("input, button").focus();
  };
  const store = (prediction) => { if (keep(prediction)) view(true); else told.textContent = BLOCKED; };
  const submit = (guess, confidence) =>
    store({ ...asked, guess, confidence, made: new Date().toISOString().slice(0, 10), right: null });
  const remove = button("Delete it", () => { forget(place); view(true); });
  const ask = (mine) => button("Resolve it", () => {
    told.textContent = `${kept(mine)} Were you right? If the box asks for several things: in all of them?`;
    const [right, wrong] = [true, false].map((right) => () => store({ ...mine, right }));
    show(true, button("I was right", right), button("I was wrong", wrong), remove);
  });
  function view(focus) {
    const mine = find(place);
    told.textContent = mine ? kept(mine) : "";
    show(focus, ...(mine ? (mine.right === null ? [ask(mine), remove] : [remove]) : [guessForm(submit)]));
  }
  const link = make("a", { href: PAGE }, "How good are your predictions?");
  const note = make("p", { className: "prediction-note" }, "Kept in this browser only. ", link);
  const group = { className: "prediction", role: "group", ariaLabel: "Your prediction" };
  box.append(make("div", group, told, controls, note));
  view(false);
}

document.querySelectorAll(".callout-predict").forEach((box, index) => {
  mount(box, { chapter: CHAPTER, number: index + 1 });
});
