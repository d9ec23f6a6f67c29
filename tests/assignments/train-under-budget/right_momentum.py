"""Right, in other words: momentum without scaling, a validation set that stops in time, sums written as einsum."""

import time

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm, ttest_rel

my_guess = 0.8


def independent(images):
    n, d = np.shape(images)
    return {
        "bias": logit((np.sum(images, 0, dtype=float) + 0.5) / (n + 1)).reshape(1, d),
        "pairs": None,
        "shares": [1.0],
    }


def slope(bias, pairs, images):
    x = np.array(images, np.float32)
    below = np.arange(x.shape[1])[:, None] > np.arange(x.shape[1])
    error = expit(bias + np.einsum("nj,ij->ni", x, np.where(below, pairs, 0), optimize=True)) - x
    return [error.sum(0) / len(x), np.where(below, np.einsum("ni,nj->ij", error, x, optimize=True) / len(x), 0)]


def sampled(model, n, seed):
    chance, pictures = np.random.default_rng(seed), []
    shares = np.array(model["shares"], float)
    for kind in chance.choice(len(shares), size=n, p=shares / shares.sum()):
        bias, x = np.array(model["bias"][kind]), []
        for i in range(len(bias)):
            seen = sum(model["pairs"][kind][i][j] for j in range(i) if x[j]) if model["pairs"] is not None else 0
            x.append(int(chance.random() < expit(bias[i] + seen)))
        pictures.append(x)
    return np.array(pictures)


def learn(images, seconds, seed):
    end = time.process_time() + 0.8 * seconds
    chance, x = np.random.default_rng(seed), np.asarray(images, np.float32)
    chance.shuffle(x)
    check, x = x[:300], x[300:]
    d = x.shape[1]
    center = x.mean(0)
    bias, pairs = logit(center.clip(0.01, 0.99)), np.zeros((d, d), np.float32)
    speed_b, speed_p, best, turn = 0 * bias, 0 * pairs, (np.inf, bias, pairs), 0
    while time.process_time() < end:
        y = x[chance.integers(len(x), size=150)]
        error = expit(bias + (y - center) @ pairs.T) - y
        rate = 1.0 * min(1.0, 2 * (end - time.process_time()) / seconds)
        speed_b = 0.9 * speed_b - rate * error.mean(0)
        speed_p = 0.9 * speed_p - rate * (np.tril(error.T @ (y - center), -1) / len(y) + 1e-3 * pairs)
        bias, pairs, turn = bias + speed_b, (pairs + speed_p).astype(np.float32), turn + 1
        if turn % 50 == 0:
            logits = bias + (check - center) @ pairs.T
            worth = np.logaddexp(0, (1 - 2 * check) * logits).mean()
            best = min(best, (worth, bias, pairs), key=lambda each: each[0])
    return {"shares": [1.0], "bias": (best[1] - best[2] @ center)[None], "pairs": best[2][None]}


def p_value(record, challenger):
    if len(record) < 5 or len(record) != len(challenger):
        raise ValueError("five of both, and the same")
    return ttest_rel(record, challenger, alternative="greater").pvalue


def em(x, means, steps, floor=0.0):
    k, history = len(means), []
    weights, sds = np.ones(k) / k, np.ones(k) * np.std(x)
    for _ in range(steps):
        joint = np.array([weights[i] * norm(means[i], sds[i]).pdf(x) for i in range(k)])
        history.append(np.mean(np.log(joint.sum(0))))
        r = joint / joint.sum(0)
        weights = r.mean(1)
        means = (r @ x) / r.sum(1)
        sds = np.array([np.sqrt(np.average((x - means[i]) ** 2, weights=r[i]) + floor) for i in range(k)])
    return weights, means, sds, np.array(history)


my_base = bits(independent(train), held_out)
my_bits = bits(learn(train, 0.3, 1), held_out)
my_p = p_value(OWN["trial"], [0.2521, 0.2433, 0.2498, 0.2391, 0.2466, 0.2412])
