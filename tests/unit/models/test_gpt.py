"""The GPT against GPT-2 of Hugging Face, against its definition in plain loops, and against what it must not see."""

import itertools
import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy, scaled_dot_product_attention
from torch.utils.flop_counter import FlopCounterMode

from genai_utils.models import gpt
from genai_utils.models.gpt import GPT, Cache, Config
from genai_utils.run import schedule

BASE = Config(11, context=12, layers=2, heads=2, width=16)
CHANGES = [
    {}, {"positions": "learned"}, {"positions": "none"}, {"norm": "layer"}, {"activation": "gelu"}, {"qk_norm": False},
    {"bias": True}, {"norm": "layer", "bias": True}, {"tied": True}, {"init": "gpt2"}, {"heads": 1}, {"layers": 1},
]  # fmt: skip
VARIATIONS = [*(replace(BASE, **change) for change in CHANGES), gpt.gpt2_config(BASE)]
every_variation = pytest.mark.parametrize("config", VARIATIONS, ids=[*map(str, CHANGES), "gpt-2"])


def awake(config, seed=0):
    """A model whose every parameter is random: as it starts, a block does nothing and could hide a mistake."""
    torch.manual_seed(seed)
    model = GPT(config).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5 if parameter.dim() == 2 else 1.0)
    return model.requires_grad_(False)


def some_tokens(config, batch=3, time=None, seed=1):
    shape = (batch, time or config.context)
    return torch.randint(config.vocabulary, shape, generator=torch.Generator().manual_seed(seed))


# --- GPT-2 ------------------------------------------------------------------------------------------------------------


def hugging_face(config, seed=0):
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(seed)
    theirs = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=config.vocabulary, n_positions=config.context, n_embd=config.width, n_layer=config.layers,
            n_head=config.heads, bos_token_id=None, eos_token_id=None,
        )
    ).eval()  # fmt: skip
    for parameter in theirs.parameters():  # its biases start at zero and its norms at one: a mix-up would not show
        torch.nn.init.normal_(parameter, std=0.4)
    return theirs.requires_grad_(False)


@pytest.mark.parametrize("vocabulary, context, layers, heads, width, time", [
    (17, 8, 1, 1, 4, 8), (50, 32, 3, 4, 32, 32), (101, 64, 2, 2, 48, 20), (5, 3, 4, 8, 64, 1),
])  # fmt: skip
def test_logits_are_those_of_hugging_faces_gpt2_with_its_weights(vocabulary, context, layers, heads, width, time):
    config = gpt.gpt2_config(Config(vocabulary, context, layers, heads, width))
    theirs, ours = hugging_face(config), GPT(config).eval()
    ours.load_state_dict(gpt.gpt2_weights(theirs.state_dict()))
    tokens = some_tokens(config, 2, time)
    expected = theirs(tokens).logits
    assert expected.std() > 0.1
    torch.testing.assert_close(ours(tokens), expected, atol=1e-4, rtol=0)


def test_weights_of_something_else_are_refused():
    with pytest.raises(ValueError, match=r"not the weights of a GPT2LMHeadModel: \['bias', 'weight'\]"):
        gpt.gpt2_weights(torch.nn.Linear(2, 2).state_dict())


# --- what a token may see ---------------------------------------------------------------------------------------------


@every_variation
@pytest.mark.parametrize("place", [0, 5, 11])
def test_a_changed_token_changes_nothing_before_it_and_everything_from_it_on(config, place):
    model, tokens = awake(config), some_tokens(config)
    other = tokens.clone()
    other[:, place] = (tokens[:, place] + 1) % config.vocabulary
    difference = (model(tokens) - model(other)).abs().amax(dim=(0, 2))
    assert difference[:place].sum() == 0 and (difference[place:] > 1e-4).all()


@every_variation
def test_the_probabilities_of_all_texts_sum_to_one(config):
    model = awake(replace(config, vocabulary=3))
    texts = torch.tensor([(0, *text) for text in itertools.product(range(3), repeat=4)])
    log_probs = torch.stack([gpt.log_probs(model, text).sum() for text in texts])
    assert len(texts) == 81 and log_probs.std() > 0.5
    assert log_probs.double().exp().sum().item() == pytest.approx(1, abs=1e-5)


def last_logits(positions, past):
    model = awake(replace(BASE, layers=1, positions=positions))
    return model(torch.tensor([[*past, 7]]))[0, -1]


def test_one_layer_without_positions_sees_what_came_before_and_not_in_which_order():
    torch.testing.assert_close(last_logits("none", [1, 2, 3]), last_logits("none", [3, 1, 2]))
    for positions in ("learned", "rotary"):
        assert (last_logits(positions, [1, 2, 3]) - last_logits(positions, [3, 1, 2])).abs().max() > 0.01


# --- attention --------------------------------------------------------------------------------------------------------


