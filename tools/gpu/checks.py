"""What the package promises and a GPU could break: each promise is one function that raises where it does not hold."""

from __future__ import annotations

import math
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from genai_utils import zoo
from genai_utils.data import text
from genai_utils.data.images import fashion_mnist
from genai_utils.metrics import samples
from genai_utils.models import gan, gpt
from genai_utils.models.sampling import Decoding, generate
from genai_utils.run import NonFiniteLossError, Run, schedule
from genai_utils.run.loop import GPU_CHECK_EVERY
from tools.gpu.check import Check, OutOfTime, reason

CONFIG = gpt.Config(67, context=32, layers=2, heads=2, width=32)


def promises(check: Check) -> None:
    """Try all of them and name those that do not hold.  Raises: AssertionError."""
    broken = {}
    for promise in PROMISES:
        torch.manual_seed(0)
        try:
            promise(check)
        except OutOfTime:
            raise
        except Exception as error:
            broken[promise.__name__] = [reason(error), *traceback.format_exc().splitlines()[-5:]]
            check.note("broken", broken)
    check.figure("checks.held", len(PROMISES) - len(broken), f"of {len(PROMISES)} promises")
    assert not broken, f"{len(broken)} of {len(PROMISES)} do not hold: " + "; ".join(v[0] for v in broken.values())


def run_trains_on_this_device_in_its_number_format(check: Check) -> None:
    """Weights stay fp32, the loss agrees with one in fp32."""
    run, tokens = Run(2, progress=False), _tokens(check)
    bare = gpt.GPT(CONFIG).to(check.device)
    for parameter in bare.parameters():
        parameter.data.add_(0.02 * torch.randn_like(parameter))
    exact = _loss(bare, tokens[:8]).item()
    model = run.setup(bare)
    assert run.device.type == check.device.type, f"Run chose {run.device}"
    found = _loss(model, tokens[:8]).item()
    check.figure("checks.bf16.difference", abs(found - exact), "nats")
    check.note("mixed precision", run.accelerator.mixed_precision)
    assert all(p.dtype == torch.float32 for p in bare.parameters()) and abs(found - exact) < 0.03


