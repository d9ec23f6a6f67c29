"""Right, in other words: loops over plain numbers, and a tokenizer that marks the cuts between tokens."""

my_guess = 11


def perplexity(log_probs):
    total = 0.0
    for each in log_probs:
        if each > 0:
            raise ValueError(each)
        total -= each
    return math.exp(total / len(log_probs)) if total < math.inf else math.inf


def bits_per_character(log_probs, characters):
    return sum(-each for each in log_probs) / (characters * math.log(2))


def bits_quoted(perplexity, characters_per_token):
    return math.log(perplexity) / math.log(2) / characters_per_token


def _softmax(row):
    raised = [math.exp(each - max(row)) for each in row]
    return [each / sum(raised) for each in raised]


def batch_loss(logits, tokens, lengths):
    nats, n = 0.0, 0
    for rows, text, length in zip(logits, tokens, lengths):
        for place in range(1, length):
            nats -= math.log(_softmax(rows[place - 1])[text[place]])
            n += 1
    return nats / n


def table_slope(table, followed):
    rows = []
    for logits, came in zip(table, followed):
        rows.append([sum(came) * said - c for said, c in zip(_softmax(logits), came)])
    return rows


def descended(followed, steps, rate):
    rows = []
    for came in followed:
        logits, often = [0.0] * len(came), sum(came)
        for _ in range(steps if often else 0):
            logits = [a - rate * (said - c / often) for a, said, c in zip(logits, _softmax(logits), came)]
        rows.append(_softmax(logits))
    return rows


def attention(x, w_q, w_k, w_v, heads):
    def mapped(w, row):
        return [sum(a * b for a, b in zip(line, row)) for line in w]

    q, k, v = ([mapped(w, row) for row in x] for w in (w_q, w_k, w_v))
    d = len(x[0]) // heads
    rows = []
    for i in range(len(x)):
        row = []
        for first in range(0, d * heads, d):
            part = slice(first, first + d)
            row += list(
                attend_next(q[i][part], [each[part] for each in k[: i + 1]], [each[part] for each in v[: i + 1]])
            )
        rows.append(row)
    return rows


def attend_next(query, keys, values):
    scores = [sum(a * b for a, b in zip(query, key)) / len(query) ** 0.5 for key in keys]
    shares = _softmax(scores)
    return [sum(share * value[i] for share, value in zip(shares, values)) for i in range(len(values[0]))]


def chances(logits, temperature, k=None, p=1.0):
    ranked = sorted(range(len(logits)), key=lambda i: (-logits[i], i))
    if not temperature:
        return [float(i == ranked[0]) for i in range(len(logits))]
    ranked = ranked[: k or len(logits)]
    left = dict(zip(ranked, _softmax([logits[i] / temperature for i in ranked])))
    kept, held = {}, 0.0
    for i in ranked:
        if held >= p:
            break
        kept[i], held = left[i], held + left[i]
    return [kept.get(i, 0.0) / held for i in range(len(logits))]


def cost_of_cut(logits, k=None, p=1.0):
    q = chances(logits, 1.0, k, p)
    return sum(a * math.log(a / b) for a, b in zip(q, _softmax(logits)) if a)


def drawn(chances, u):
    for i, chance in enumerate(chances):
        u -= chance
        if u < 0:
            return i
    return len(chances) - 1


def merged(word, pair):
    word = list(word)
    i = 0
    while i + 1 < len(word):
        if (word[i], word[i + 1]) == pair:
            word[i : i + 2] = [word[i] + word[i + 1]]
        i += 1
    return tuple(word)


def train_bpe(text, merges):
    parts = [split_bytes(word) for word in words(text)]
    rank = {}
    for place in range(merges):
        counts = Counter(pair for word in parts for pair in zip(word, word[1:]))
        if not counts:
            return rank
        most = max(counts.values())
        best = sorted(pair for pair, n in counts.items() if n == most)[-1]
        rank[best] = place
        parts = [merged(word, best) for word in parts]
    return rank


def encode(text, rank):
    found = []
    for word in words(text):
        pieces = split_bytes(word)
        for pair in sorted(rank, key=lambda pair: rank[pair]):
            pieces = merged(pieces, pair)
        found.extend(pieces)
    return found


def decode(tokens):
    whole = bytearray()
    for token in tokens:
        whole += token
    return str(bytes(whole), "utf-8")


my_bits = [bits_quoted(OWN["one"], OWN["one_long"]), bits_quoted(OWN["other"], OWN["other_long"])]
my_chances = chances(OWN["logits"], OWN["heat"], OWN["k"], OWN["p"])
my_tokens = len(encode(OWN["sentence"], train_bpe(OWN["text"], OWN["merges"])))
