"""Twenty questions about models: each answer comes from the function of the package that its chapter uses."""

from __future__ import annotations

import math
from random import Random

import torch

from genai_utils.business import clusters
from genai_utils.metrics import distances, hardware, likelihood, text
from genai_utils.models import densities, gan, gpt, ngram, vqvae, wavenet
from tools.exams.question import Asked, question


@question("probability", "Bits a pixel")
def bits(draw: Random) -> Asked:
    """Nats of a picture, as bits a dimension."""
    nats, side = draw.choice([1_300, 1_600, 1_900]), draw.choice([28, 32])
    return Asked(
        f"A model gives a picture of {side} x {side} pixels, each with one of 256 levels, the log-probability "
        f"-{nats:,} nats. How many bits a pixel is that?",
        {"nats": nats, "side": side},
        likelihood.bits_per_dim(torch.tensor([-float(nats)] * 2), dims=side**2, levels=1).value,
        f"{nats} / ({side}^2 x ln 2)",
        {"These are nats.": nats / side**2},
    )


@question("probability", "A chain of three")
def chain(draw: Random) -> Asked:
    """The chain rule, as a log-probability."""
    p = [draw.choice([0.2, 0.5]), draw.choice([0.1, 0.4]), draw.choice([0.6, 0.9])]
    return Asked(
        f"A model gives the first symbol the probability {p[0]}, the second, given the first, {p[1]}, and the "
        f"third, given both, {p[2]}. What is the surprise of the three together, in bits?",
        {"first": p[0], "second": p[1], "third": p[2]},
        3 * math.log2(text.perplexity([math.log(each) for each in p])),
        f"-log2({p[0]} x {p[1]} x {p[2]})",
        {"Together, not a symbol.": math.log2(text.perplexity([math.log(each) for each in p]))},
    )


@question("autoencoders", "Decibels of a rebuilt picture")
def decibels(draw: Random) -> Asked:
    """PSNR from the error of a pixel."""
    error = draw.choice([0.05, 0.08, 0.1, 0.2])
    return Asked(
        f"Pixels lie between -1 and 1, and each is rebuilt with an error of {error} (root mean square). How large "
        "is the PSNR, in decibels?",
        {"error": error},
        distances.psnr(torch.zeros(1, 4), torch.full((1, 4), error)),
        f"20 x log10(2 / {error})",
        {"The range of a pixel is 2, not 1.": 20 * math.log10(1 / error)},
    )


@question("autoencoders", "What principal components leave out")
def components(draw: Random) -> Asked:
    """Share of variance lost by PCA."""
    variances = [draw.choice([12, 16]), draw.choice([6, 8]), draw.choice([2, 3]), 1]
    spread = torch.tensor([[math.sqrt(2 * v) if i == j else 0.0 for j, v in enumerate(variances)] for i in range(4)])
    points = torch.cat([spread, -spread]) * math.sqrt(2)
    lost = (torch.linalg.svdvals(points)[2:] ** 2).sum() / (points**2).sum()
    return Asked(
        f"Data have variances {variances[0]}, {variances[1]}, {variances[2]} and 1 along their principal axes. "
        "Which share of the variance, in per cent, is lost by keeping two components?",
        {"first": variances[0], "second": variances[1], "third": variances[2]},
        100 * float(lost),
        f"100 x ({variances[2]} + 1) / {sum(variances)}",
        {"That is what is kept.": 100 * (1 - float(lost))},
    )


@question("vae", "How far from the prior?")
def divergence(draw: Random) -> Asked:
    """KL of a normal distribution to the standard one."""
    mean, sd = draw.choice([0.5, 1.0, 1.5]), draw.choice([0.2, 0.4, 0.6])
    return Asked(
        f"An encoder answers with a normal distribution of mean {mean} and standard deviation {sd}, in one latent "
        "dimension. What is its KL divergence from the standard normal prior, in nats?",
        {"mean": mean, "sd": sd},
        float(densities.gaussian_kl(torch.tensor([mean]), torch.tensor([2 * math.log(sd)]))),
        f"({mean}^2 + {sd}^2 - 1) / 2 - ln {sd}",
        {"That takes the standard deviation for the variance.": (mean**2 + sd - 1 - math.log(sd)) / 2},
    )


