// "Bend the books": a month's profit and loss (left) and the 36 months after it (right).
// The functions of money are pure and exported, and equal those of genai_utils.business.unit_economics.

import {
  BLUE, GREEN, GRAY, ORANGE, RED, SKY, bars, digits, disc, given, line, number, panels, percent, plot, ticks,
} from "./kit.js";

export const DEFAULTS = {
  users: 100000, paying_share: 0.064, usd_per_payer: 20, payer_tokens: 15, free_tokens: 1,
  tokens_per_second: 39500, machine_usd_per_hour: 29.1, utilisation: 0.5, fixed_usd: 30000,
  price_factor: 1.2, cost_factor: 1.5, users_factor: 1.2, use_factor: 1.5,
};
export const MONTHS = 36;

/** Equation (unit.cost-per-token): USD a million tokens. */
export const tokenUsd = (p) => (1e6 * p.machine_usd_per_hour) / (3600 * p.tokens_per_second * p.utilisation);

/** Revenue, all costs and profit of a month, in USD; the margin is null without revenue. */
export function month(p) {
  const payers = p.users * p.paying_share, token = tokenUsd(p);
  const revenue = payers * p.usd_per_payer, paying = payers * p.payer_tokens * token;
  const free = (p.users - payers) * p.free_tokens * token;
  const margin = revenue > 0 ? 1 - (paying + free) / revenue : null;
  return { revenue, payers: paying, free, fixed: p.fixed_usd, profit: revenue - paying - free - p.fixed_usd, margin };
}

/** The month so many months later; equation (unit.decline). */
export function after(p, months) {
  const years = months / 12, use = p.use_factor ** years;
  return month({
    ...p, users: p.users * p.users_factor ** years, usd_per_payer: p.usd_per_payer / p.price_factor ** years,
    payer_tokens: p.payer_tokens * use, free_tokens: p.free_tokens * use,
    machine_usd_per_hour: p.machine_usd_per_hour / p.cost_factor ** years,
  });
}
export const path = (p) => Array.from({ length: MONTHS + 1 }, (_, m) => after(p, m));

/** Share of payers at which the month breaks even, above 1 if none does; null where a further payer earns nothing. */
export function breakEvenShare(p) {
  const token = tokenUsd(p), carried = p.free_tokens * token;
  const gained = p.usd_per_payer - p.payer_tokens * token + carried;
  return gained > 0 ? (carried + p.fixed_usd / p.users) / gained : null;
}

/** First month of a path whose profit has another sign than the first month's; null if none has. */
export function turn(months) {
  const found = months.findIndex(({ profit }) => profit < 0 !== months[0].profit < 0);
  return found < 0 ? null : found;
}

// --- the explorer ----------------------------------------------------------------------------------------------------

const thousands = (x) => number(x / 1e3, Math.abs(x) < 99950 ? 1 : 0);
const usd = (x) => `${number(x)} USD`;
const margin = (m) => (m.margin === null ? "no revenue" : percent(m.margin, 1));
const HALF_YEARS = [0, 6, 12, 18, 24, 30, 36];
const MONEY = { yTitle: "thousand USD a month", yText: (t) => number(t / 1e3, t % 1e3 ? 1 : 0) };

function breakEven(s) {
  const share = breakEvenShare(s);
  if (share === null) return "never: payers lose money";
  return share > 1 ? "never: all is not enough" : `${percent(share, 1)} pay`;
}

/** Left: revenue as a column, the three costs hanging from it one after the other, and what is left. */
function drawMonth(svg, s) {
  const m = month(s), left = m.revenue - m.payers, next = left - m.free;
  const columns = [
    ["revenue", 0, m.revenue, BLUE], ["payers", m.revenue, left, ORANGE], ["free users", left, next, SKY],
    ["fixed", next, m.profit, GRAY], ["profit", 0, m.profit, m.profit < 0 ? RED : GREEN],
  ];
  const cost = ([name, from, to]) => thousands(name === "profit" ? to : Math.abs(to - from));
  bars(svg, columns.map((column) => [...column, cost(column)]), { ...MONEY, xTitle: "" });
  return {
    words: `A month: revenue ${usd(m.revenue)}, serving payers ${usd(m.payers)}, serving free users ${usd(m.free)}, ` +
      `fixed ${usd(m.fixed)}, profit ${usd(m.profit)}.`,
    rows: [
      ["profit a month", usd(m.profit)], ["gross margin", margin(m)],
      ["a million tokens", `${number(tokenUsd(s), 3)} USD`], ["breaks even if", breakEven(s)],
    ],
  };
}

