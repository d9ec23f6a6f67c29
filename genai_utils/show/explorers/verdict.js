// "Your verdict": chances of four conditions and what ties them become the chances of four endings.
// The numerical functions are pure and exported; the rest draws what they return.

import { BLUE, GRAY, GREEN, ORANGE, PINK, bars, disc, label, line, number, panels, percent, plot } from "./kit.js";

export const NAMES = ["users", "tokens", "machines", "prices", "tied"];
const INVESTORS = ["tokens", "machines", "prices"];

/** Equation (verdict.tied): chance that all hold, if with chance `tied` one cause decides them together. */
export const chanceOfAll = (chances, tied) =>
  (1 - tied) * chances.reduce((product, chance) => product * chance, 1) + tied * Math.min(...chances);

/** Equation (verdict.bounds): least and greatest chance that all hold, whatever ties them. */
export const bounds = (chances) =>
  [Math.max(0, chances.reduce((sum, chance) => sum + chance, 0) - chances.length + 1), Math.min(...chances)];

const investors = (s) => INVESTORS.map((name) => s[name]);
const everybody = (s) => [s.users, ...investors(s)];

/** Chances of the four endings: both gain, only the users, only the investors, nobody. */
export function endings(s) {
  const both = chanceOfAll(everybody(s), s.tied), owners = chanceOfAll(investors(s), s.tied);
  return [both, s.users - both, owners - both, 1 - s.users - owners + both].map((chance) => Math.max(0, chance));
}

// --- the explorer ----------------------------------------------------------------------------------------------------

const ENDINGS = [["gold mine", GREEN], ["gift to users", BLUE], ["transfer", PINK], ["waste", GRAY]];
const share = (x) => percent(x);

/** Left: the four endings as columns. */
function drawEndings(svg, s) {
  const chances = endings(s), [least, most] = bounds(everybody(s));
  const columns = ENDINGS.map(([name, colour], i) => [name, 0, chances[i], colour, share(chances[i])]);
  bars(svg, columns, { y: [0, 1.06], yTicks: [0, 0.25, 0.5, 0.75, 1], yText: share, yTitle: "chance", xTitle: "" });
  return {
    words: ENDINGS.map(([name], i) => `${name} ${share(chances[i])}`).join(", "),
    rows: [
      ["gold mine", share(chances[0])], ["whatever ties them", `${share(least)} to ${share(most)}`],
      ["investors gain", share(chances[0] + chances[2])], ["nobody gains", share(chances[3])],
    ],
  };
}

export function endingsTable(s) {
  const rows = endings(s).map((chance, i) => [ENDINGS[i][0], share(chance)]);
  return { caption: "The four endings", head: ["", "chance"], rows };
}

/** Right: the chance of a gold mine from independent conditions to one common cause. */
function drawTie(svg, s) {
  const all = everybody(s), here = chanceOfAll(all, s.tied), fifths = [0, 0.25, 0.5, 0.75, 1];
  const { x, y } = plot(svg, {
    x: [0, 1], y: [0, 1], xTicks: fifths, yTicks: fifths, xText: share, yText: share,
    xTitle: "how often one cause decides all", yTitle: "chance of a gold mine",
  });
  svg.append(line([[x(0), y(chanceOfAll(all, 0))], [x(1), y(chanceOfAll(all, 1))]], BLUE));
  svg.append(line([[x(0), y(bounds(all)[0])], [x(1), y(bounds(all)[0])]], ORANGE, { "stroke-dasharray": "6 4" }));
  svg.append(label(x(1), y(bounds(all)[0]) - 6, "the least possible", { "text-anchor": "end" }));
  svg.append(disc(x(s.tied), y(here), BLUE));
  return {
    words: `Independent, all four hold with a chance of ${share(chanceOfAll(all, 0))}; with one cause ` +
      `${share(chanceOfAll(all, 1))}; tied as set, ${share(here)}.`,
    rows: [
      ["independent", share(chanceOfAll(all, 0))], ["one cause", share(chanceOfAll(all, 1))],
      ["the second over the first", all.includes(0) ? "none" : number(chanceOfAll(all, 1) / chanceOfAll(all, 0), 1)],
    ],
  };
}

export function tieTable(s) {
  const rows = [0, 0.25, 0.5, 0.75, 1].map((tied) => [share(tied), share(chanceOfAll(everybody(s), tied))]);
  return { caption: "The chance of a gold mine", head: ["one cause decides", "chance"], rows };
}

const chance = (name, text) => [name, text, 0, 1, 0.01, share];
const PANELS = [
  { title: "Your four chances", draw: drawEndings, table: endingsTable, sliders: [
    chance("users", "users gain"), chance("tokens", "tokens pay"), chance("machines", "machines pay"),
    chance("prices", "prices are met")] },
  { title: "What ties them", draw: drawTie, table: tieTable, sliders: [chance("tied", "one cause decides")] },
];
const SURE = { users: 0.9, tokens: 0.9, machines: 0.9, prices: 0.9, tied: 0 };

function render(context) {
  const start = Object.fromEntries(NAMES.map((name) => [name, context.model.get(name)]));
  return panels(context, "verdict", start, PANELS, [["Nine in ten each, independent", SURE]]);
}

export default { render };
