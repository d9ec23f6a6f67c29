"""Plausible mistakes in training under a budget: what replaces the right functions, and which test must notice."""

SLOPE = "def slope(bias, pairs, images):\n    x = np.asarray(images, np.float32)\n" \
        "    error = 1 / (1 + np.exp(-(bias + x @ np.tril(pairs, -1).T))) - x\n    return "  # fmt: skip
TABLE = "def independent(images):\n    x = np.asarray(images, float)\n    white = "
REST = '\n    return {"shares": np.ones(1), "bias": np.log(white / (1 - white))[None], "pairs": None}'
DRAWN = """def sampled(model, n, seed):
    rng, bias = np.random.default_rng(seed), np.asarray(model["bias"], float)
    d = bias.shape[1]
    pairs = np.tril(np.asarray(model["pairs"], float), -1)
    shares = np.asarray(model["shares"], float) / np.sum(model["shares"])
    kinds, x = rng.choice(len(shares), size=n, p=shares), np.zeros((n, d))
    for i in range(d):
        chance = 1 / (1 + np.exp(-bias[kinds, i] - (pairs[kinds, i] * x).sum(1)))
        x[:, i] = rng.random(n) < chance
    return x.astype(np.uint8)
"""
STEPS = """def learn(images, seconds, seed):
    began, rng, x = time.process_time(), np.random.default_rng(seed), np.asarray(images, np.float32)
    bias, pairs = independent(x)["bias"][0], np.zeros((196, 196))
    while time.process_time() - began < LIMIT * seconds:
        by_bias, by_pairs = slope(bias, pairs, x[rng.integers(len(x), size=BATCH)])
        bias, pairs = bias - RATE * by_bias, pairs - RATE * by_pairs
    return {"shares": np.ones(1), "bias": bias[None], "pairs": pairs[None]}
"""
MIXTURE = """def learn(images, seconds, seed):
    began, rng, x = time.process_time(), np.random.default_rng(seed), np.asarray(images, np.float32)
    white, shares = 0.5 * x[rng.integers(len(x), size=20)] + 0.25, np.ones(20) / 20
    while time.process_time() - began < 0.8 * seconds:
        logs = x @ np.log(white).T + (1 - x) @ np.log(1 - white).T + np.log(shares)
        r = np.exp(logs - logs.max(1, keepdims=True))
        r /= r.sum(1, keepdims=True)
        shares, white = r.mean(0) + 1e-9, ((r.T @ x + 0.1) / (r.sum(0)[:, None] + 0.2)).clip(1e-4, 1 - 1e-4)
    return {"shares": shares, "bias": np.log(white / (1 - white)), "pairs": None}
"""
P = "def p_value(record, challenger):\n    from scipy import stats\n" \
    "    if len(record) != len(challenger) or len(record) < 5:\n        raise ValueError\n    return "  # fmt: skip


def steps(limit: float, batch: int, rate: float) -> str:
    """Plain steps against the slope."""
    return STEPS.replace("LIMIT", str(limit)).replace("BATCH", str(batch)).replace("RATE", str(rate))


FIRST, WAY, LUCK = "the table", "of the way", "better or luckier"
WRONG = {
    "frequencies as they are": (TABLE + "x.mean(0)" + REST, FIRST),
    "ten pictures of each colour are added": (TABLE + "(x.sum(0) + 10) / (len(x) + 20)" + REST, FIRST),
    "a chance instead of log odds": (TABLE + '(x.sum(0) + 0.5) / (len(x) + 1)\n'
                                     '    return {"shares": np.ones(1), "bias": white[None], "pairs": None}', FIRST),
    "the sum over pictures": (SLOPE + "error.sum(0), np.tril(error.T @ x, -1)", "the slope"),
    "pairs the other way round": (SLOPE + "error.mean(0), np.tril(x.T @ error / len(x), -1)", "the slope"),
    "the diagonal is kept": (SLOPE + "error.mean(0), np.tril(error.T @ x / len(x))", "the slope"),
    "uphill": (SLOPE + "-error.mean(0), -np.tril(error.T @ x / len(x), -1)", "the slope"),
    "bits for nats": (SLOPE + "error.mean(0) / np.log(2), np.tril(error.T @ x / len(x), -1) / np.log(2)", "the slope"),
    "the likelier colour": (DRAWN.replace("rng.random(n) < chance", "chance > 0.5"), "pictures come"),
    "kinds are equally frequent": (DRAWN.replace(", p=shares", ""), "pictures come"),
    "pixels do not see each other": (DRAWN.replace("- (pairs[kinds, i] * x).sum(1)", ""), "pictures come"),
    "the seed is forgotten": (DRAWN.replace("default_rng(seed)", "default_rng()"), "pictures come"),
    "the time is spent": (steps(3.0, 100, 0.5), WAY),
    "the table again": ("def learn(images, seconds, seed): return independent(images)", WAY),
    "a mixture of tables": (MIXTURE, WAY),
    "steps too large": (steps(0.8, 100, 60.0), WAY),
    "steps too small": (steps(0.8, 100, 0.001), WAY),
    "learned by heart": (steps(0.8, 3_000, 8.0).replace("np.asarray(images", "np.asarray(images[:150]"), WAY),
    "weights for one picture": (steps(0.8, 100, 0.5).replace("pairs[None]", "pairs"), WAY),
    "not a number": (steps(0.8, 100, 0.5).replace("bias[None]", "bias[None] * np.nan"), WAY),
    "both tails": (P + "float(stats.ttest_rel(record, challenger).pvalue)", LUCK),
    "worlds are not paired": (P + "float(stats.ttest_ind(record, challenger, equal_var=False, "
                              "alternative='greater').pvalue)", LUCK),
    "the wrong tail": (P + "float(stats.ttest_rel(record, challenger, alternative='less').pvalue)", LUCK),
    "a bell curve for five worlds": (P + "float(stats.norm.sf(stats.ttest_rel(record, challenger).statistic))",
                                     LUCK),
    "four worlds will do": (P.replace("< 5", "< 4") +
                            "float(stats.ttest_rel(record, challenger, alternative='greater').pvalue)", "too few"),
    "per cent for a share": ("my_guess = 60", "a guess"),
    "somebody else's numbers": ("my_base, my_p, my_bits = 0.51, 0.2, 0.3", "the numbers"),
}  # fmt: skip