@question("vae", "A bound from two draws")
def two_draws(draw: Random) -> Asked:
    """The importance-weighted bound with k = 2."""
    weights = [-draw.choice([100, 102, 105]), -draw.choice([101, 103, 104])]
    bound = likelihood.importance_bound(torch.tensor(weights, dtype=torch.float64)[:, None])
    return Asked(
        f"Two draws from the encoder have log-weights {weights[0]} and {weights[1]} (nats). What is the "
        "importance-weighted bound of log p(x) from the two, in nats (to two digits after the point)?",
        {"first": weights[0], "second": weights[1]},
        float(bound),
        f"ln((e^{weights[0]} + e^{weights[1]}) / 2)",
        {"The mean is taken of the weights.": sum(weights) / 2, "The mean, not the sum.": float(bound) + math.log(2)},
        within=0.02,
    )


@question("vq-vae", "How many codes are in use?")
def codes(draw: Random) -> Asked:
    """Perplexity of a codebook."""
    counts = [draw.choice([40, 50]), draw.choice([20, 30]), draw.choice([5, 10]), draw.choice([1, 2])]
    used = torch.arange(4).repeat_interleave(torch.tensor(counts))
    return Asked(
        f"Four codes were used {counts[0]}, {counts[1]}, {counts[2]} and {counts[3]} times; four more never. What "
        "is the perplexity of the codebook?",
        {"first": counts[0], "second": counts[1], "third": counts[2], "fourth": counts[3]},
        vqvae.code_perplexity(used, 8),
        "2 to the entropy (in bits) of the shares; unused codes add nothing",
        {"All codes used are counted alike.": 4.0},
    )


@question("vq-vae", "Bits of a picture in codes")
def code_bits(draw: Random) -> Asked:
    """Size of a coded picture."""
    side, size = draw.choice([7, 8, 16]), draw.choice([128, 256, 512, 1_024])
    return Asked(
        f"A picture becomes a grid of {side} x {side} codes out of a codebook of {size:,}. How many bytes does it "
        "take, each code with the same number of bits?",
        {"side": side, "size": size},
        side**2 * math.log2(vqvae.code_perplexity(torch.arange(size), size)) / 8,
        f"{side}^2 x log2({size}) / 8",
        {"Those are bits.": side**2 * math.log2(size)},
        within=0.4,
    )


@question("gan-minimax", "The best discriminator")
def best_discriminator(draw: Random) -> Asked:
    """What is real, over all."""
    p, q = draw.choice([0.1, 0.2, 0.3]), draw.choice([0.05, 0.4, 0.6])
    return Asked(
        f"At a point the data have density {p} and the generator has {q}. Which probability of being real does the "
        "best discriminator give?",
        {"p": p, "q": q},
        float(gan.optimal_discriminator(p, q)),
        f"{p} / ({p} + {q})",
        {"That is the ratio.": p / q},
    )


@question("gan-minimax", "The value of the game")
def game(draw: Random) -> Asked:
    """V(D*, G) of two coins."""
    data, made = draw.choice([0.5, 0.7]), draw.choice([0.1, 0.2, 0.9])
    p, q = (torch.tensor([x, 1 - x], dtype=torch.float64) for x in (data, made))
    best = gan.optimal_discriminator(p, q)
    value = float((p * best.log() + q * (1 - best).log()).sum())
    return Asked(
        f"Data are heads with probability {data}, the generator makes heads with {made}. Against its best "
        "discriminator, what is the value of the game, E log D + E log(1 - D), in nats?",
        {"data": data, "made": made},
        value,
        "2 JSD - log 4, with the Jensen-Shannon divergence of the two coins in nats",
        {"That is the divergence.": (value + math.log(4)) / 2, "Twice the divergence.": value + math.log(4)},
    )