def heads(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).double()


def test_attention_weights_are_the_softmax_over_the_past_written_as_loops():
    q, k = heads(1, 1, 4, 6), heads(1, 1, 7, 6, seed=1)
    weights = gpt.attention_weights(q, k)[0, 0]
    for i in range(4):
        scores = [math.exp(float(q[0, 0, i] @ k[0, 0, j]) / math.sqrt(6)) for j in range(i + 4)]
        expected = [score / sum(scores) for score in scores] + [0.0] * (3 - i)
        assert weights[i].tolist() == pytest.approx(expected, abs=1e-12)


def test_attention_is_torchs_fused_kernel():
    q, k, v = (heads(2, 3, 9, 8, seed=seed) for seed in range(3))
    torch.testing.assert_close(gpt.attend(q, k, v), scaled_dot_product_attention(q, k, v, is_causal=True))


@every_variation
def test_attention_maps_are_the_weights_that_the_forward_pass_takes(config, monkeypatch):
    taken, formula = [], gpt.attention_weights
    model, tokens = awake(config), some_tokens(config, time=9)
    maps = model.attention_maps(tokens)
    monkeypatch.setattr(gpt, "attention_weights", lambda q, k: taken.append(formula(q, k)) or taken[-1])
    model(tokens)
    assert maps.shape == (config.layers, 3, config.heads, 9, 9)
    torch.testing.assert_close(maps, torch.stack(taken))
    torch.testing.assert_close(maps.sum(-1), torch.ones(maps.shape[:-1]))


def test_normalised_queries_and_keys_have_the_length_of_the_root_of_their_size():
    model = awake(BASE)
    q, k, v = model.blocks[0].attention.project(torch.randn(2, 12, 16), model.turn)
    for vectors in (q, k):
        torch.testing.assert_close(vectors.norm(dim=-1), torch.full((2, 2, 12), math.sqrt(8)), rtol=1e-4, atol=0)
    assert v.norm(dim=-1).std() > 0.1


@settings(max_examples=30)
@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 40))
def test_a_rotary_score_depends_on_the_distance_of_two_places_only(m, n, shift):
    turn, (q, k) = gpt.rotations(64, 8).double(), (heads(8, seed=seed) for seed in (0, 1))

    def score(at_q, at_k):
        return float(gpt.rotate(q, turn[at_q]) @ gpt.rotate(k, turn[at_k]))

    assert score(m + shift, n + shift) == pytest.approx(score(m, n), abs=1e-5)  # angles are float32
    assert m == n or abs(score(m, n) - score(0, 0)) > 1e-9
    assert gpt.rotate(q, turn[m]).norm().item() == pytest.approx(q.norm().item(), rel=1e-6)


