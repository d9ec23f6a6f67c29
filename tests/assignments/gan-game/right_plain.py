"""Right, in other words: loops over plain numbers."""

my_guess = 3


def _log(weight, said):
    return weight * math.log(said) if weight > 0 else 0.0


def best_d(p, q):
    return [a / (a + b) if a + b > 0 else 0.5 for a, b in zip(p, q)]


def value(p, q, d):
    return sum(_log(a, s) + _log(b, 1 - s) for a, b, s in zip(p, q, d))


def jensen_shannon(p, q):
    # from the theorem, the other way round
    return (value(p, q, best_d(p, q)) + math.log(4)) / 2


def boxes(theta):
    if theta > 1:
        return [math.log(2), theta]
    return [theta * math.log(2), theta]


def pulls(logit):
    if logit > 30:
        return -1.0, -math.exp(-logit)
    d = math.exp(logit) / (1 + math.exp(logit))
    return -d, -(1 - d)


def _d(state, x):
    c, u, v = state
    return 1 / (1 + math.exp(-(c + u * x + v * x * x)))


def one_round(state, real, noise, step, brake):
    a, b, *d = state
    fakes = [a + b * z for z in noise]
    climbs = [0.0, 0.0, 0.0]
    for x in real:
        pull = 1 - _d(d, x)
        steep = d[1] + 2 * d[2] * x
        for k, (power, slope) in enumerate([(1, 0), (x, 1), (x * x, 2 * x)]):
            climbs[k] += (pull * power - brake * steep * slope) / len(real)
    for y in fakes:
        for k, power in enumerate([1, y, y * y]):
            climbs[k] -= _d(d, y) * power / len(fakes)
    d = [each + step * climb for each, climb in zip(d, climbs)]
    for y, z in zip(fakes, noise):
        pull = (1 - _d(d, y)) * (d[1] + 2 * d[2] * y) / len(fakes)
        a, b = a + step * pull, b + step * pull * z
    return a, b, *d


def worst_of(path, mean, sd, last):
    return max(max(abs(a - mean), abs(abs(b) - sd)) for a, b in path[len(path) - last :])


my_brake = 0.8


def round_matrix(step, brake, in_turn):
    psi = [-step / 2, 1 - step * brake]
    theta = [1 + step / 2 * psi[0], step / 2 * psi[1]] if in_turn else [1, step / 2]
    return [theta, psi]


def growth(matrix):
    (a, b), (c, d) = matrix
    half, area = (a + d) / 2, a * d - b * c
    if half**2 < area:
        return math.sqrt(area)
    return abs(half) + math.sqrt(half**2 - area)


def least_brake(step):
    return step / 4


def velocity(state):
    theta, psi = state
    g = 1 / (1 + math.exp(-psi * theta))
    return psi * g, -theta * g


def look_ahead(state, step):
    ahead = [x + step * v for x, v in zip(state, velocity(state))]
    return [x + step * v for x, v in zip(state, velocity(ahead))]


my_divergence = jensen_shannon(OWN["p"], OWN["q"])
my_spread = (1 + OWN["step"] ** 2 / 4) ** (OWN["rounds"] / 2)
