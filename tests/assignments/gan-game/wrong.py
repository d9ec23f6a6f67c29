"""Plausible mistakes in the GAN game: what replaces the right functions."""

HEAD = "@arrays\ndef one_round(state, real, noise, step, brake):\n    a, b, c, u, v = state\n    fake = a + b * noise\n"
WRONG = {
    "the share of fakes": "@arrays\ndef best_d(p, q): return np.where(p + q > 0, q / np.maximum(p + q, 1e-300), 0.5)",
    "more real than fake is real": "@arrays\ndef best_d(p, q):\n"
    "    return np.where(p + q == 0, 0.5, (p > q).astype(float))",
    "where neither is, it is fake": "@arrays\ndef best_d(p, q): return p / np.maximum(p + q, 1e-300)",
    "nothing times log of nothing": "@arrays\ndef value(p, q, d):\n"
    "    return float((p * np.log(d) + q * np.log(1 - d)).sum())",
    "the coin is kept": "@arrays\ndef value(p, q, d):\n    e = 1e-300\n"
    "    return float((p * np.log(d + e) + q * np.log(1 - d + e)).sum()) / 2",
    "bits for nats": "@arrays\ndef jensen_shannon(p, q):\n    m = (p + q) / 2\n"
    "    return sum(float((w[w > 0] * np.log2(w[w > 0] / m[w > 0])).sum()) for w in (p, q)) / 2",
    "twice the divergence": "@arrays\ndef jensen_shannon(p, q):\n    m = (p + q) / 2\n"
    "    return sum(float((w[w > 0] * np.log(w[w > 0] / m[w > 0])).sum()) for w in (p, q))",
    "one side only": "@arrays\ndef jensen_shannon(p, q):\n    m = (p + q) / 2\n"
    "    return float((p[p > 0] * np.log(p[p > 0] / m[p > 0])).sum())",
    "Jensen-Shannon goes on growing": "def boxes(theta): return theta * math.log(2), theta",
    "Wasserstein stops as well": "def boxes(theta): return min(theta, 1) * math.log(2), min(theta, 1)",
    "the losses are exchanged": "def pulls(a): return (-float(sigmoid(-a)), -float(sigmoid(a)))",
    "slopes in D, not in the logit": "def pulls(a):\n    d = float(sigmoid(a))\n"
    "    return (-1 / max(1 - d, 1e-12), -1 / max(d, 1e-12))",
    "both at once, also in turn": "def round_matrix(h, g, in_turn):\n"
    "    return np.array([[1, h / 2], [-h / 2, 1 - h * g]])",
    "the generator first": "def round_matrix(h, g, in_turn):\n    D = np.array([[1, 0], [-h / 2, 1 - h * g]])\n"
    "    G = np.array([[1, h / 2], [0, 1]])\n    return D @ G if in_turn else D + G - np.eye(2)",
    "the brake on the generator": "def round_matrix(h, g, in_turn):\n    D = np.array([[1, 0], [-h / 2, 1]])\n"
    "    G = np.array([[1 - h * g, h / 2], [0, 1]])\n    return G @ D if in_turn else D + G - np.eye(2)",
    "the real part for the size": "def growth(m): return float(np.linalg.eigvals(np.array(m)).real.max())",
    "the most that one round can do": "def growth(m): return float(np.linalg.norm(np.array(m), 2))",
    "the area": "def growth(m): return float(abs(np.linalg.det(np.array(m))) ** 0.5)",
    "twice the brake": "def least_brake(step): return step / 2",
    "a brake that does not know the step": "def least_brake(step): return 0.1",
    "looks ahead, and steps from there": "def look_ahead(s, h):\n    ahead = np.array(s) + h * velocity(s)\n"
    "    return ahead + h * velocity(ahead)",
    "the mean of both slopes": "def look_ahead(s, h):\n    s = np.array(s)\n"
    "    return s + h * (velocity(s) + velocity(s + h * velocity(s))) / 2",
    "in turn for at once": "def velocity(s):\n    t, p = s\n    q = p - t / (1 + math.exp(-t * p))\n"
    "    return np.array([q / (1 + math.exp(-t * q)), -t / (1 + math.exp(-t * p))])",
    "the best snapshot": "def worst_of(path, m, s, last):\n"
    "    return min(max(abs(a - m), abs(abs(b) - s)) for a, b in path[-last:])",
    "the last snapshot": "def worst_of(path, m, s, last): return max(abs(path[-1][0] - m), abs(abs(path[-1][1]) - s))",
    "only the mean": "def worst_of(path, m, s, last): return max(abs(a - m) for a, b in path[-last:])",
    "no brake": "my_brake = 0.0",
    "a brake that shakes": "my_brake = 10.0",
    "at once for in turn, with the right slopes": HEAD + "    r, f = 1 - sigmoid(c + u * real + v * real**2), "
    "-sigmoid(c + u * fake + v * fake**2)\n    steep, pull = u + 2 * v * real, (1 + f) * (u + 2 * v * fake)\n"
    "    return [float(each) for each in (a + step * pull.mean(), b + step * (pull * noise).mean(),\n"
    "        c + step * (r.mean() + f.mean()),\n"
    "        u + step * ((r * real).mean() + (f * fake).mean() - brake * steep.mean()),\n"
    "        v + step * ((r * real**2).mean() + (f * fake**2).mean() - brake * (2 * real * steep).mean()))]",
    "somebody else's numbers": "my_divergence, my_spread = 0.1, 2.0",
    "no guess": "my_guess = None",
}
