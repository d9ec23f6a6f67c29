"""What the hints of networks, data, runs and the zoo do not say; fuzz_special.py adds these tables to its own."""

import atexit
import hashlib
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from fuzz_targets import targets, uncallable
from hypothesis import strategies as st
from torch import Tensor, nn

from genai_utils.data import images, markets, sound, toys
from genai_utils.models import (
    autoencoder,
    classical,
    classifier,
    coding,
    densities,
    diffusion,
    flow,
    gan,
    gpt,
    ngram,
    pixelcnn,
    vae,
    vqvae,
    wavenet,
)
from genai_utils.models.sampling import Decoding
from genai_utils.run import checkpoints
from genai_utils.run.batches import Order
from genai_utils.run.lock import Lock
from genai_utils.run.log import Log
from genai_utils.run.loop import Run
from genai_utils.run.parts import Parts
from genai_utils.run.progress import Progress
from genai_utils.zoo import ENTRIES
from genai_utils.zoo.catalogue import WEIGHTS
from genai_utils.zoo.storage import packed
from tools.notebooks import ROOT

ROOMS = ("models", "data", "run", "device", "session", "zoo")
LIMITS = {"width": 8, "context": 12, "size": 9, "code": 4}


def floats(*shape: int, low: float = 0.05, high: float = 0.95) -> st.SearchStrategy[Tensor]:
    """Tensors of a shape, its numbers between two bounds."""

    def draw(seed: int) -> torch.Tensor:
        return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * (high - low) + low

    return st.integers(0, 99).map(draw)


def wholes(*shape: int, below: int) -> st.SearchStrategy[Tensor]:
    """Tensors of a shape, its numbers whole and from 0 on."""
    return st.integers(0, 99).map(
        lambda seed: torch.randint(below, shape, generator=torch.Generator().manual_seed(seed))
    )


def shares(*shape: int) -> st.SearchStrategy[Tensor]:
    """Tensors whose last axis sums to one."""
    return floats(*shape).map(lambda x: x / x.sum(-1, keepdim=True))