def test_rotary_turns_each_pair_as_a_complex_number():
    x, turn = heads(5, 8), gpt.rotations(5, 8).double()
    pairs = torch.complex(x[:, :4], x[:, 4:])
    turned = pairs * torch.polar(torch.ones(5, 4).double(), torch.atan2(turn[..., 1], turn[..., 0]))
    torch.testing.assert_close(gpt.rotate(x, turn), torch.cat([turned.real, turned.imag], -1), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(gpt.rotate(x[3], turn[3:4])[0], gpt.rotate(x, turn)[3])
    assert torch.atan2(*turn[1].flip(-1).unbind(-1)).tolist() == pytest.approx([1000 ** (-i / 4) for i in range(4)])


@pytest.mark.parametrize("norm, activation", [("rms", "relu2"), ("layer", "gelu")])
def test_a_block_thinks_as_its_formula_says(norm, activation):
    block = awake(replace(BASE, norm=norm, activation=activation)).blocks[0]
    block.attention.out.weight.zero_()
    x = torch.randn(2, 5, 16)
    centred = x if norm == "rms" else x - x.mean(-1, keepdim=True)
    inside = centred / centred.square().mean(-1, keepdim=True).sqrt() * block.norm2.weight @ block.up.weight.T
    normal = torch.distributions.Normal(0.0, 1.0)
    thought = inside.clamp(min=0) ** 2 if activation == "relu2" else inside * normal.cdf(inside)
    torch.testing.assert_close(block(x, None), x + thought @ block.down.weight.T, atol=0.02, rtol=0.001)


# --- the cache --------------------------------------------------------------------------------------------------------


@every_variation
@pytest.mark.parametrize("pieces", [[1] * 12, [5, 1, 6], [12]])
def test_read_piece_by_piece_with_a_cache_the_logits_are_the_same(config, pieces):
    model, tokens = awake(config), some_tokens(config)
    cache = Cache(config)
    parts = [model(piece, cache) for piece in tokens.split(pieces, dim=1)]
    assert cache.length == 12
    torch.testing.assert_close(torch.cat(parts, dim=1), model(tokens), atol=1e-4, rtol=1e-4)


def test_a_cache_takes_the_number_format_and_the_batch_of_what_it_is_given():
    model, cache = awake(BASE).bfloat16(), Cache(BASE)
    logits = model(some_tokens(BASE)[:, :3], cache)
    held = cache.layers[0].keys
    assert held.dtype is logits.dtype is torch.bfloat16 and len(held) == len(logits)


def test_the_last_place_alone_has_the_logits_of_the_last_place():
    model, tokens = awake(BASE), some_tokens(BASE)
    last = model(tokens, last=True)
    assert last.shape[1] == 1
    torch.testing.assert_close(last, model(tokens)[:, -1:])


def test_a_full_cache_refuses_another_token():
    model, cache = awake(BASE), Cache(BASE)
    model(some_tokens(BASE, 1), cache)
    with pytest.raises(ValueError, match=r"at most 12 tokens in all, got \(1, 1\) after 12"):
        model(torch.tensor([[0]]), cache)


def test_a_model_that_fits_a_gpu_is_made_and_a_larger_one_refused_before_it_takes_memory():
    large = Config(16_384, context=512, layers=24, heads=16, width=2_048)
    with torch.device("meta"):
        model = GPT(large)
    assert sum(p.numel() for p in model.parameters()) > 1_000_000_000
    with pytest.raises(ValueError, match="layers"):
        GPT(replace(large, layers=96))


@pytest.mark.parametrize(
    ("init", "spreads"),
    [
        (
            "idle",
            {"tokens": 1.0, "places": 1.0, "head": 0.02, "qkv": 64**-0.5, "up": 64**-0.5, "out": 0.0, "down": 0.0},
        ),
        ("gpt2", {"tokens": 0.02, "places": 0.02, "head": 0.02, "qkv": 0.02, "up": 0.02, "out": 0.01, "down": 0.01}),
    ],
)
def test_each_matrix_starts_with_its_own_spread_and_biases_at_zero(init, spreads):
    torch.manual_seed(0)
    model = GPT(Config(90, context=90, layers=2, heads=1, width=64, positions="learned", bias=True, init=init))
    for name, parameter in model.named_parameters():
        kind = name.split(".")[-2]
        if name.endswith("bias"):
            assert not parameter.any()
        elif parameter.dim() == 2:
            assert parameter.std().item() == pytest.approx(spreads[kind], rel=0.05), name


@pytest.mark.parametrize(("init", "idle"), [("idle", True), ("gpt2", False)])
def test_a_block_begins_by_changing_nothing_or_little(init, idle):
    torch.manual_seed(0)
    model, x = GPT(replace(BASE, init=init)), torch.randn(2, 5, BASE.width)
    with torch.no_grad():
        change = (model.blocks[0](x, model.turn[:5]) - x).abs().max().item()
    assert (change == 0) is idle and change < 0.2


# --- training ---------------------------------------------------------------------------------------------------------


@every_variation
def test_each_parameter_has_exactly_one_optimizer_and_muon_the_matrices_of_blocks(config):
    model = GPT(config)
    muon, adamw = gpt.optimizers(model)
    held = [[p for group in optimizer.param_groups for p in group["params"]] for optimizer in (muon, adamw)]
    assert sorted(map(id, sum(held, []))) == sorted(map(id, model.parameters()))
    assert all(p.dim() == 2 for p in held[0]) and len(held[0]) == 4 * config.layers
    assert any(p is model.tokens.weight for p in held[1]) and any(p is model.head.weight for p in held[1])
    assert (model.head.weight is model.tokens.weight) == config.tied


def test_rates_decay_and_iterations_reach_the_optimizers():
    muon, adamw = gpt.optimizers(GPT(BASE), 0.01, 0.002, decay=0.1, iterations=3)
    asked = {"lr": 0.01, "weight_decay": 0.1, "ns_steps": 3}
    assert {key: muon.param_groups[0][key] for key in asked} == asked
    assert (adamw.param_groups[0]["lr"], adamw.param_groups[0]["weight_decay"]) == (0.002, 0.0)
    assert all(optimizer.param_groups[0]["weight_decay"] == 0 for optimizer in gpt.optimizers(GPT(BASE)))


def test_a_torch_without_muon_is_named(monkeypatch):
    monkeypatch.delattr(torch.optim, "Muon")
    with pytest.raises(RuntimeError, match="needs torch 2.9 or newer, this is .*pip install"):
        gpt.optimizers(GPT(BASE))


@pytest.mark.parametrize("config", [BASE, gpt.gpt2_config(BASE)])
def test_it_learns_what_follows_what_in_a_round(config):
    torch.manual_seed(0)
    model, text = GPT(config), torch.arange(200) % 7
    optimizers = gpt.optimizers(model, adamw=0.04)
    rates = [schedule(optimizer, 60) for optimizer in optimizers]
    rows = gpt.windows(text, 13)
    for _ in range(60):
        batch = rows[torch.randint(len(rows), (8,))]
        loss = cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        model.zero_grad()
        loss.backward()
        for optimizer, rate in zip(optimizers, rates, strict=True):
            optimizer.step()
            rate.step()
    assert -gpt.log_probs(model.eval(), text).mean() < 0.1


def test_a_block_starts_as_a_copy_of_its_input():
    model = GPT(BASE)
    x = torch.randn(2, 12, 16)
    torch.testing.assert_close(model.blocks[0](x, model.turn), x)


# --- texts ------------------------------------------------------------------------------------------------------------


def test_windows_are_all_passages():
    assert gpt.windows(torch.arange(5), 3).tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]


