// The button of a chapter whose code is folded: opens and closes all of it, except solutions. Without this script the
// button stays hidden, and each fold still opens by itself.
const button = document.querySelector(".fold-all");
const folds = [...document.querySelectorAll(".cell:not(.tag_hide-cell) > details.hide")];

function tell() {
  button.textContent = folds.every((fold) => fold.open) ? "Hide all code" : "Show all code";
}

function turn() {
  const open = !folds.every((fold) => fold.open);
  folds.forEach((fold) => { fold.open = open; });
}

button.addEventListener("click", turn);
for (const fold of folds) fold.addEventListener("toggle", tell);
button.hidden = false;