def odd(most: int = 7) -> st.SearchStrategy[int]:
    """Odd numbers."""
    return st.integers(0, most // 2).map(lambda k: 2 * k + 1)


def reused(make) -> st.SearchStrategy:
    """One object for all examples: for networks that a call does not change."""
    return st.just(frozen(make()))


def frozen(network: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    return network.eval().requires_grad_(False)


SMALL = gpt.Config(11, context=12, layers=1, heads=2, width=8)
CLOUD = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
TEMPERATURES = st.sampled_from([1e-6, 0.5, 1.0, 2.0, 1e6])
PICTURES, SYMBOLS, MAPS = floats(5, 1, 28, 28, low=-1), wholes(5, 4, below=3), wholes(5, 7, 7, below=6)
BOOKS = st.builds(lambda: vqvae.Codebook(6, 4))
WEIGHT = nn.Parameter(torch.ones(2))
SGD = st.builds(lambda: torch.optim.SGD([WEIGHT], 0.01))
LOSS = st.builds(lambda: WEIGHT.sum())
LINEAR = st.builds(lambda: nn.Linear(4, 3))
NETWORK = nn.Linear(4, 3)
TRAINER = torch.optim.SGD(NETWORK.parameters(), 0.01)
TOLD = floats(5, 1, 8) | st.just(torch.zeros(()))
TURN = st.just(gpt.rotations(5, 4))
CRITIC = reused(lambda: gan.MLPDiscriminator(4, (3,)))
PLAIN = reused(lambda: pixelcnn.PixelCNN(3, (4, 5), 4, 1, 3, 3))
GATED = reused(lambda: pixelcnn.GatedPixelCNN(3, (4, 5), 4, first=3, size=3, dilations=(1,)))


def remembering(log: Log) -> Log:
    """A log of one step."""
    log.loss(0, [torch.optim.SGD([WEIGHT], 0.01)], WEIGHT.sum())
    log.record({"loss": 0.5}, torch.device("cpu"))
    log.end_step()
    return log


def holding(parts: Parts) -> Parts:
    """Parts with a network and an optimizer, ready to be trained."""
    parts.add(NETWORK)
    parts.add(TRAINER)
    parts.check()
    return parts


INSTANCES = {
    "Attention": reused(lambda: gpt.Attention(SMALL)),
    "Autoencoder": reused(lambda: autoencoder.Autoencoder(2, (4,), (3,))),
    "Bernoulli": st.builds(densities.Bernoulli),
    "Block": reused(lambda: gpt.Block(SMALL)),
    "Cache": st.builds(lambda: gpt.Cache(SMALL)),
    "CausalBlock": reused(lambda: vqvae.CausalBlock(4)),
    "ClassGaussians": st.builds(lambda: classical.ClassGaussians([bell(784)] * 2, 3)),
    "Codebook": BOOKS,
    "CodePrior": reused(lambda: vqvae.CodePrior(6, (2, 3), 4, 1, 2)),
    "Config": st.builds(gpt.Config, st.just(11), st.just(12), st.just(1), st.just(2), st.just(8)),
    "Decoding": st.builds(
        Decoding, st.sampled_from([0, 0.5, 1e6]), st.sampled_from([None, 3]), st.sampled_from([None, 0.5, 1.0])
    ),
    "ByteGaussian": st.builds(lambda: classical.ByteGaussian(torch.zeros(3), torch.eye(3))),
    "Denoiser": reused(lambda: autoencoder.Denoiser(2)),
    "Discriminator": reused(lambda: gan.Discriminator(2)),
    "DiscretizedLogistic": st.builds(densities.DiscretizedLogistic),
    "Entry": st.sampled_from(list(ENTRIES.values())),
    "FashionClassifier": reused(classifier.FashionClassifier),
    "FlowNetwork": reused(lambda: flow.FlowNetwork(4, 3, 4, 1)),
    "FlowBlock": reused(lambda: flow.FlowBlock(4)),
    "GPT": reused(lambda: gpt.GPT(SMALL)),
    "GatedBlock": reused(lambda: pixelcnn.GatedBlock(2)),
    "GatedLayer": reused(lambda: wavenet.GatedLayer(4, 2)),
    "GatedPixelCNN": GATED,
    "Gaussian": reused(densities.Gaussian),
    "GaussianMixture": st.builds(
        lambda: classical.GaussianMixture(torch.full((2,), 0.5), CLOUD[:2], torch.eye(3).expand(2, 3, 3))
    ),
    "GaussianPCA": st.builds(lambda: classical.GaussianPCA.fit(CLOUD)),
    "Generator": reused(lambda: gan.Generator(4, 2)),
    "HMM": st.builds(lambda: classical.HMM(*toys.small_hmm())),
    "Images": st.builds(lambda: images.fashion_mnist("test")),
    "LatentVariableModel": reused(lambda: vae.LinearVAE(3, 2)),
    "LayerCache": st.builds(gpt.LayerCache, st.just(12)),
    "LinearGaussian": st.builds(lambda: toys.LinearGaussian([[1.0], [0.5], [0.2]], 0.5)),
    "LinearVAE": reused(lambda: vae.LinearVAE(3, 2)),
    "Lock": st.builds(lambda: Lock(FOLDER / "locked.safetensors").__enter__()),
    "Log": st.builds(lambda: remembering(Log())),
    "LookBack": reused(lambda: pixelcnn.LookBack(2, 3, 1, 1, 0)),
    "MLPDiscriminator": CRITIC,
    "MLPGenerator": reused(lambda: gan.MLPGenerator(4, 4, (3,))),
    "Market": st.builds(markets.sp500_weekly),
    "MaskedConv2d": reused(lambda: pixelcnn.MaskedConv2d(2, 3, 3, True)),
    "Mixture": st.builds(lambda: toys.ring_mixture(4)),
    "MixturePrior": reused(lambda: densities.MixturePrior(4, 3)),
    "NGram": st.builds(lambda: ngram.NGram("the quick brown fox", 3)),
    "Observation": st.builds(densities.Bernoulli),
    "Order": st.builds(lambda: Order(12, 4, 0)),
    "Pass": st.builds(
        lambda: vqvae.Pass(
            torch.zeros(5, 1, 28, 28), torch.zeros(5, 4, 7, 7), torch.zeros(5, 4, 7, 7), torch.zeros(5, 7, 7)
        )
    ),
    "PCACoder": st.builds(
        lambda: coding.PCACoder(torch.zeros(784), torch.eye(784)[:, :2], [torch.tensor([-1.0, 1.0]), torch.zeros(1)])
    ),
    "Parts": st.builds(lambda: holding(Parts())),
    "PixelCNN": PLAIN,
    "PixelModel": PLAIN | GATED,
    "PixelTables": st.builds(lambda: classical.PixelTables(torch.full((4, 3), 1 / 3))),
    "Prior": reused(lambda: densities.MixturePrior(4, 3)),
    "Progress": st.builds(lambda: Progress(9, show=False)),
    "Posterior": st.just(diffusion.Posterior(torch.zeros(5, 3), 0.5)),
    "Residual": reused(lambda: vqvae.Residual(4)),
    "Seen": st.builds(lambda: pixelcnn.Seen(frozen(pixelcnn.MaskedConv2d(2, 3, 3, True)), 5, 4, 5)),
    "StandardNormal": st.builds(lambda: densities.StandardNormal(4)),
    "Run": st.builds(lambda: Run(4, progress=False)),
    "VAE": reused(lambda: vae.VAE(4, 4, labels=3)),
    "VQVAE": reused(lambda: vqvae.VQVAE(6, 4, 4)),
    "WaveNet": reused(lambda: wavenet.WaveNet(6, 4, (1, 2), 3, 5)),
    "Words": st.builds(sound.spoken_numbers),
}


def bell(d: int) -> classical.GaussianPCA:
    return classical.GaussianPCA(torch.zeros(d), torch.ones(d), torch.eye(d))


def named(path: str, /, **strategies: st.SearchStrategy) -> dict[str, st.SearchStrategy]:
    """Entries of a table for the arguments of one callable."""
    return {f"{path}.{name}": strategy for name, strategy in strategies.items()}


def given(path: str, /, *values, by: str = "given", more=None) -> dict[str, st.SearchStrategy]:
    """An entry for a check of things that are given by any names: each of the values under the name that it has."""
    return named(path, **{by: st.sampled_from([{by: value, **(more or {})} for value in values])})


def refused(by: str, *values, more=None) -> st.SearchStrategy:
    """As `given`: values that such a check must refuse."""
    return st.sampled_from([{by: value, **(more or {})} for value in values])


FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
KEPT = FOLDER / "run.safetensors"
checkpoints.save(KEPT, {"step": 2})
PLAYS = ROOT / "genai_utils" / "data" / "shakespeare.txt"
SUM = hashlib.sha256(PLAYS.read_bytes()).hexdigest()
SHIPPED = min(ENTRIES, key=lambda name: (WEIGHTS / f"{name}.safetensors").stat().st_size)
WEIGHTS_OF_IT = (WEIGHTS / f"{SHIPPED}.safetensors").read_bytes()
NONE = st.none()
NaN = float("nan")
GOOD = (
    named(
        "autoencoder.Autoencoder",
        hidden=st.sampled_from([(), (4,), [5, 3]]),
        shape=st.sampled_from([(1, 28, 28), (3,)]),
    )
    | named("autoencoder.Autoencoder.encode", x=floats(5, 3))
    | named("autoencoder.Autoencoder.decode", code=floats(5, 2))
    | named("autoencoder.Autoencoder.forward", x=floats(5, 3))
    | named("denoising_loss", model=INSTANCES["Autoencoder"], x=floats(5, 3))
    | named("autoencoder.score", model=INSTANCES["Autoencoder"], x=floats(5, 3))
    | named("autoencoder.Denoiser.forward", x=PICTURES)
    | named("lloyd_max", values=floats(3, 9), levels=st.integers(1, 9))
    | named("allocate_bits", errors=floats(3, 4))
    | named("PCACoder", mean=floats(784), axes=st.just(torch.eye(784)[:, :1]), levels=st.just([torch.ones(2)]))
    | named("PCACoder.fit", images=PICTURES)
    | named("PCACoder.encode", images=PICTURES)
    | named("PCACoder.decode", numbers=st.just(torch.zeros(5, 2, dtype=torch.long)))
    | named("PCACoder.rebuild", images=PICTURES)
    | named("PixelTables", probabilities=shares(4, 3))
    | named("PixelTables.log_prob", pixels=SYMBOLS)
    | named("PixelTables.fit", pixels=SYMBOLS, levels=st.integers(3, 9), smoothing=st.floats(0, 9))
    | named("GaussianPCA", mean=floats(3), variances=floats(3), axes=st.just(torch.eye(3)))
    | named("GaussianPCA.fit", x=floats(9, 3), rank=st.sampled_from([None, 0, 2, 3]), floor=st.floats(1e-3, 9))
    | named("GaussianPCA.whiten", x=floats(9, 3))
    | named("GaussianPCA.unwhiten", z=floats(9, 2))
    | named("GaussianPCA.log_prob", x=floats(9, 3))
    | named("ByteGaussian", mean=floats(3), covariance=st.just(torch.eye(3)))
    | {f"ByteGaussian.{name}.pixels": wholes(5, 3, below=256) for name in ("log_prob", "log_prob_whole")}
    | named("ClassGaussians", gaussians=st.just([bell(784), bell(784)]))
    | named("ClassGaussians.fit", images=floats(6, 1, 28, 28), labels=st.just(torch.zeros(6).long()))
    | named("ClassGaussians.sample", n=st.just(5), labels=wholes(5, below=2))
    | named(
        "GaussianMixture",
        weights=shares(2),
        means=floats(2, 3),
        covariances=st.just(torch.eye(3).expand(2, 3, 3).clone()),
    )
    | named("GaussianMixture.start", x=floats(9, 3), components=st.integers(1, 4))
    | {f"GaussianMixture.{name}.x": floats(9, 3) for name in ("log_joint", "log_prob", "responsibilities", "step")}
    | named("GaussianMixture.step", floor=st.floats(0.01, 1))
    | named("HMM", start=shares(2), transition=shares(2, 2), emission=shares(2, 3))
    | named("HMM.log_prob", symbols=SYMBOLS)
    | named("HMM.step", symbols=SYMBOLS)
    | named("check_symbols", symbols=SYMBOLS, kinds=st.integers(3, 9))
    | named("FashionClassifier.features", images=PICTURES)
    | named("FashionClassifier.forward", images=PICTURES)
    | named("log_normal", mean=floats(12, 4), log_var=floats(12, 4))
    | {
        f"{name}.log_prob.output": floats(5, 2 if name[0] == "D" else 1, 28, 28)
        for name in ("Bernoulli", "DiscretizedLogistic", "Gaussian", "Observation")
    }
    | {f"{name}.log_prob.x": PICTURES for name in ("Bernoulli", "DiscretizedLogistic", "Gaussian", "Observation")}
    | named("Observation.check", output=PICTURES, x=PICTURES)
    | {
        f"{name}.mean.output": floats(5, 2, 28, 28)
        for name in ("Bernoulli", "DiscretizedLogistic", "Gaussian", "Observation")
    }
    | {
        f"{name}.output_of.mean": floats(1, 28, 28)
        for name in ("Bernoulli", "DiscretizedLogistic", "Gaussian", "Observation")
    }
    | {
        f"gan.{name}.shape": st.sampled_from([(1, 28, 28), [3], (2, 2)])
        for name in ("MLPGenerator", "MLPDiscriminator")
    }
    | named("MLPGenerator.forward", latent=floats(5, 4))
    | named("gan.Generator.forward", latent=floats(5, 4))
    | named("MLPDiscriminator.forward", x=floats(5, 3))
    | named("Discriminator.forward", x=PICTURES)
    | named("gan.initialize", network=st.builds(lambda: gan.MLPGenerator(4, 4, (3,))))
    | {f"gan.{name}.D": CRITIC for name in dir(gan)}
    | {f"gan.{name}.{x}": floats(5, 3) for name in dir(gan) for x in ("real", "fake", "x")}
    | named("optimal_discriminator", p=floats(5) | st.floats(0, 9), q=st.floats(0, 9))
    | {
        f"diffusion.{name}.{x}": floats(5, 3)
        for name in dir(diffusion)
        for x in ("x", "x_t", "noise", "score", "guess", "told", "untold")
    }
    | {f"diffusion.{name}.points": floats(6, 3) for name in ("responsibilities", "ideal_denoiser")}
    | {f"diffusion.{name}.weights": floats(6) | NONE for name in ("responsibilities", "ideal_denoiser")}
    | named("diffusion.posterior", alpha=st.just(0.3), sigma=st.just(0.7), to_alpha=st.just(0.6), to_sigma=st.just(0.4))
    | named("diffusion.bound_step", noisier=st.floats(0, 1), cleaner=st.floats(1, 9))
    | {f"flow.{name}.{x}": floats(5, 3) for name in dir(flow) for x in ("x", "x_t", "noise", "score", "velocity")}
    | {f"flow.{name}.field": st.just(lambda x, t: x * t) for name in ("euler", "heun")}
    | {f"flow.{name}.times": st.just(torch.linspace(0, 1, 5)) for name in ("euler", "heun")}
    | {f"flow.{name}.t": floats(5) for name in ("conditional", "waves", "FlowNetwork.forward")}
    | {f"flow.{name}.t": st.floats(0.1, 0.9) for name in dir(flow) if "_of_" in name}
    | {f"FlowBlock.forward.{x}": floats(5, 4) for x in ("x", "told")}
    | named("FlowNetwork.forward", x=floats(5, 4), labels=wholes(5, below=4) | NONE)
    | named("drop_labels", labels=wholes(5, below=3), untold=st.just(3), share=st.floats(0, 1))
    | named("gpt.Config", heads=st.sampled_from([1, 2]), width=st.sampled_from([4, 8]))
    | named("gpt.sized", heads=st.sampled_from([1, 2]), width=st.sampled_from([4, 8]))
    | named("gpt.GPT.forward", tokens=wholes(2, 5, below=11), cache=NONE)
    | named("gpt.GPT.attention_maps", tokens=wholes(2, 5, below=11))
    | {f"gpt.{name}.{x}": floats(2, 2, 5, 4) for name in ("attend", "attention_weights") for x in "qkv"}
    | {
        f"gpt.{name}.{x}": value
        for name in ("Attention.forward", "Attention.project", "Block.forward")
        for x, value in (
            ("x", floats(2, 5, 8)),
            ("turn", TURN | NONE),
            ("cache", NONE | st.builds(gpt.LayerCache, st.just(12))),
        )
    }
    | {f"LayerCache.insert.{x}": floats(2, 2, 5, 4) for x in "kv"}
    | named("rotations", head=st.sampled_from([2, 8]), base=st.sampled_from([1.0, 1e3, 1e9]))
    | named("gpt.rotate", x=floats(2, 2, 5, 4), turn=floats(5, 2, 2))
    | named("gpt2_weights", state=st.builds(lambda: {"transformer.wte.weight": torch.ones(3, 2)}))
    | named("gpt.optimizers", model=reused(lambda: gpt.GPT(SMALL)), iterations=st.integers(1, 9))
    | named("gpt.windows", tokens=wholes(20, below=11))
    | named("gpt.log_probs", tokens=wholes(20, below=11))
    | named(
        "ngram.NGram",
        text=st.sampled_from(["the quick brown fox"]),
        alphabet=NONE,
        discount=st.floats(0, 0.99) | NONE,
        order=st.integers(1, 5),
    )
    | named("ngram.NGram.log_probs", text=st.sampled_from(["", "fox", "the brown"]))
    | named("ngram.NGram.distribution", past=st.sampled_from(["", "fo", "zz", "the brown"]))
    | named("ngram.NGram.sample", past=st.sampled_from(["", "fo"]), generator=st.builds(np.random.default_rng))
    | named("shapes.size", model=CRITIC)
    | named("to_levels", pixels=wholes(3, 4, below=256).map(Tensor.byte), levels=st.sampled_from([2, 256]))
    | {
        f"{name}.{kernel}": odd()
        for name in ("PixelCNN", "GatedPixelCNN", "MaskedConv2d", "GatedBlock")
        for kernel in ("first", "size")
    }
    | {
        f"{name}.{x}": value
        for name in ("PixelCNN", "GatedPixelCNN")
        for x, value in (("levels", st.integers(2, 9)), ("shape", st.just((4, 5))), ("dilations", st.just((1, 2))))
    }
    | {f"PixelModel.{name}.x": wholes(5, 4, 5, below=3) for name in ("forward", "log_prob")}
    | named("PixelModel.sample", n=st.just(2), given=wholes(2, 1, 5, below=3) | NONE, temperature=TEMPERATURES)
    | {
        f"pixelcnn.{name}.x": floats(5, 2, 4, 5)
        for name in ("MaskedConv2d.forward", "MaskedConv2d.padded", "LookBack.forward")
    }
    | {f"GatedBlock.forward.{x}": floats(5, 2, 4, 5) for x in "vh"}
    | {f"{name}.context.embedded": floats(5, 4, 4, 5) for name in ("PixelCNN", "GatedPixelCNN")}
    | {f"Seen.{name}.{x}": st.integers(0, 3) for name in ("write", "at") for x in "ij"}
    | named("Seen.write", x=floats(5, 2, 1, 1))
    | named("pixelcnn.gate", x=floats(2, 4, 3, 3))
    | named("from_eight_bits", whole=wholes(12, 4, below=9).map(Tensor.char), scale=floats(12))
    | {f"sampling.{name}.p": st.floats(0.01, 1) for name in ("top_p", "min_p")}
    | named("penalize", past=wholes(12, 3, below=4), penalty=st.floats(1, 9))
    | named(
        "Decoding",
        temperature=TEMPERATURES | st.just(0),
        top_p=st.floats(0.01, 1) | NONE,
        min_p=st.floats(0, 1) | NONE,
        repetition=st.floats(1, 9),
    )
    | named("Decoding.probabilities", past=wholes(12, 3, below=4) | NONE)
    | named("sampling.generate", prompt=wholes(2, 5, below=11), stop=st.integers(0, 10) | NONE)
    | named("LatentVariableModel", encoder=st.just(nn.Identity()), decoder=st.just(nn.Identity()), prior=NONE)
    | {f"LatentVariableModel.{name}.x": floats(5, 3) for name in ("encode", "forward", "reconstruct")}
    | {f"LatentVariableModel.{name}.labels": NONE for name in ("encode", "decode", "forward", "reconstruct", "sample")}
    | named("LatentVariableModel.decode", z=floats(5, 2))
    | named("LatentVariableModel.forward", noise=floats(5, 2) | NONE)
    | named(
        "vae.VAE",
        hidden=st.sampled_from([4, (4, 3)]),
        observation=NONE,
        prior=NONE,
        decoder_hidden=NONE | st.just((3,)),
    )
    | named("vae.VAE.encode", x=PICTURES, labels=wholes(5, below=3))
    | named("vae.VAE.center", images=PICTURES)
    | named("vae.elbo", model=INSTANCES["LinearVAE"], x=floats(5, 3), labels=NONE, noise=floats(5, 2) | NONE)
    | named("vae.log_joint", x=floats(5, 3), z=floats(7, 5, 2), labels=NONE)
    | named("vae.log_weights", x=floats(5, 3), labels=NONE)
    | named("LinearVAE.exact", loading=floats(3, 2), sd=st.floats(0.01, 9), mean=floats(3))
    | named("nearest_codes", codebook=floats(6, 4))
    | {
        f"vqvae.{name}.codes": wholes(5, 3, below=6)
        for name in ("code_shares", "entropy_bits", "code_perplexity", "used")
    }
    | {f"vqvae.{name}.size": st.integers(6, 9) for name in ("code_shares", "entropy_bits", "code_perplexity", "used")}
    | named("Codebook", decay=st.floats(0, 1))
    | {f"Codebook.{name}.z": floats(5, 4, 3, 3) for name in ("forward", "update", "start", "restart")}
    | {f"Codebook.{name}.codes": wholes(5, 3, 3, below=6) for name in ("lookup", "update")}
    | {
        f"vqvae.{name}": st.integers(2, 8)
        for name in ("VQVAE.channels", "Residual.channels", "CausalBlock.width", "CodePrior.width")
    }
    | {f"vqvae.{name}.forward.x": floats(5, 4, 3, 3) for name in ("Residual", "CausalBlock")}
    | {f"VQVAE.{name}.x": PICTURES for name in ("forward", "encode")}
    | named("VQVAE.decode", codes=MAPS)
    | named("vqvae.loss", x=PICTURES)
    | named("CodePrior", shape=st.just((2, 3)))
    | {f"CodePrior.{name}.codes": wholes(5, 2, 3, below=6) for name in ("forward", "log_prob")}
    | {f"CodePrior.{name}.labels": wholes(5, below=2) for name in ("forward", "log_prob", "sample")}
    | named("CodePrior.sample", n=st.just(5), temperature=TEMPERATURES)
    | named("mu_law", samples=floats(5, 9, low=-1, high=1))
    | named("inverse_mu_law", levels=wholes(5, 9, below=256))
    | named("wavenet.WaveNet", dilations=st.sampled_from([(1, 2), [1]]))
    | {f"WaveNet.{name}.levels": wholes(5, 9, below=6) for name in ("forward", "log_prob")}
    | {f"WaveNet.{name}.labels": wholes(5, below=3) for name in ("forward", "log_prob", "sample")}
    | named("WaveNet.sample", n=st.just(5), temperature=TEMPERATURES)
    | named("GatedLayer.forward", x=floats(5, 9, 4), label=TOLD)
    | named("GatedLayer.at", past=floats(5, 3, 4), now=floats(5, 3, 4), label=TOLD)
    | named("wavenet.excerpts", rows=st.just([torch.arange(20), torch.arange(9)]))
    | named(
        "images.Images",
        pixels=wholes(5, 28, 28, below=256).map(Tensor.byte),
        labels=wholes(5, below=2),
        classes=st.just(["a", "b"]),
    )
    | named("images.fashion_mnist", full=st.just(False))
    | named("markets.Market", dates=st.just(np.arange(3).astype("datetime64[D]")), log_index=st.just(np.arange(3.0)))
    | named("markets.Market.between", first=st.just("1991"), last=st.just("1995-03"))
    | named("sound.Words.of", voice=st.sampled_from(sound.VOICES))
    | named("sound.spoken_numbers", split=st.sampled_from(["train", "test"]))
    | named("text.shakespeare", split=st.sampled_from(["train", "validation"]))
    | named("text.encode", text=st.text("abc"), alphabet=st.just("cab"))
    | named("text.decode", tokens=wholes(9, below=3), alphabet=st.just("abc"))
    | named("toys.Mixture", weights=floats(3), means=floats(3, 2), sds=floats(3) | st.floats(0.1, 9))
    | {f"toys.Mixture.{name}.x": floats(9, 2) for name in ("log_prob", "prob")}
    | named("modes_covered", samples=floats(9, 2))
    | named("toys.LinearGaussian", loading=floats(3, 2), sd=st.floats(0.1, 9), mean=floats(3) | st.floats(-9, 9))
    | {f"toys.LinearGaussian.{name}.x": floats(9, 3) for name in ("log_prob", "posterior", "fit")}
    | named("toys.LinearGaussian.fit", latent=st.integers(1, 2))
    | {
        f"toys.{name}.sd": st.floats(0.01, 9)
        for name in ("two_gaussians", "ring_mixture", "grid_mixture", "ring", "grid")
    }
    | named(
        "rates.schedule",
        optimizer=SGD,
        warm_up=st.floats(0.01, 0.9),
        last=st.floats(0, 1),
    )
    | named("batches.check_data", data=st.tuples(floats(5, 1), wholes(5, below=3)))
    | named("batches.Order", n=st.integers(6, 9), batch_size=st.sampled_from([2, 6]), rank=st.integers(0, 1))
    | named("batches.Order", ranks=st.just(2), device=st.just("cpu"))
    | named("loop.Run", checkpoint=NONE | st.just("/nonexistent/run.safetensors"))
    | named("loop.Run.setup", parts=LINEAR | SGD)
    | named("loop.Run.average", module=LINEAR, decay=st.floats(0, 1))
    | named("loop.Run.batches", data=floats(9, 2))
    | named("loop.Run.step", optimizer=SGD | st.lists(SGD, min_size=1, max_size=1), loss=LOSS)
    | named("loop.Run.log", values=st.just({"values": 0.5}) | st.builds(lambda: {"values": torch.ones(1)}))
    | named("flops.counted", call=LOSS.map(lambda loss: loss.square))
    | named("flops.by_layer", module=LINEAR, inputs=floats(5, 4))
    | named("memory.fits", model=LINEAR, optimizers=st.lists(SGD))
    | named("memory.moments_size", optimizer=SGD)
    | named("memory.saved", forward=st.just(lambda: WEIGHT.square().sum()), modules=LINEAR)
    | named("memory.at_batch", measure=st.just(lambda batch: 8 * batch + 3))
    | named("memory.peak", call=st.just(lambda: torch.zeros(9)))
    | named("memory.recompute", modules=st.lists(LINEAR))
    | named("memory.largest_batch", step=st.just(lambda batch: None))
    | {
        f"{name}.name": st.sampled_from(sorted(ENTRIES))
        for name in ("__main__.checked", "catalogue.build", "catalogue.load", "catalogue.seconds", "catalogue.card")
    }
    | named("Entry", builder=st.just("models.gan:Generator"), arguments=st.sampled_from(["{}", '{"latent": 4}']))
    | named("Entry.restored", self=st.just(ENTRIES[SHIPPED]), content=st.just(WEIGHTS_OF_IT))
    | named("checkpoints.load", path=st.just(KEPT))
    | named("checkpoints.save", path=st.just(KEPT), state=st.just({"step": 3, "weights": torch.ones(2)}))
    | named("checkpoints.restore", part=LINEAR, state=LINEAR.map(nn.Module.state_dict), path=st.just(KEPT))
    | named("fingerprint.of_parts", parts=st.lists(LINEAR | SGD))
    | named("fingerprint.of_data", data=st.lists(floats(5, 2)))
    | named("fingerprint.told", value=st.sampled_from([None, NaN, [1, {"a": 2.5}], WEIGHT, torch.relu, object()]))
    | named("lock.Lock", checkpoint=st.just(KEPT))
    | named("log.check_optimizers", optimizers=st.lists(SGD))
    | named("progress.Progress", show=st.just(False))
    | named("log.Loss", optimizers=st.lists(SGD), value=floats())
    | named("Log.loss", optimizers=st.lists(SGD), loss=LOSS)
    | named("Log.record", values=st.just({"values": 0.5}), device=st.just(torch.device("cpu")))
    | named("Log.flush", mean=st.just(lambda table: table))
    | {f"parts.{name}.part": LINEAR | SGD for name in ("Parts.add", "bare")}
    | {f"Parts.{name}.optimizers": st.lists(st.just(TRAINER)) for name in ("check_step", "trained_by")}
    | named("Parts.restore", states=st.builds(lambda: [NETWORK.state_dict(), TRAINER.state_dict()]), path=st.just(KEPT))
    | named("parts.rates", optimizer=SGD)
    | named("Progress.show", done=st.integers(0, 9))
    | named("files.verified", path=st.just(PLAYS), sha256=st.just(SUM))
    | named(
        "files.fetched",
        urls=st.just([PLAYS.as_uri()]) | st.just([f"{PLAYS.as_uri()}.gone", PLAYS.as_uri()]),
        target=st.just(FOLDER / "plays" / "copy.txt"),
        sha256=st.just(SUM),
    )
    | given("shapes.sizes", (2, 3), [4, 1])
    | named("shapes.sizes", count=NONE | st.just(2))
    | given("shapes.check_widths", (2, 3), [4], ())
    | given("shapes.check_odd", 1, 7, by="kernels")
    | given("shapes.check_axes", (torch.ones(5, 4), "n 4"), (torch.ones(2, 3, 4), "... n n2"))
    | given("shapes.check_real", torch.ones(3), torch.ones(2, 2).long())
    | given("shapes.check_floats", torch.ones(3), torch.ones(2, 2).double())
    | given("shapes.check_floating", torch.ones(3), torch.ones(2, 2).half())
    | given("shapes.check_alike", torch.ones(3), more={"other": torch.zeros(3)})
    | given("shapes.check_stretchable", torch.ones(3), torch.ones(4, 3), more={"other": torch.zeros(4, 1)})
    | given("shapes.check_format", torch.ones(5, 4))
    | given("shapes.check_latent", torch.ones(5, 4))
    | given("shapes.check_one_format", torch.ones(3), more={"other": torch.zeros(4)})
    | given("shapes.check_filled", torch.ones(3), torch.ones(2, 2).long())
    | given("shapes.axes_of", (torch.ones(5, 4), "n 4"), (torch.ones(2, 3, 4), "... n n2"))
    | given("shapes.check_layer", (torch.ones(5, 3), "n 3"))
    | given("shapes.explained", torch.tensor([0, 2]), torch.ones(3))
    | named("shapes.check_layer", layer=CRITIC)
    | named("shapes.explained", kinds=st.just(3))
    | given("shapes.check_ids", torch.tensor([0, 2]), torch.tensor([1]).byte())
    | named("shapes.check_format", model=CRITIC)
    | named("shapes.check_latent", model=CRITIC, size=st.just(4))
    | named("shapes.check_ids", kinds=st.just(3))
    | named("shapes.check_examples", x=floats(5, 3), shape=st.just((3,)), model=NONE | CRITIC)
    | named("shapes.check_labels", labels=wholes(5, below=3), kinds=st.just(3), n=st.just(5))
    | named("storage.packed", state=st.builds(lambda: nn.Linear(40, 40).state_dict()))
    | named("storage.unpacked", content=st.builds(lambda: packed(nn.Linear(40, 40).state_dict(), "int8")))
    | named("catalogue.as_csv", rows=st.just(list(ENTRIES.values())))
)
BAD = {
    name: st.nothing() for name in ("models: D", "elbo.model", "denoising_loss.model", "autoencoder.score.model")
} | {
    "storage.unpacked.content": st.sampled_from([b"", b"junk", None, "text"]),
    "Entry.restored.content": st.sampled_from([b"", b"junk", None, "text", packed({"a": torch.ones(2)}, "int8")]),
    "files.verified.path": st.sampled_from([None, 7, "word", FOLDER, FOLDER / "gone", KEPT]),
    "files.fetched.urls": st.sampled_from(
        [None, 7, "file:///word", [], [7], ["word"], [(FOLDER / "gone").as_uri()], [KEPT.as_uri()]]
    ),
    "files.fetched.target": st.sampled_from([None, 7, "word", KEPT / "below", NaN]),
    "files.fetched.sha256": st.sampled_from([None, 7, "word", ""]),
    "checkpoints.load.path": st.sampled_from([None, 7, "word", FOLDER, FOLDER / "gone", PLAYS]),
    "checkpoints.save.path": st.sampled_from([None, 7, "word", FOLDER, KEPT / "below"]),
    "checkpoints.save.state": st.nothing(),  # a Run makes it
    "shapes.sizes.given": refused("given", None, 7, "word", (2, -1), (2.5,), (10**9, 10**9), {3: 4}),
    "shapes.check_widths.given": refused("given", None, 7, "word", (2, -1), (2.5, 1), (10**9, 10**9)),
    "shapes.check_odd.kernels": refused("kernels", None, 0, 2, -1, 3.0, NaN, "word"),
    "shapes.check_axes.given": refused(
        "given", (None, "n"), (torch.ones(3), "n 4"), (torch.ones(3, 3), "n 4"), (torch.ones(3) > 0, "n")
    ),
    "shapes.check_real.given": refused("given", None, 0.5, "word", torch.ones(3) > 0, torch.ones(3) * 1j),
    "shapes.check_floats.given": refused("given", None, 0.5, torch.ones(3).half(), torch.ones(3).long()),
    "shapes.check_floating.given": refused("given", None, 0.5, torch.ones(3) > 0, torch.ones(3).long()),
    "shapes.check_alike.given": refused("given", None, torch.ones(4), torch.ones(3, 1), more={"other": torch.ones(3)}),
    "shapes.check_stretchable.given": refused("given", None, torch.ones(2), more={"other": torch.ones(3)}),
    "shapes.check_format.given": refused("given", None, torch.ones(5, 4).double(), torch.ones(5, 4).long()),
    "shapes.check_latent.given": refused("given", None, torch.ones(5, 3), torch.ones(4), torch.ones(5, 4).double()),
    "shapes.check_one_format.given": refused(
        "given", None, torch.ones(3).half(), torch.ones(3).long(), more={"other": torch.ones(3)}
    ),
    "shapes.check_filled.given": refused("given", None, 0.5, torch.ones(0), torch.ones(3, 0)),
    "shapes.axes_of.given": refused(
        "given", (None, "n"), (torch.ones(3), "n 4"), (torch.ones(3, 3), "n 4"), (torch.ones(3) > 0, "n")
    ),
    "shapes.check_layer.given": refused(
        "given", (None, "n"), (torch.ones(3, 3), "n 4"), (torch.ones(5, 4).half(), "n 4"), (torch.ones(0, 4), "n 4")
    ),
    "shapes.explained.given": refused("given", None, 0.5, "word", [1]),
    "shapes.check_ids.given": refused("given", None, torch.tensor([3]), torch.tensor([-1]), torch.ones(2)),
    **dict.fromkeys(
        ["shapes.check_format.model", "shapes.check_latent.model", "shapes.check_latent.size", "shapes.check_ids.kinds"]
        + ["shapes.check_layer.layer", "shapes.explained.kinds"]
        + ["shapes.check_examples.model", "shapes.check_examples.shape", "shapes.sizes.count"]
        + ["shapes.check_labels.kinds", "shapes.check_labels.n"],
        st.nothing(),
    ),  # what a network says of itself
    "batches.Order.device": st.nothing(),
    "check_data.data": st.sampled_from([None, (), [1.0], (None,), (torch.ones(3), torch.ones(4)), (NaN * WEIGHT,)]),
    "loop.Run.checkpoint": st.sampled_from([7, NaN, b"run", ["run"], True]),
    "loop.Run.step.optimizer": st.sampled_from([None, 7, "word", [], [None], nn.Linear(2, 1)]),
    "loop.Run.step.loss": st.sampled_from([None, 0.5, "word", torch.ones(()), WEIGHT]),  # NaN ends the run
    "loop.Run.log.values": st.sampled_from([{"values": each} for each in (None, "word", {}, torch.ones(2), object())]),
    "fingerprint.told.value": st.nothing(),  # it tells of anything
    "Loss.value": st.sampled_from([None, 0.5, "word", torch.ones(2)]),
    "Log.loss.loss": st.sampled_from([None, 0.5, "word", torch.ones(2)]),
    "Log.record.values": st.sampled_from([None, 7, *({"values": x} for x in (None, "word", {}, torch.ones(2)))]),
    "flops.by_layer.inputs": st.sampled_from([None, 7, "word", [1.0], np.ones(4)]),  # the module has its own words
    "memory.Fit.needs": st.sampled_from([None, 7, {"weights": NaN}, {"weights": -1.0}, {"weights": "word"}]),
}

# Not called, because it cannot be: name -> why.
SKIPPED = {target.name: why for room in ROOMS for target in targets(room) if (why := uncallable(target.call))} | {
    "zoo.__main__.main": "a command, which ends its process; test_catalogue.py reads what it prints"
}

# What keeps or shows what it gets, see fuzz_special.
HOLDERS = {
    "data.sound.Words": "recordings that spoken_numbers() has read",
    "run.log.Log.loss": "keeps a loss, NaN or not, for broken() to look at",
    "run.progress.Progress.show": "shows what was logged, NaN or not",
}

DOCUMENTED = {
    "models.ngram.NGram.log_probs": ("-inf", "a symbol is impossible"),
    "models.sampling.penalize": ("-inf", "what was cut before"),
    "models.sampling.top_k": ("-inf", "what is cut"),
    "models.sampling.top_p": ("-inf", "what is cut"),
    "models.sampling.min_p": ("-inf", "what is cut"),
}
ALIASES = {
    "pixels": ("symbols", "labels must"),
    "mean": ("variances must", "covariance must", "axes must"),
    "start": ("transition must",),
    "whole": ("scale must",),
    "p": ("p is a share",),
    "x": (
        "rank must",
        "label must",
        "k must",
        "model takes",
        "examples",
        "pictures",
        "has collapsed",
        "output must",
        "noise must",
        "z must",
        "down must",
        "right must",
    ),
    "images": ("examples",),
    "given": ("pictures", "grey levels"),
    "labels": ("model takes",),
    "alphabet": ("tokens must lie",),
    "levels": ("model takes",),
    "classes": ("labels must lie",),
    "prior": ("z must",),
    "real": ("examples", "x must"),
    "fake": ("examples", "x must"),
    "k": ("the keys", "v must", "q must"),
    "q": ("k must",),
    "v": ("h must",),
    "past": ("now must", "label must"),
    "now": ("label must",),
    "loading": ("latent must", "mean must"),
    "latent": ("widths",),
    "codebook": ("z must", "codes must"),
    "covariances": ("its covariance",),
    "up": ("rows =", "up ="),
    "right": ("columns =",),
    "left": ("columns =",),
    "codes": ("model takes",),
    "logits": ("past must",),
}