export function monthTable(s) {
  const m = month(s), names = ["revenue", "payers", "free", "fixed", "profit"];
  const texts = ["revenue", "serving payers", "serving free users", "fixed costs", "profit"];
  return { caption: "A month", head: ["", "USD"], rows: names.map((name, i) => [texts[i], number(m[name])]) };
}

/** Right: revenue and all costs over 36 months; a dot where profit turns. */
function drawYears(svg, s) {
  const months = path(s), costs = months.map((m) => m.revenue - m.profit), revenue = months.map((m) => m.revenue);
  const high = Math.max(1e-9, ...costs, ...revenue), when = turn(months), last = months[MONTHS];
  const { x, y } = plot(svg, {
    ...MONEY, x: [0, MONTHS], y: [0, high], xTicks: HALF_YEARS, yTicks: ticks(0, high), xTitle: "months from now",
  });
  const points = (values) => values.map((v, i) => [x(i), y(v)]);
  svg.append(line([...points(revenue), ...points(costs).reverse()], "none", { fill: GRAY, "fill-opacity": 0.2 }));
  svg.append(line(points(costs), ORANGE, { "stroke-dasharray": "6 4" }), line(points(revenue), BLUE));
  if (when !== null) svg.append(disc(x(when), y(revenue[when]), months[0].profit < 0 ? GREEN : RED));
  const turned = months[0].profit < 0 ? "first profit" : "first loss";
  return {
    words: `Over ${MONTHS} months revenue goes from ${usd(revenue[0])} to ${usd(revenue[MONTHS])} a month, costs ` +
      `from ${usd(costs[0])} to ${usd(costs[MONTHS])}; ${turned}: ${when === null ? "none" : `month ${when}`}.`,
    rows: [
      [turned, when === null ? `none in ${MONTHS} months` : `month ${when}`],
      [`profit in month ${MONTHS}`, usd(last.profit)],
      [`all ${MONTHS + 1} months together`, usd(months.reduce((sum, m) => sum + m.profit, 0))],
      ["gross margin then", margin(last)],
    ],
  };
}

export function yearsTable(s) {
  const row = (i) => after(s, i), amounts = ({ revenue, profit }) => [revenue, revenue - profit, profit].map(digits(0));
  return {
    caption: "The three years after, USD a month", head: ["month", "revenue", "all costs", "profit"],
    rows: HALF_YEARS.map((i) => [number(i), ...amounts(row(i))]),
  };
}

const times = (x) => `× ${number(x, 1)}`;
const share = (x) => percent(x, 1);
const PANELS = [
  { title: "A month", draw: drawMonth, table: monthTable, sliders: [
    ["users", "users", 1000, 1000000, 1000, digits(0)], ["paying_share", "of them pay", 0, 0.4, 0.002, share],
    ["usd_per_payer", "a payer brings, USD", 0, 100, 0.5, digits(1)],
    ["payer_tokens", "a payer’s million tokens", 0, 20, 0.1, digits(1)],
    ["free_tokens", "a free user’s", 0, 2, 0.02, digits(2)],
    ["utilisation", "machine busy", 0.02, 1, 0.02, (x) => percent(x)],
    ["machine_usd_per_hour", "its rent an hour, USD", 0.5, 60, 0.1, digits(1)],
    ["tokens_per_second", "its tokens a second", 500, 50000, 500, digits(0)],
    ["fixed_usd", "fixed costs, USD", 0, 300000, 1000, digits(0)]] },
  { title: "The three years after", draw: drawYears, table: yearsTable,
    key: [["revenue", BLUE, ""], ["all costs", ORANGE, "dash"]], sliders: [
      ["price_factor", "price falls, a year", 0.5, 10, 0.1, times],
      ["cost_factor", "rent falls, a year", 0.5, 10, 0.1, times],
      ["users_factor", "users grow, a year", 0.5, 4, 0.1, times],
      ["use_factor", "use grows, a year", 0.5, 4, 0.1, times]] },
];

const render = (context) => panels(context, "pnl", given(context.model, DEFAULTS), PANELS);

export default { render };
