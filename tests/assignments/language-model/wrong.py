"""Plausible mistakes with language models: what replaces the right functions."""

LOSS = """@arrays
def batch_loss(logits, tokens, lengths):
    top = logits.max(-1, keepdims=True)
    log_probs = logits - top - np.log(np.exp(logits - top).sum(-1, keepdims=True))
"""
CHANCES = """@arrays
def chances(logits, temperature, k=None, p=1.0):
    if temperature == 0: return np.eye(len(logits))[logits.argmax()]
"""
WRONG = {
    "two to the power of nats": "@arrays\ndef perplexity(lp):\n    if np.any(lp > 0): raise ValueError\n"
    "    return float(2 ** -np.mean(lp))",
    "of the sum": "@arrays\ndef perplexity(lp):\n    if np.any(lp > 0): raise ValueError\n"
    "    return float(np.exp(-np.sum(lp)))",
    "the impossible is left out": "@arrays\ndef perplexity(lp):\n    if np.any(lp > 0): raise ValueError\n"
    "    return float(np.exp(-np.mean(lp[np.isfinite(lp)])))",
    "more than certain is accepted": "@arrays\ndef perplexity(lp): return float(np.exp(-np.mean(lp)))",
    "bits a token": "@arrays\ndef bits_per_character(lp, n): return float(-np.mean(lp) / math.log(2))",
    "nats a character": "@arrays\ndef bits_per_character(lp, n): return float(-np.sum(lp) / n)",
    "tokens for characters": "def bits_quoted(ppl, long): return math.log2(ppl) * long",
    "the perplexity is shared out": "def bits_quoted(ppl, long): return math.log2(ppl / long)",
    "padding counts": LOSS + "    return float(-np.take_along_axis(log_probs[:, :-1], tokens[:, 1:, None], -1).mean())",
    "not shifted": LOSS + "    said = np.take_along_axis(log_probs, tokens[..., None], -1)[..., 0]\n"
    "    return float(-said[np.arange(tokens.shape[1]) < lengths[:, None]].mean())",
    "each text counts the same": LOSS
    + "    said = np.take_along_axis(log_probs[:, :-1], tokens[:, 1:, None], -1)[..., 0]\n"
    "    return float(np.mean([-s[: n - 1].mean() for s, n in zip(said, lengths)]))",
    "one place of the padding counts": LOSS
    + "    said = np.take_along_axis(log_probs[:, :-1], tokens[:, 1:, None], -1)[..., 0]\n"
    "    return float(-said[np.arange(1, tokens.shape[1]) < lengths[:, None] + 1].mean())",
    "each row as if it spoke once": "@arrays\ndef table_slope(t, f):\n    r = np.exp(t)\n"
    "    return r / r.sum(1, keepdims=True) - f / np.maximum(f.sum(1, keepdims=True), 1)",
    "the softmax down the column": "@arrays\ndef table_slope(t, f):\n    r = np.exp(t)\n"
    "    return f.sum(1, keepdims=True) * r / r.sum(0, keepdims=True) - f",
    "climbs": "@arrays\ndef descended(f, steps, rate):\n    t = np.zeros(f.shape)\n    for _ in range(steps):\n"
    "        t = t + rate * table_slope(t, f) / np.maximum(f.sum(1, keepdims=True), 1)\n"
    "    r = np.exp(t - t.max(1, keepdims=True))\n    return r / r.sum(1, keepdims=True)",
    "the slope of all pairs, undivided": "@arrays\ndef descended(f, steps, rate):\n    t = np.zeros(f.shape)\n"
    "    for _ in range(steps):\n        t = t - rate * table_slope(t, f)\n"
    "    r = np.exp(t - t.max(1, keepdims=True))\n    return r / r.sum(1, keepdims=True)",
    "the cache is not divided by the root": "@arrays\ndef attend_next(q, k, v):\n"
    "    r = np.exp(k @ q - (k @ q).max())\n"
    "    return r @ v / r.sum()",
    "the sharpest key alone": "@arrays\ndef attend_next(q, k, v): return v[(k @ q).argmax()]",
    "the youngest key is not in the cache": "@arrays\ndef attend_next(q, k, v):\n    s = k @ q / math.sqrt(len(q))\n"
    "    r = np.exp(s - s.max())\n    return r[:-1] @ v[:-1] / r[:-1].sum()",
    "cuts first, heat then": CHANCES + "    r = np.exp(logits - logits.max())\n    o = np.argsort(-logits)\n"
    "    if k: r[o[k:]] = 0\n    r[o[np.cumsum(r[o]) - r[o] >= p * r.sum()]] = 0\n    r = r ** (1 / temperature)\n"
    "    return r / r.sum()",
    "the token that reaches p is cut": CHANCES + "    r = np.exp((logits - logits.max()) / temperature)\n"
    "    o = np.argsort(-logits)\n    if k: r[o[k:]] = 0\n    bad = np.cumsum(r[o]) > p * r.sum() + 1e-12\n"
    "    bad[0] = False\n    r[o[bad]] = 0\n    return r / r.sum()",
    "p of the whole, not of what is left": CHANCES + "    r = np.exp((logits - logits.max()) / temperature)\n"
    "    o, total = np.argsort(-logits), r.sum()\n    r[o[np.cumsum(r[o]) - r[o] >= p * total]] = 0\n"
    "    if k: r[o[k:]] = 0\n    return r / r.sum()",
    "not shared out again": CHANCES + "    r = np.exp((logits - logits.max()) / temperature)\n"
    "    r, o = r / r.sum(), np.argsort(-logits)\n    if k: r[o[k:]] = 0\n"
    "    r[o[np.cumsum(r[o]) - r[o] >= p * r.sum()]] = 0\n    return r",
    "times the temperature": "_right = chances\ndef chances(logits, t, k=None, p=1.0):\n"
    "    return _right(logits, 1 / t if t else 0, k, p)",
    "large logits overflow": CHANCES + "    r = np.exp(logits / temperature * 4) ** 0.25\n    o = np.argsort(-logits)\n"
    "    if k: r[o[k:]] = 0\n    r[o[np.cumsum(r[o]) - r[o] >= p * r.sum()]] = 0\n    return r / r.sum()",
    "a cut costs what it keeps": "@arrays\ndef cost_of_cut(logits, k=None, p=1.0):\n"
    "    return float(chances(logits, 1.0)[chances(logits, 1.0, k, p) > 0].sum())",
    "KL the other way": "@arrays\ndef cost_of_cut(logits, k=None, p=1.0):\n    a, b = chances(logits, 1.0), "
    "chances(logits, 1.0, k, p)\n    return float((a * np.log(a / np.where(b > 0, b, a)))[b > 0].sum())",
    "the impossible is drawn": "@arrays\ndef drawn(c, u): return int(np.argmax(np.cumsum(c) >= u))",
    "always the likeliest": "@arrays\ndef drawn(c, u): return int(np.argmax(c))",
    "the next one": "@arrays\ndef drawn(c, u): return min(int(np.sum(np.cumsum(c) <= u)) + 1, len(c) - 1)",
    "overlapping pairs": "def merged(word, pair):\n    out, i = [], 0\n    while i < len(word):\n"
    "        both = word[i : i + 2] == pair\n        out.append(word[i] + word[i + 1] if both else word[i])\n"
    "        i += 1\n    return tuple(out)",
    "only the first occurrence": "def merged(word, pair):\n    for i in range(len(word) - 1):\n"
    "        if word[i : i + 2] == pair:\n            return (*word[:i], word[i] + word[i + 1], *word[i + 2 :])\n"
    "    return tuple(word)",
    "pairs are counted once": "def train_bpe(text, merges):\n"
    "    counts = Counter(p for w in map(split_bytes, words(text)) for p in zip(w, w[1:]))\n"
    "    return {pair: i for i, (pair, _) in enumerate(counts.most_common(merges))}",
    "each word counts once": "def train_bpe(text, merges):\n    seen, rank = set(map(split_bytes, words(text))), {}\n"
    "    while len(rank) < merges:\n        counts = Counter(p for w in seen for p in zip(w, w[1:]))\n"
    "        if not counts: break\n        best = max(counts, key=lambda p: (counts[p], p))\n"
    "        rank[best] = len(rank)\n        seen = {merged(w, best) for w in seen}\n    return rank",
    "from left to right, whatever was learned first": "def encode(text, rank):\n    out = []\n"
    "    for w in map(split_bytes, words(text)):\n"
    "        while found := [p for p in zip(w, w[1:]) if p in rank]:\n            w = merged(w, found[0])\n"
    "        out += w\n    return out",
    "the longest first": "def encode(text, rank):\n    out, known = [], {a + b for a, b in rank}\n"
    "    for w in words(text):\n        w = w.encode()\n        while w:\n"
    "            n = next(n for n in range(len(w), 0, -1) if n == 1 or w[:n] in known)\n"
    "            out.append(w[:n])\n            w = w[n:]\n    return out",
    "each token decoded for itself": "def decode(tokens): return ''.join(t.decode(errors='replace') for t in tokens)",
    "what it does not know is dropped": "def decode(tokens): return b''.join(tokens).decode('ascii', errors='ignore')",
    "somebody else's numbers": "my_bits, my_chances, my_tokens = [1.0, 2.0], [1.0] + [0.0] * 5, 3",
    "no guess": "my_guess = ...",
}