@pytest.mark.parametrize("tokens", [torch.arange(2), torch.ones(3, 3)])
def test_windows_of_too_little_are_refused(tokens):
    with pytest.raises(ValueError, match=r"tokens must be \(n,\) with n >= 3, the length, got"):
        gpt.windows(tokens, 3)


@pytest.mark.parametrize("length", [2, 9, 13, 14, 25, 50])
def test_log_probs_score_each_token_once_given_those_before_in_its_piece(length):
    model, text = awake(BASE), some_tokens(BASE, 1, length)[0]
    expected = []
    for t in range(1, length):
        piece = text[(t - 1) // 12 * 12 : t]
        expected.append(float(model(piece[None])[0, -1].log_softmax(-1)[text[t]]))
    assert gpt.log_probs(model, text, batch=2).tolist() == pytest.approx(expected, abs=1e-4)


def test_a_text_of_one_token_has_nothing_to_score():
    with pytest.raises(ValueError, match="n >= 2"):
        gpt.log_probs(awake(BASE), torch.tensor([1]))


@every_variation
@pytest.mark.parametrize("time", [12, 5])
def test_floating_point_operations_are_those_that_torch_counts(config, time):
    model, tokens = awake(config), some_tokens(config, 2, time)
    with FlopCounterMode(display=False) as counter:
        model(tokens)
    assert counter.get_total_flops() == 2 * time * gpt.forward_flops(config, time)
    assert gpt.forward_flops(config) == gpt.forward_flops(config, 12)


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [{"width": 18}, {"heads": 3}])
def test_sizes_that_do_not_fit_are_refused(sizes):
    with pytest.raises(ValueError, match="width must be divisible by twice the heads, got"):
        replace(BASE, **sizes)


@pytest.mark.parametrize("name", ["vocabulary", "context", "layers", "heads", "width"])
@pytest.mark.parametrize("size", [0, 10.5, math.nan, "8", None])
def test_sizes_that_are_no_whole_numbers_of_at_least_one_are_named(name, size):
    with pytest.raises((ValueError, TypeError), match=f"{name} must be a whole number"):
        replace(BASE, **{name: size})


@pytest.mark.parametrize("name, given, nearest", [
    ("positions", "rotry", "rotary"), ("norm", "Rms", "rms"), ("activation", "relu", "relu2"),
])  # fmt: skip
def test_a_misspelt_variation_is_refused_with_the_nearest_one(name, given, nearest):
    with pytest.raises(ValueError, match=f"{name} .*{given!r}.*{nearest!r}"):
        replace(BASE, **{name: given})


@pytest.mark.parametrize("token", [11, -1, 10**9])
def test_tokens_outside_the_vocabulary_are_named(token):
    for read in (awake(BASE), awake(BASE).attention_maps, lambda x: gpt.log_probs(awake(BASE), x[0])):
        with pytest.raises(
            ValueError, match=r"tokens must lie in 0 to 10, got 0 to 11|tokens must lie in 0 to 10, got"
        ):
            read(torch.tensor([[0, token, 1]]))


def test_tokens_that_are_no_whole_numbers_or_no_tensor_are_named():
    for tokens in (torch.zeros(1, 3), [[0, 1]], None):
        with pytest.raises(TypeError, match="tokens must be"):
            awake(BASE)(tokens)


@pytest.mark.parametrize("shape", [(12,), (1, 13), (1, 2, 3)])
def test_tokens_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"\(batch, time\) with at most 12 tokens in all, got"):
        awake(BASE)(torch.zeros(shape, dtype=torch.long))


def test_one_text_in_four_bytes_a_number_is_what_writing_reads_if_nothing_else_is_said():
    assert gpt.decoding_bytes(BASE, 9) == gpt.decoding_bytes(BASE, 9, batch=1, item=4)


def test_training_takes_three_times_the_operations_of_reading():
    config = gpt.Config(vocabulary=67, context=32)
    assert gpt.training_flops(config, 8) == 3 * gpt.forward_flops(config, 8)
    assert gpt.training_flops(config) == gpt.training_flops(config, 32)
