"""Right, in other words: arrays, scipy's functions, and slopes by matrices of features."""

from scipy.special import expit, rel_entr, xlogy

my_guess = 0.25


def best_d(p, q):
    p, q = np.array(p), np.array(q)
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(p / (p + q), nan=0.5)


def value(p, q, d):
    return xlogy(p, d).sum() + xlogy(q, 1 - np.array(d)).sum()


def jensen_shannon(p, q):
    m = np.add(p, q) / 2
    return (rel_entr(p, m) + rel_entr(q, m)).sum() / 2


def boxes(theta):
    overlap = max(0, 1 - theta)
    return np.array([jensen_shannon([1 - overlap, overlap, 0], [0, overlap, 1 - overlap]), theta])


def pulls(logit):
    return -expit(logit), -expit(-logit)


def one_round(state, real, noise, step, brake):
    g, d = np.array(state[:2]), np.array(state[2:])
    real, look = np.asarray(real), np.stack([np.ones(len(noise)), noise])
    fake = g @ look

    def features(x):
        return np.stack([x**0, x, x**2])

    bend = np.stack([0 * real, real**0, 2 * real])
    up = features(real) @ expit(-d @ features(real)) / len(real) - features(fake) @ expit(d @ features(fake)) / len(
        fake
    )
    d = d + step * (up - brake * bend @ (d @ bend) / len(real))
    inner = d[1] + 2 * d[2] * fake
    g = g + step * look @ (expit(-(d @ features(fake))) * inner) / len(fake)
    return np.concatenate([g, d])


def worst_of(path, mean, sd, last):
    a, b = np.transpose(path)
    off = np.stack([a - mean, abs(b) - sd], 1)
    return np.max(abs(off[-last:]))


my_brake = 1.2


def round_matrix(step, brake, in_turn):
    J = np.array([[0, 0.5], [-0.5, -brake]])
    M = np.eye(2) + step * J
    if in_turn:
        M[0] += step / 2 * (M[1] - [0, 1])
    return M


def growth(matrix):
    # many rounds of the matrix, squared again and again
    M, log = np.array(matrix, float), 0.0
    for k in range(40):
        size = np.linalg.norm(M)
        log += math.log(size) / 2**k
        M = (M / size) @ (M / size)
    return math.exp(log)


def least_brake(step):
    return 0.25 * step


def velocity(state):
    return expit(state[0] * state[1]) * np.array([state[1], -state[0]])


def look_ahead(state, step):
    state = np.array(state)
    half = velocity(state)
    return state + velocity(state + half * step) * step


my_divergence = jensen_shannon(OWN["p"], OWN["q"])
my_spread = growth(round_matrix(OWN["step"], 0, False)) ** OWN["rounds"]