def a_run_resumes_with_its_schedules(check: Check) -> None:
    """Broken off and started again it goes on as if nothing had been: as near as two runs without a break are."""
    steps = check.pick(120, 16)
    with tempfile.TemporaryDirectory() as folder:
        whole, again = (_trained(check, Path(folder, name), steps) for name in "ab")
        _trained(check, Path(folder, "c"), steps, stop=steps // 2 + 3)
        resumed = _trained(check, Path(folder, "c"), steps)
    repeat, difference = (max(abs(a - b) for a, b in zip(whole, other, strict=True)) for other in (again, resumed))
    check.figure("checks.resume.difference", difference, "nats")
    check.figure("checks.repeat.difference", repeat, "nats")
    assert len(resumed) == steps and difference <= 10 * repeat, f"{difference} apart, two whole runs {repeat}"


def a_loss_that_is_no_number_ends_the_run_soon(check: Check) -> None:
    """On a GPU losses are looked at many at once, and the error still names the step."""
    run, steps, wrong = Run(60, progress=False), 0, 7
    layer = nn.Linear(4, 1)
    layer, sgd = run.setup(layer, torch.optim.SGD(layer.parameters(), 0.1))
    try:
        for x in run.batches(torch.ones(64, 4), batch_size=8):
            steps = run.done
            run.step(sgd, layer(x).mean() * (math.nan if steps == wrong else 1.0))
    except NonFiniteLossError as error:
        check.note("error at NaN", str(error))
        assert steps < wrong + GPU_CHECK_EVERY, f"seen at step {steps} only"
    else:
        raise AssertionError("nobody noticed")


def noise_is_made_on_the_device_and_repeats(check: Check) -> None:
    """Two runs of one seed draw the same numbers, and not the same twice."""
    first, second = (Run(1, seed=3, progress=False) for _ in range(2))
    a, b, later = first.noise(4_000, 8), second.noise(4_000, 8), first.noise(4_000, 8)
    assert a.device.type == check.device.type and torch.equal(a, b) and not torch.equal(a, later)
    assert abs(float(a.mean())) < 0.03 and abs(float(a.std()) - 1) < 0.03


def parts_of_a_batch_give_the_gradient_of_the_whole(check: Check) -> None:
    """Equation (gpu.accumulation)."""
    moved = []
    for parts in (1, 4):
        torch.manual_seed(0)
        run, bare = Run(1, progress=False), gpt.GPT(CONFIG)
        model, sgd = run.setup(bare, torch.optim.SGD(bare.parameters(), 1.0))
        for batch in run.batches(_tokens(check).cpu(), batch_size=16):
            for part in batch.chunk(parts):
                run.step(sgd, _loss(model, part), of=parts)
        moved.append(nn.utils.parameters_to_vector(bare.parameters()).detach())
    difference = float((moved[0] - moved[1]).norm() / moved[0].norm())
    check.figure("checks.parts.difference", difference, "of the weights")
    assert difference < 1e-2


def a_text_is_written_as_on_a_processor(check: Check) -> None:
    """Greedy text with and without a cache, here and on the processor."""
    prompt = text.encode("MACBETH:\n", text.shakespeare_alphabet())[None]
    model, n = _shipped(), check.pick(100, 12)
    expected = generate(model, prompt, n, Decoding(temperature=0))
    model = model.to(check.device)
    for cached in (True, False):
        found = generate(model, prompt.to(check.device), n, Decoding(temperature=0), cached=cached).cpu()
        share = float((found == expected).float().mean())
        check.figure(f"checks.greedy.{'cached' if cached else 'recomputed'}", share, "of the tokens alike")
        assert share > 0.5, text.decode(found[0], text.shakespeare_alphabet())
    chance = torch.Generator(check.device).manual_seed(0)
    drawn = generate(model, prompt.to(check.device), n, Decoding(0.8, top_k=20, top_p=0.9), generator=chance)
    assert drawn.shape == (1, prompt.shape[1] + n) and int(drawn.max()) < 67


def attention_is_the_formula(check: Check) -> None:
    """The fused kernel beside softmax(q k') v, and log probabilities beside those of the processor."""
    q, k, v = torch.randn(3, 2, 4, 33, 16, device=check.device)
    apart = float((gpt.attend(q, k, v) - gpt.attention_weights(q, k) @ v).abs().max())
    check.figure("checks.attention.difference", apart, "at most")
    tokens = text.encode(text.shakespeare("validation")[:2_000], text.shakespeare_alphabet())
    model = _shipped()
    here = gpt.log_probs(model, tokens)
    there = gpt.log_probs(model.to(check.device), tokens.to(check.device)).cpu()
    check.figure("checks.log-probs.difference", float((here - there).abs().max()), "nats at most")
    assert apart < 1e-2 and float((here.mean() - there.mean()).abs()) < 1e-3


def metrics_are_those_of_a_processor(check: Check) -> None:
    """Features, distance and coverage of pictures that lie on the device."""
    real, n = fashion_mnist("test").images, check.pick(1_000, 100)
    noisy = (real + 0.1 * torch.randn(real.shape)).clamp(-1, 1)[:n]
    here = samples.frechet_distance(samples.features(noisy), samples.features(real[:n]), resamples=2).value
    there = samples.frechet_distance(
        samples.features(noisy.to(check.device)), samples.features(real[:n].to(check.device)), resamples=2
    ).value
    shares = [samples.class_coverage(pictures).smallest.value for pictures in (noisy, noisy.to(check.device))]
    assert abs(here - there) < 1e-3 * here and shares[0] == shares[1], (here, there, shares)


def the_shipped_generator_draws_the_same_pictures(check: Check) -> None:
    """Convolutions of the device beside those of the processor, in fp32."""
    generator, noise = zoo.load("dcgan"), torch.randn(64, 64)
    with torch.no_grad():
        here = generator(noise)
        there = generator.to(check.device)(noise.to(check.device)).cpu()
    check.figure("checks.pictures.difference", float((here - there).abs().max()), "of a range of 2, at most")
    assert float((here - there).abs().mean()) < 5e-3


def fp16_trains_with_a_scaled_loss(check: Check) -> None:
    """What a card without bf16 needs: finite losses that fall."""
    tokens, model = _tokens(check), gpt.GPT(CONFIG).to(check.device)
    adam, scaler = torch.optim.AdamW(model.parameters(), 3e-3), torch.amp.GradScaler(check.device.type)
    kind, losses = torch.float16 if check.on_gpu else torch.bfloat16, []
    for batch in tokens[: 16 * check.pick(60, 15)].split(16):
        with torch.autocast(check.device.type, kind):
            loss = _loss(model, batch)
        scaler.scale(loss).backward()
        scaler.step(adam)
        scaler.update()
        adam.zero_grad()
        losses.append(loss.item())
    check.figure("checks.fp16.scale", scaler.get_scale(), "times the loss")
    assert all(map(math.isfinite, losses)) and losses[-1] < losses[0]


def a_gan_trains_in_the_package_s_loop(check: Check) -> None:
    """Losses of a few steps are finite, the average moves, and the last value is logged."""
    run, steps = Run(check.pick(60, 3), progress=False), check.pick(60, 3)
    G, D = gan.Generator(), gan.Discriminator()
    opt_g, opt_d = (torch.optim.Adam(m.parameters(), 1e-3, betas=(0.5, 0.99), fused=True) for m in (G, D))
    G, D, opt_g, opt_d = run.setup(G, D, opt_g, opt_d)
    average = run.average(G)
    for real in run.batches(fashion_mnist("train").images[:640], batch_size=32):
        fake = G(run.noise(len(real), 64))
        d_loss = gan.discriminator_loss(D, real, fake.detach())
        run.step(opt_d, d_loss)
        g_loss = gan.generator_loss(D, fake)
        run.step(opt_g, g_loss)
        run.log(d=d_loss, g=g_loss)
    with torch.no_grad():
        pictures = average(torch.randn(8, 64, device=run.device)).float()
    assert len(run.history["d"]) == steps and all(map(math.isfinite, run.history["d"] + run.history["g"]))
    assert pictures.isfinite().all() and pictures.abs().max() <= 1


PROMISES: list[Callable[[Check], None]] = [
    run_trains_on_this_device_in_its_number_format,
    a_run_resumes_with_its_schedules,
    a_loss_that_is_no_number_ends_the_run_soon,
    noise_is_made_on_the_device_and_repeats,
    parts_of_a_batch_give_the_gradient_of_the_whole,
    a_text_is_written_as_on_a_processor,
    attention_is_the_formula,
    metrics_are_those_of_a_processor,
    the_shipped_generator_draws_the_same_pictures,
    fp16_trains_with_a_scaled_loss,
    a_gan_trains_in_the_package_s_loop,
]


def _shipped() -> gpt.GPT:
    """The GPT of the zoo, on the processor."""
    model = zoo.load("gpt")
    assert isinstance(model, gpt.GPT)
    return model


def _tokens(check: Check) -> Tensor:
    """Passages of 33 characters, (2000, 33)."""
    tokens = text.encode(text.shakespeare("train")[:66_000], text.shakespeare_alphabet())
    return tokens.view(-1, 33).to(check.device)


def _loss(model: Callable[[Tensor], Tensor], batch: Tensor) -> Tensor:
    return cross_entropy(model(batch[:, :-1]).flatten(0, 1).float(), batch[:, 1:].flatten())


def _trained(check: Check, path: Path, steps: int, stop: int = 0) -> list[float]:
    """Losses of a run with two optimizers, two schedules and a checkpoint; broken off at a step if it is given."""
    torch.manual_seed(0)
    run, model = Run(steps, checkpoint=path, checkpoint_every=7, progress=False), gpt.GPT(CONFIG)
    muon, adam = gpt.optimizers(model)
    rates = [schedule(one, steps) for one in (muon, adam)]
    model, muon, adam, *rates = run.setup(model, muon, adam, *rates)
    for batch in run.batches(_tokens(check).cpu(), batch_size=16):
        if stop and run.done == stop:
            return []
        loss = _loss(model, batch)
        run.step([muon, adam], loss)
        for rate in rates:
            rate.step()
        run.log(loss=loss)
    return run.history["loss"]
