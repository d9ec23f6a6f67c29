"""Right, in other words: scipy, einsum, and a tokenizer on strings in which each byte is a character."""

from scipy.special import log_softmax, softmax

my_guess = 30.5


def perplexity(log_probs):
    if max(log_probs) > 0:
        raise ValueError("more than certain")
    return 2 ** bits_per_character(log_probs, len(log_probs))


def bits_per_character(log_probs, characters):
    return -np.log2(np.e) * np.sum(log_probs) / characters


def bits_quoted(perplexity, characters_per_token):
    return np.log2(perplexity) / characters_per_token


def batch_loss(logits, tokens, lengths):
    told = log_softmax(np.array(logits, float), axis=-1)
    pairs = [told[i, t, tokens[i][t + 1]] for i, length in enumerate(lengths) for t in range(length - 1)]
    return -np.mean(pairs)


def table_slope(table, followed):
    followed = np.array(followed)
    return np.einsum("a,ab->ab", followed.sum(1), softmax(np.array(table), axis=1)) - followed


def descended(followed, steps, rate):
    followed = np.array(followed, float)
    often = followed.sum(1)
    spoke = often > 0
    table = np.zeros_like(followed)
    for _ in range(steps):
        table[spoke] -= rate * (softmax(table, axis=1)[spoke] - followed[spoke] / often[spoke, None])
    return softmax(table, axis=1)


def attention(x, w_q, w_k, w_v, heads):
    x = np.array(x, float)
    n, width = x.shape
    apart = [np.einsum("hdw,nw->hnd", np.array(w).reshape(heads, -1, width), x) for w in (w_q, w_k, w_v)]
    scores = np.einsum("hid,hjd->hij", *apart[:2]) * (heads / width) ** 0.5
    scores[:, ~np.tri(n, dtype=bool)] = -1e30
    return np.concatenate(list(softmax(scores, axis=2) @ apart[2]), axis=1)


def attend_next(query, keys, values):
    keys = np.array(keys, float)
    return softmax(keys @ np.array(query) / np.sqrt(keys.shape[1])) @ np.array(values)


def chances(logits, temperature, k=None, p=1.0):
    logits = np.array(logits, float)
    if temperature == 0:
        return np.eye(len(logits))[logits.argmax()]
    q = softmax(logits / temperature)
    if k is not None:
        q = np.where(logits >= np.sort(logits)[::-1][min(k, len(q)) - 1], q, 0)
        q = q / q.sum()
    down = np.sort(q)[::-1]
    n = np.searchsorted(np.cumsum(down), p - 1e-12) + 1
    q[q < down[min(n, len(q)) - 1]] = 0
    return q / q.sum()


def cost_of_cut(logits, k=None, p=1.0):
    kept = np.array(chances(logits, 1, k, p)) > 0
    return -np.log(softmax(logits)[kept].sum())


def drawn(chances, u):
    return np.searchsorted(np.cumsum(chances), u, side="right")


def merged(word, pair):
    if len(word) < 2:
        return tuple(word)
    if word[:2] == pair:
        return (word[0] + word[1], *merged(word[2:], pair))
    return (word[0], *merged(word[1:], pair))


def train_bpe(text, merges):
    known, rank = Counter(map(split_bytes, words(text))), {}
    for _ in range(merges):
        counts = Counter()
        for word, n in known.items():
            for left, right in zip(word[:-1], word[1:]):
                counts[left, right] += n
        ordered = sorted(counts.items(), key=lambda each: (each[1], each[0]), reverse=True)
        if ordered:
            best = ordered[0][0]
            rank.setdefault(best, len(rank))
            known = Counter({merged(word, best): n for word, n in known.items()})
    return rank


def encode(text, rank):
    found = []
    for word in words(text):
        pieces = list(split_bytes(word))
        while True:
            places = [(rank[pair], i) for i, pair in enumerate(zip(pieces, pieces[1:])) if pair in rank]
            if not places:
                break
            i = min(places)[1]
            pieces[i : i + 2] = [pieces[i] + pieces[i + 1]]
        found += pieces
    return found


def decode(tokens):
    return b"".join(list(tokens)).decode("utf-8")


my_bits = np.log2([OWN["one"], OWN["other"]]) / [OWN["one_long"], OWN["other_long"]]
my_chances = chances(OWN["logits"], OWN["heat"], OWN["k"], OWN["p"])
my_tokens = len(encode(OWN["sentence"], train_bpe(OWN["text"], OWN["merges"])))
