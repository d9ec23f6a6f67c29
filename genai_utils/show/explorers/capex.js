// "What must be true": what machines must earn (left), and what an hour of one of them must bring (right).
// The numerical functions are pure and exported; the rest draws what they return. All figures of the world come
// from Python, which reads them from the table of facts.

import {
  BLUE, GREEN, GRAY, ORANGE, PINK, SKY, bars, digits, disc, label, line, number, panels, percent, plot, ticks,
} from "./kit.js";

export const NAMES = [
  "capex", "chip_share", "chip_life", "building_life", "rate", "running", "margin", "revenue_today",
  "utilisation", "gpu_cost", "rent",
];
const HOURS = 8760;

/** Equation (machines.annuity): yearly payment that repays an amount with interest. */
export function annuity(amount, rate, years) {
  return rate === 0 ? amount / years : (amount * rate) / -Math.expm1(-years * Math.log1p(rate));
}

/** What a year costs, in billions: chips, buildings, running them. */
export function parts(s) {
  const chips = s.capex * s.chip_share;
  return [annuity(chips, s.rate, s.chip_life), annuity(s.capex - chips, s.rate, s.building_life), s.capex * s.running];
}
export const yearlyCost = (s) => parts(s).reduce((sum, part) => sum + part, 0);

/** Equation (machines.capex-revenue): what users must pay a year, in billions. */
export const requiredRevenue = (s) => yearlyCost(s) / (1 - s.margin);

/** What an hour sold of one machine must bring, in dollars; gpu_cost in thousands. Equation (machines.hour). */
export const hourlyCost = (s, utilisation = s.utilisation) =>
  ((yearlyCost(s) / s.capex) * s.gpu_cost * 1000) / (HOURS * utilisation);

/** Share of the hours that must be sold at the market's rent; above 1 no load is enough. */
export const breakEvenUtilisation = (s) => hourlyCost(s, 1) / s.rent;

/** Growth a year at which what comes on top of today's revenue pays in the chips' life. Equation (machines.path). */
export function neededGrowth(s) {
  const needed = (requiredRevenue(s) + s.revenue_today) / s.revenue_today;
  const years = Array.from({ length: Math.ceil(s.chip_life) }, (_, k) => [k + 1, Math.min(1, s.chip_life - k)]);
  const mean = (growth) => (growth === 0 ? 1 : growth / Math.log1p(growth)); // of a year, in times its first day
  const sold = (growth, t) => mean(growth) * (1 + growth) ** (t - 1);
  const gap = (growth) =>
    years.reduce((sum, [t, alive]) => sum + (alive * (sold(growth, t) - needed)) / (1 + s.rate) ** t, 0);
  let low = -0.99, high = 1;
  while (gap(high) < 0) high *= 2;
  for (let halving = 0; halving < 60; halving += 1) {
    const middle = (low + high) / 2;
    if (gap(middle) < 0) low = middle; else high = middle;
  }
  return (low + high) / 2;
}

// --- the explorer ----------------------------------------------------------------------------------------------------

const money = (x) => number(x, x > 0 && x < 10 ? 1 : 0);
const years = (x) => `${x} y`;

/** Left: the yearly bill piled up part by part, against today's revenue. */
function drawBill(svg, s) {
  const [chips, buildings, running] = parts(s), cost = chips + buildings + running, needed = requiredRevenue(s);
  const columns = [
    ["chips", 0, chips, BLUE], ["buildings", chips, chips + buildings, SKY],
    ["running", chips + buildings, cost, GREEN], ["sellers", cost, needed, PINK],
    ["needed", 0, needed, ORANGE], ["today", 0, s.revenue_today, GRAY],
  ];
  const axis = { yTitle: "billion dollars a year", xTitle: "" };
  bars(svg, columns.map((column) => [...column, money(column[2] - column[1])]), axis);
  return {
    words: `A year costs ${money(cost)} billion: chips ${money(chips)}, buildings ${money(buildings)}, running ` +
      `${money(running)}. Users must pay ${money(needed)} billion; today they pay ${money(s.revenue_today)} billion.`,
    rows: [
      ["users must pay a year", `${money(needed)} billion`],
      ["times today’s revenue", number(needed / s.revenue_today, 2)],
      ["growth a year while chips live", percent(neededGrowth(s))],
      ["revenue per dollar of capex", number(needed / s.capex, 2)],
    ],
  };
}

