// The reader's predictions: kept under one key of this browser's storage, and nowhere else; and their scores.
// A prediction: { chapter, title, number, question, guess, confidence (50 to 100), made (a day), right (null: open) }.

export const KEY = "gold-mine-or-bubble.predictions";

const TEXTS = ["chapter", "title", "question", "guess", "made"];
const isPrediction = (each) => TEXTS.every((name) => typeof each?.[name] === "string")
  && Number.isInteger(each.number) && each.confidence >= 50 && each.confidence <= 100
  && [true, false, null].includes(each.right);

// What was kept as text; what is damaged or of another shape is left out.
export function parse(text) {
  try {
    return JSON.parse(text).filter(isPrediction);
  } catch {
    return [];
  }
}

export function all() {
  try {
    return parse(localStorage.getItem(KEY) ?? "[]");
  } catch {
    return [];  // the browser forbids storage
  }
}

const same = (a, b) => a.chapter === b.chapter && a.number === b.number;

export const find = (place) => all().find((each) => same(each, place));

// Keeps a prediction in place of an earlier one of the same box. Says whether the browser took it.
export function keep(prediction) {
  try {
    localStorage.setItem(KEY, JSON.stringify([...all().filter((each) => !same(each, prediction)), prediction]));
    return true;
  } catch {
    return false;
  }
}

export function forget(place) {
  const rest = all().filter((each) => !same(each, place));
  if (rest.length) localStorage.setItem(KEY, JSON.stringify(rest));
  else forgetAll();
}

export const forgetAll = () => { localStorage.removeItem(KEY); };

export const decided = (predictions) => predictions.filter((each) => each.right !== null);

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

// Mean squared distance of what was said from what came, as genai_utils.records.forecasts.brier; null for none.
export function brier(predictions) {
  const known = decided(predictions);
  return known.length ? mean(known.map((each) => (each.confidence / 100 - each.right) ** 2)) : null;
}

// Wilson's 95 % interval of a share.
export function interval(right, count) {
  const z = 1.959963984540054, share = right / count, weight = 1 + z * z / count;
  const middle = (share + z * z / (2 * count)) / weight;
  const half = z / weight * Math.sqrt(share * (1 - share) / count + z * z / (4 * count * count));
  return [middle - half, middle + half];
}

export function summary(predictions) {
  const known = decided(predictions), right = known.filter((each) => each.right).length, count = known.length;
  if (!count) return null;
  return { count, right, share: right / count, said: mean(known.map((each) => each.confidence)) / 100,
    range: interval(right, count) };
}

// The summary of each ten percent of confidence that holds a prediction; the last holds 100 % too.
export function bins(predictions) {
  const within = (from) => (each) => Math.min(Math.floor(each.confidence / 10), 9) === from / 10;
  return [50, 60, 70, 80, 90].map((from) => [from, summary(predictions.filter(within(from)))])
    .filter(([, found]) => found).map(([from, found]) => ({ from, to: from === 90 ? 100 : from + 9, ...found }));
}