@question("gan-training", "Numbers of a transposed convolution")
def weights(draw: Random) -> Asked:
    """Parameters of a layer of the DCGAN."""
    wide, narrow = draw.choice([64, 128, 256]), draw.choice([32, 48, 96])
    layer = torch.nn.ConvTranspose2d(wide, narrow, 4, 2, 1)
    return Asked(
        f"A transposed convolution with kernels of 4 x 4, stride 2, leads from {wide} to {narrow} channels, with a "
        "bias. How many numbers does it learn?",
        {"wide": wide, "narrow": narrow},
        sum(parameter.numel() for parameter in layer.parameters()),
        f"{wide} x {narrow} x 16 + {narrow}",
        {"Each pair of channels has a kernel.": (wide + narrow) * 16, "The bias is missing.": wide * narrow * 16},
        within=0.4,
    )


@question("language-models", "Between how many symbols?")
def perplexity(draw: Random) -> Asked:
    """Perplexity of four symbols."""
    p = [draw.choice([0.5, 0.8]), draw.choice([0.1, 0.2]), draw.choice([0.4, 0.6]), draw.choice([0.05, 0.9])]
    return Asked(
        f"A model gave the four symbols of a text the probabilities {p[0]}, {p[1]}, {p[2]} and {p[3]}. What is its "
        "perplexity?",
        {"first": p[0], "second": p[1], "third": p[2], "fourth": p[3]},
        text.perplexity([math.log(each) for each in p]),
        f"({p[0]} x {p[1]} x {p[2]} x {p[3]})^(-1/4)",
        {"The mean is taken of the logarithms.": 4 / sum(p)},
    )


@question("language-models", "After an a")
def kneser_ney(draw: Random) -> Asked:
    """An interpolated bigram."""
    d, symbol = draw.choice([0.3, 0.5, 0.6]), draw.choice("bcd")
    model = ngram.NGram("abracadabra", 2, discount=d)
    p = float(model.distribution("a")[model.alphabet.index(symbol)])
    counts = {"b": 2, "c": 1, "d": 1}
    return Asked(
        f"Count pairs of characters in abracadabra and take {d} off every count, at both levels (interpolated "
        f"Kneser-Ney; below all, the five characters are equally likely). How probable is {symbol} after a?",
        {"d": d, "count": counts[symbol]},
        p,
        f"(c - {d}) / 4 + 3 x {d} / 4 x p1, where p1 = (1 - {d}) / 7 + 5 x {d} / 7 x 1/5",
        {"Nothing was kept back.": counts[symbol] / 4},
    )


@question("transformers", "Where does a query look?")
def attention(draw: Random) -> Asked:
    """Softmax of scaled scores."""
    query, keys = draw.choice([1, 2]), [draw.choice([1, 2]), draw.choice([-1, 0])]
    q = torch.tensor([float(query), 0, 0, 0]).view(1, 1, 1, 4)
    k = torch.tensor([[float(key), 0, 0, 0] for key in keys]).view(1, 1, 2, 4)
    weight = float(gpt.attention_weights(q, k)[0, 0, 0, 0])
    return Asked(
        f"A head has 4 dimensions. The query is ({query}, 0, 0, 0), the two keys are ({keys[0]}, 0, 0, 0) and "
        f"({keys[1]}, 0, 0, 0). Which share of its attention does the query give to the first key, in per cent?",
        {"query": query, "first": keys[0], "second": keys[1]},
        100 * weight,
        f"100 / (1 + exp(-{query} x ({keys[0]} - {keys[1]}) / 2))",
        {"Scores are divided by the root of the dimensions.": 100 / (1 + math.exp(-query * (keys[0] - keys[1])))},
    )


@question("transformers", "Bytes of a memory")
def cache(draw: Random) -> Asked:
    """Keys and values of a text."""
    layers, width, tokens = draw.choice([12, 24, 32]), draw.choice([1_024, 2_048, 4_096]), draw.choice([1_000, 8_000])
    config = gpt.Config(vocabulary=256, context=tokens + 1, layers=layers, heads=16, width=width)
    less, more = (gpt.decoding_bytes(config, past, item=2) for past in (0, tokens))
    return Asked(
        f"A transformer has {layers} layers of width {width:,}; keys and values are kept in two bytes a number, one "
        f"set for each head. How many megabytes (10^6) does the cache of a text of {tokens:,} tokens take?",
        {"layers": layers, "width": width, "tokens": tokens},
        (more - less) / 1e6,
        f"2 x {layers} x {width} x {tokens} x 2 / 10^6",
        {"Keys and values, two bytes each.": (more - less) / 2e6},
    )