export function billTable(s) {
  const needed = requiredRevenue(s), amounts = [...parts(s), needed - yearlyCost(s), needed, s.revenue_today];
  const names = ["chips", "buildings", "running", "sellers keep", "users must pay", "users pay today"];
  const rows = names.map((name, i) => [name, money(amounts[i])]);
  return { caption: "What users must pay", head: ["", "billion dollars a year"], rows };
}

const enoughInWords = (s) => (breakEvenUtilisation(s) > 1 ? "none is enough" : percent(breakEvenUtilisation(s)));

/** Right: what an hour sold must bring, by the share of hours sold; the dashed line is what the market pays. */
function drawHour(svg, s) {
  const now = hourlyCost(s), top = Math.max(3 * s.rent, now) * 1.1;
  const { x, y } = plot(svg, {
    x: [0, 1], y: [0, top], xTicks: [0, 0.25, 0.5, 0.75, 1], yTicks: ticks(0, top), xText: (t) => percent(t),
    xTitle: "share of the hours that are sold", yTitle: "dollars for an hour sold",
  });
  const shares = Array.from({ length: 200 }, (_, i) => (i + 1) / 200).filter((u) => hourlyCost(s, u) <= top);
  if (shares.length > 1) svg.append(line(shares.map((u) => [x(u), y(hourlyCost(s, u))]), BLUE));
  svg.append(line([[x(0), y(s.rent)], [x(1), y(s.rent)]], ORANGE, { "stroke-dasharray": "6 4" }));
  svg.append(label(x(1), y(s.rent) - 6, "the market’s rent", { "text-anchor": "end" }));
  svg.append(disc(x(s.utilisation), y(now), BLUE));
  return {
    words: `With ${percent(s.utilisation)} of the hours sold, an hour must bring ${number(now, 2)} dollars; the ` +
      `market pays ${number(s.rent, 2)}. Share that pays at this rent: ${enoughInWords(s)}.`,
    rows: [
      ["an hour must bring", `${number(now, 2)} dollars`], ["the market pays", `${number(s.rent, 2)} dollars`],
      ["share of hours that pays", enoughInWords(s)], ["gain or loss on an hour", `${number(s.rent - now, 2)} dollars`],
    ],
  };
}

export function hourTable(s) {
  const row = (u) => [hourlyCost(s, u), s.rent, s.rent - hourlyCost(s, u)];
  return {
    caption: "An hour of one machine, in dollars",
    head: ["hours sold", "must bring", "the market pays", "gain or loss"],
    rows: [0.1, 0.2, 0.4, 0.6, 0.8, 1].map((u) => [percent(u), ...row(u).map(digits(2))]),
  };
}

const share = (x) => percent(x), plain = (x) => String(x); // name, label, lowest, highest, step, how to write it
const PANELS = [
  { title: "What users must pay", draw: drawBill, table: billTable, sliders: [
    ["capex", "spent once, billion USD", 50, 2000, 5, plain], ["chip_share", "of it on chips", 0.3, 0.9, 0.01, share],
    ["chip_life", "chips last", 1, 12, 0.5, years], ["building_life", "buildings last", 1, 40, 1, years],
    ["rate", "return asked", 0, 0.2, 0.005, (x) => percent(x, 1)],
    ["running", "running, of capex", 0, 0.2, 0.01, share], ["margin", "sellers keep", 0, 0.8, 0.01, share],
    ["revenue_today", "today’s revenue, billion", 10, 1000, 1, plain]] },
  { title: "What an hour of one machine must bring", draw: drawHour, table: hourTable, sliders: [
    ["utilisation", "hours sold", 0.1, 1, 0.01, share], ["gpu_cost", "one GPU, thousand USD", 10, 100, 0.5, digits(1)],
    ["rent", "the market’s rent", 0.5, 10, 0.05, digits(2)]] },
];
const ONE_YEAR = { chip_life: 1, building_life: 1, rate: 0, running: 0, margin: 0.5 };

function render(context) {
  const start = Object.fromEntries(NAMES.map((name) => [name, context.model.get(name)]));
  return panels(context, "capex", start, PANELS, [["Charge it all to one year", ONE_YEAR]]);
}

export default { render };
