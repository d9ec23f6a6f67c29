// Makes forms of a chapter's folded questions: the choices as radio buttons, the explanation in a live region, a score
// of first tries. Without this script, and in print, the folded text stays as it is.

const OPENING = { right: "", half: "Not the whole answer. ", wrong: "Not right. " };

// An explanation says by its first words whether the choice is right.
export function verdict(explanation) {
  if (!/^Right\b/.test(explanation)) return "wrong";
  return /^Right, but\b/.test(explanation) ? "half" : "right";
}

export function score(tries, questions) {
  const open = questions - tries.length, right = tries.filter((found) => found === "right").length;
  return `Right at the first try: ${right} of ${questions}${open ? ` (${open} still open)` : ""}`;
}

function make(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function choice(fold) {
  const summary = fold.querySelector("summary");
  const copies = (list) => [...list].map((node) => node.cloneNode(true));
  const why = () => copies(fold.childNodes).filter((node) => node.nodeName !== "SUMMARY");
  const text = why().map((node) => node.textContent).join("").trim();
  return { words: () => copies(summary.childNodes), why, verdict: verdict(text) };
}

function foldsAfter(box) {
  const folds = [];
  for (let node = box.nextElementSibling; node?.matches("details"); node = node.nextElementSibling) folds.push(node);
  return folds;
}

// The folds stay in the page, open, for those who print it.
function keepForPrint(folds) {
  const paper = make("div", { className: "quiz-paper" });
  folds[0].before(paper);
  for (const fold of folds) fold.open = true;
  paper.append(...folds);
  return paper;
}

function radio(name, value, words) {
  return make("label", {}, make("input", { type: "radio", name, value }), make("span", {}, ...words));
}

function form(box, choices, answered) {
  const title = box.querySelector(".admonition-title"), name = title.textContent.toLowerCase().replace(/\W+/g, "-");
  const told = make("output", { role: "status", ariaLive: "polite" });
  const text = make("div", { id: `${name}-text` }, ...[...box.children].filter((node) => node !== title));
  const labels = choices.map((each, place) => radio(name, place, each.words()));
  const check = make("button", { type: "submit" }, "Check");
  const group = make("fieldset", {}, make("legend", { className: title.className }, title.textContent), text);
  group.setAttribute("aria-describedby", text.id);
  group.append(...labels, check, told);
  const whole = make("form", { className: "quiz", autocomplete: "off" }, group);
  whole.addEventListener("change", () => { told.replaceChildren(); });
  whole.addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = choices[new FormData(whole).get(name) ?? -1];
    told.className = chosen ? `quiz-${chosen.verdict}` : "";
    told.replaceChildren(...(chosen ? [OPENING[chosen.verdict], ...chosen.why()] : ["Choose an answer first."]));
    if (chosen) answered(chosen.verdict);
  });
  box.replaceChildren(whole);
}

function mount() {
  const found = [...document.querySelectorAll(".callout-quiz")].map((box) => ({ box, folds: foldsAfter(box) }));
  const questions = found.map(({ box, folds }) => ({ box, folds, choices: folds.map(choice) }))
    .filter(({ choices }) => choices.filter((each) => each.verdict === "right").length === 1);
  if (!questions.length) return;
  const tries = new Map(), line = make("p", { className: "quiz-score" });
  const tell = () => { line.textContent = score([...tries.values()], questions.length); };
  for (const { box, folds, choices } of questions) {
    keepForPrint(folds).after(line);
    form(box, choices, (result) => {
      if (!tries.has(box)) tries.set(box, result);
      tell();
    });
  }
  tell();
}

if (globalThis.document) mount();