@question("sound", "How far back does it hear?")
def reach(draw: Random) -> Asked:
    """Receptive field of dilated convolutions."""
    layers, rounds = draw.choice([4, 5, 6]), draw.choice([2, 3])
    dilations = tuple(2**i for i in range(layers)) * rounds
    return Asked(
        f"Causal convolutions of two taps have dilations 1, 2, 4, ... up to {2 ** (layers - 1)}, and this row "
        f"{rounds} times in all. How many samples does the last layer see, the latest included?",
        {"layers": layers, "rounds": rounds},
        wavenet.WaveNet(dilations=dilations).receptive_field,
        f"1 + {rounds} x (2^{layers} - 1)",
        {"The latest sample counts as well.": sum(dilations)},
        within=0.4,
    )


@question("sound", "One of 256 levels")
def level(draw: Random) -> Asked:
    """The mu-law."""
    sample = draw.choice([-0.5, -0.1, 0.05, 0.2, 0.6])
    return Asked(
        f"A sample of {sample} is stored by the mu-law with mu = 255: compressed to [-1, 1], then rounded to the "
        "nearest of 256 levels, 0 to 255. Which level is it?",
        {"sample": sample},
        int(wavenet.mu_law(torch.tensor([sample]))[0]),
        "round((sign(x) ln(1 + 255 |x|) / ln 256 + 1) / 2 x 255)",
        {"The levels are not evenly spaced.": round((sample + 1) / 2 * 255)},
        within=0.4,
    )


@question("gpu-training", "The roof over a machine")
def roof(draw: Random) -> Asked:
    """Roofline."""
    intensity, peak, memory = draw.choice([20, 60, 120]), draw.choice([400, 900]), draw.choice([2, 3])
    return Asked(
        f"A GPU does {peak} teraFLOP a second at most and moves {memory} terabytes a second. A layer does "
        f"{intensity} operations for each byte moved. How many teraFLOP a second can it reach?",
        {"intensity": intensity, "peak": peak, "memory": memory},
        float(hardware.attainable(intensity, peak * 1e12, memory * 1e12)) / 1e12,
        f"min({peak}, {intensity} x {memory})",
        {"Memory is the limit.": float(peak)},
    )


@question("gpu-training", "Gradients in a ring")
def ring(draw: Random) -> Asked:
    """Time of an all-reduce."""
    size, devices, speed = draw.choice([1, 3, 7]), draw.choice([4, 8, 16]), draw.choice([25, 50, 100])
    exchange = clusters.ring_seconds(gradient_bytes=2e9 * size, devices=devices, bytes_per_second=speed * 1e9)
    return Asked(
        f"{devices} devices add up the gradients of a model of {size} billion parameters, two bytes each, in a ring "
        f"whose links carry {speed} gigabytes a second in each direction. How many milliseconds does it take?",
        {"billions": size, "devices": devices, "speed": speed},
        1e3 * exchange,
        f"2 x ({devices} - 1) / {devices} x 2e9 x {size} / {speed}e9 x 1000",
        {
            "Sums must be handed on as well.": 5e2 * exchange,
            "The pieces are one device's share.": 2e3 * size * 2 * 2 / speed,
        },
    )


@question("gpu-training", "How often to save")
def saving(draw: Random) -> Asked:
    """Young's interval."""
    write, devices, years = draw.choice([30, 60, 120]), draw.choice([256, 1_024, 4_096]), draw.choice([3, 5])
    failures = years * 365 * 86_400 / devices
    return Asked(
        f"A device fails once in {years} years of 365 days on average, and {devices:,} work together. A checkpoint "
        f"takes {write} s. After how many minutes of work should the next one be written (Young's rule)?",
        {"write": write, "devices": devices, "years": years},
        clusters.checkpoint_interval(write_seconds=write, seconds_between_failures=failures) / 60,
        f"sqrt(2 x {write} x {years} x 365 x 86400 / {devices}) / 60",
        {"Any of the devices may fail.": math.sqrt(2 * write * failures * devices) / 60},
    )
