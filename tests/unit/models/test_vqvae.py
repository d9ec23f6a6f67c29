"""The networks of genai_utils.models.vqvae, its codebook and its prior: shapes, causality, restarts, refusals."""

import math

import pytest
import torch
from torch import nn

from genai_utils.models import vqvae
from genai_utils.run import Run


def bent(prior: vqvae.CodePrior) -> vqvae.CodePrior:
    """The prior with large random weights, so that every dependence shows."""
    torch.manual_seed(0)
    for parameter in prior.parameters():
        nn.init.normal_(parameter, std=0.3)
    return prior


# --- quantisation and counting ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(5, 3), (2, 7, 7, 3), (3,)])
def test_codes_keep_the_shape_of_the_vectors(shape):
    assert vqvae.nearest_codes(torch.randn(shape), torch.randn(9, 3)).shape == shape[:-1]


def test_neighbours_that_bfloat16_cannot_tell_apart_are_told_apart_under_autocast():
    book = torch.tensor([[1.0], [1.001]])
    with torch.autocast("cpu", torch.bfloat16):
        assert vqvae.nearest_codes(torch.tensor([[1.0009], [1.0001]]), book).tolist() == [1, 0]


def test_vectors_of_another_width_are_refused():
    with pytest.raises(ValueError, match=r"z must have shape \(..., d\), d = 3, got \(5, 4\)"):
        vqvae.nearest_codes(torch.zeros(5, 4), torch.zeros(9, 3))


def test_no_gradient_reaches_the_codebook_straight_through():
    z, q = torch.randn(4, requires_grad=True), torch.randn(4, requires_grad=True)
    vqvae.straight_through(z, q).sum().backward()
    assert q.grad is None and torch.equal(z.grad, torch.ones(4))


def test_the_counts_of_codes_are_shares_perplexity_and_number_in_use():
    codes = torch.tensor([[0, 0], [3, 3]])
    assert vqvae.code_shares(codes, 4).tolist() == [0.5, 0, 0, 0.5]
    assert vqvae.used(codes, 4) == 2
    assert vqvae.code_perplexity(codes, 4) == pytest.approx(2)
    assert vqvae.entropy_bits(torch.arange(8), 8) == pytest.approx(3)
    assert vqvae.code_perplexity(torch.zeros(5, dtype=torch.long), 4) == 1


@pytest.mark.parametrize("codes, found", [([4], "4 to 4"), ([-1, 2], "-1 to 2"), ([], "none")])
def test_codes_that_are_not_in_the_book_are_refused(codes, found):
    with pytest.raises(ValueError, match=f"codes must lie in 0 to 3, got {found}"):
        vqvae.code_shares(torch.tensor(codes, dtype=torch.long), 4)


# --- codebook ---------------------------------------------------------------------------------------------------------


def test_a_codebook_alone_has_the_size_of_that_of_the_autoencoder():
    assert vqvae.Codebook().vectors.shape == vqvae.VQVAE().codebook.vectors.shape == (128, 32)


def test_a_codebook_gives_back_its_own_vectors():
    book = vqvae.Codebook(6, 2)
    codes = torch.randint(6, (3, 4, 5))
    z = book.lookup(codes)
    assert z.shape == (3, 2, 4, 5)
    vectors, found = book(z + 1e-4)
    assert torch.equal(found, codes) and torch.allclose(vectors, z)


def test_an_entry_that_nobody_chooses_stays_where_it_is():
    book = vqvae.Codebook(3, 2)
    before = book.vectors.clone()
    for _ in range(2_000):  # its count fades far below what float32 can divide by without care
        book.update(torch.ones(1, 2, 2, 2), torch.zeros(1, 2, 2, dtype=torch.long))
    assert torch.allclose(book.vectors[0], torch.ones(2), atol=1e-4)
    assert book.vectors.isfinite().all()
    book = vqvae.Codebook(3, 2)
    before = book.vectors.clone()
    for _ in range(300):
        book.update(torch.ones(1, 2, 2, 2), torch.zeros(1, 2, 2, dtype=torch.long))
    assert torch.allclose(book.vectors[1:], before[1:], rtol=1e-3)


def test_a_restart_moves_the_dead_onto_vectors_of_the_batch_and_leaves_the_living():
    book = vqvae.Codebook(4, 2)
    book.counts.copy_(torch.tensor([10.0, 0.01, 10.0, 0.02]))
    before, z = book.vectors.clone(), torch.randn(5, 2, 3, 3)
    assert book.restart(z) == 2
    assert torch.equal(book.vectors[[0, 2]], before[[0, 2]])
    pool = z.movedim(1, -1).reshape(-1, 2)
    for entry in book.vectors[[1, 3]]:
        assert (pool == entry).all(1).any()
    assert torch.allclose(book.sums[[1, 3]] / book.counts[[1, 3], None], book.vectors[[1, 3]])
    assert book.restart(z) == 0, "a revived entry gets time to live"


def test_the_first_restart_can_place_all_entries():
    book = vqvae.Codebook(4, 2)
    assert book.restart(torch.full((1, 2, 2, 2), 7.0), below=math.inf) == 4
    assert (book.vectors == 7).all()


def test_a_codebook_started_on_data_holds_different_vectors_of_the_batch():
    book, z = vqvae.Codebook(8, 2, decay=0.5), torch.randn(5, 2, 3, 3)
    book.start(z)
    pool = z.movedim(1, -1).reshape(-1, 2)
    assert all((pool == entry).all(1).any() for entry in book.vectors)
    assert len(book.vectors.unique(dim=0)) == 8
    before = book.vectors.clone()
    book.update(torch.zeros(1, 2, 1, 1), torch.zeros(1, 1, 1, dtype=torch.long))
    assert torch.allclose(book.vectors[1:], before[1:]), "sums and counts belong to the new vectors"
    assert torch.allclose(book.vectors[0], before[0] * 0.5)


def test_a_new_start_forgets_how_often_codes_were_chosen():
    book, z = vqvae.Codebook(3, 2, decay=0.5), torch.randn(1, 2, 2, 2)
    book.update(z, torch.zeros(1, 2, 2, dtype=torch.long))
    book.start(z)
    assert book.counts.tolist() == [1, 1, 1] and torch.equal(book.sums, book.vectors)


def test_fewer_vectors_than_codes_are_used_again():
    book = vqvae.Codebook(5, 2)
    book.start(torch.tensor([1.0, 2.0]).view(1, 1, 2, 1).expand(1, 2, 2, 1))
    assert len(book.vectors.unique(dim=0)) == 2
    with pytest.raises(ValueError, match="vectors to draw from"):
        book.start(torch.zeros(0, 2, 3, 3))


# --- autoencoder ------------------------------------------------------------------------------------------------------


def test_a_picture_becomes_seven_by_seven_codes_and_comes_back():
    model, x = vqvae.VQVAE(codes=16, width=4, channels=8), torch.rand(3, 1, 28, 28)
    out = model(x)
    assert out.images.shape == x.shape and out.codes.shape == (3, *model.shape)
    assert out.z.shape == out.quantized.shape == (3, 4, 7, 7)
    assert torch.equal(model.encode(x), out.codes)
    assert torch.allclose(model.decode(out.codes), out.images.clamp(-1, 1), atol=1e-5)


def test_encoding_does_not_depend_on_how_many_pictures_come_at_once():
    torch.manual_seed(0)
    model, x = vqvae.VQVAE(), torch.rand(501, 1, 28, 28)  # more than one batch
    codes = model.encode(x)
    assert (codes[:3] == model.encode(x[:3])).float().mean() > 0.98
    assert model.decode(codes).shape == x.shape and model.decode(codes).abs().max() <= 1


def test_decoded_pictures_are_cut_to_black_and_white():
    model = vqvae.VQVAE(codes=4, width=2, channels=2)
    for end in (-1.0, 1.0):
        model.decoder[-2].bias.data.fill_(30 * end)
        assert (model.decode(torch.zeros(1, 7, 7, dtype=torch.long)) == end).all()


@pytest.mark.parametrize("shape", [(2, 1, 32, 32), (2, 3, 28, 28), (28, 28)])
def test_pictures_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"examples must be \(n, 1, 28, 28\), got"):
        vqvae.VQVAE()(torch.zeros(shape))


def test_the_loss_moves_encoder_and_decoder_and_not_the_codebook():
    model, x = vqvae.VQVAE(), torch.rand(4, 1, 28, 28)
    before = model.codebook.vectors.clone()
    vqvae.loss(x, model(x)).backward()
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())
    assert torch.equal(model.codebook.vectors, before)


def test_to_encode_asks_the_encoder_and_the_codebook_alone():
    model, x = vqvae.VQVAE(codes=16, width=4, channels=8).eval(), torch.rand(3, 1, 28, 28)
    expected = model(x).codes
    model.decoder = None
    assert torch.equal(model.encode(x), expected)


# --- prior ------------------------------------------------------------------------------------------------------------


def seen_from(prior: vqvae.CodePrior) -> torch.Tensor:
    """Which places (49, 49) the logits at each place depend on, by the gradient."""
    embedded = torch.randn(1, 7, 7, 8, requires_grad=True)
    prior.embed.forward = lambda codes: embedded
    logits = prior(torch.zeros(1, 7, 7, dtype=torch.long)).flatten(2)[0].sum(0)
    slopes = [torch.autograd.grad(logit, embedded, retain_graph=True)[0] for logit in logits]
    return torch.stack([slope.abs().sum(-1).flatten() > 0 for slope in slopes])


def test_a_place_sees_only_what_was_written_before_it():
    """Strictly below the diagonal: neither itself nor anything later in reading order."""
    assert not seen_from(bent(vqvae.CodePrior(codes=5, width=16, blocks=4))).triu().any()


def test_a_place_sees_its_neighbours_and_misses_a_corner_above_and_to_the_right():
    """What the docstring owns up to: masked kernels in a row leave a blind spot, whose size is counted here."""
    seen = seen_from(bent(vqvae.CodePrior(codes=5, width=16, blocks=4)))
    for place in range(49):
        i, j = divmod(place, 7)
        for row, column in [(i, j - 1), (i - 1, j), (i - 1, j - 1), (i - 1, j + 1)]:
            if row >= 0 and 0 <= column < 7:
                assert seen[place, 7 * row + column]
    before = torch.ones(49, 49).tril(-1).bool()
    missed = (before & ~seen).sum(1)
    assert (missed > 0).sum() == 18 and missed[3 * 7] == 6  # 18 places are partly blind; (3, 0) sees 15 of 21


def test_a_block_looks_at_its_own_place_too():
    block, x = vqvae.CausalBlock(4), torch.randn(1, 4, 3, 3)
    for parameter in block.parameters():
        nn.init.constant_(parameter, 0.5)
    changed = x.clone()
    changed[..., 1, 1] += 1
    moved = (block(changed) - changed - block(x) + x).abs().amax((0, 1)) > 1e-6
    assert moved.tolist() == [[False] * 3, [False, True, True], [True] * 3]


def test_the_probability_of_a_captionless_map_is_the_mean_over_captions():
    prior = bent(vqvae.CodePrior(codes=4, shape=(3, 3), width=8, blocks=1, labels=3))
    codes = torch.randint(4, (6, 3, 3))
    told = torch.stack([prior.log_prob(codes, torch.full((6,), k)).exp() for k in range(3)])
    assert torch.allclose(prior.log_prob(codes).exp(), told.mean(0), rtol=1e-4)


@pytest.mark.parametrize("kinds", [0, 2])
def test_the_likelihood_does_not_depend_on_how_many_maps_come_at_once(kinds):
    prior = bent(vqvae.CodePrior(codes=4, shape=(3, 3), width=8, blocks=1, labels=kinds))
    codes, labels = torch.randint(4, (502, 3, 3)), torch.randint(2, (502,)) if kinds else None
    alone = prior.log_prob(codes[-2:], labels[-2:] if kinds else None)
    assert torch.allclose(prior.log_prob(codes, labels)[-2:], alone, atol=1e-4)


@pytest.mark.parametrize("kinds", [0, 3])
def test_the_sampler_draws_from_the_probabilities_of_the_whole_network(kinds):
    """At a temperature near zero it must take the likeliest code at every place, as the full forward pass sees it."""
    prior = bent(vqvae.CodePrior(codes=6, shape=(4, 5), width=8, blocks=3, labels=kinds))
    labels = torch.arange(9) % 3 if kinds else None
    drawn = prior.sample(9, labels=labels, temperature=1e-6)
    assert drawn.shape == (9, 4, 5)
    with torch.no_grad():
        assert torch.equal(prior(drawn, labels).argmax(1), drawn)


def test_the_same_generator_draws_the_same_maps_and_captions():
    prior = bent(vqvae.CodePrior(codes=6, shape=(3, 3), width=8, blocks=1, labels=4))
    first, again, other = (prior.sample(20, generator=torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_a_caption_changes_what_is_likely():
    prior = bent(vqvae.CodePrior(codes=6, shape=(3, 3), width=8, blocks=1, labels=2))
    codes = torch.randint(6, (5, 3, 3))
    one, two = (prior.log_prob(codes, torch.full((5,), k)) for k in range(2))
    assert (one - two).abs().min() > 1e-3


def test_captions_that_are_missing_or_not_wanted_are_refused():
    codes = torch.zeros(2, 7, 7, dtype=torch.long)
    with pytest.raises(ValueError, match=r"this model takes labels \(2,\) in 0..2, got none"):
        vqvae.CodePrior(labels=3)(codes)
    with pytest.raises(ValueError, match=r"this model takes no labels, got \(2,\)"):
        vqvae.CodePrior()(codes, torch.zeros(2, dtype=torch.long))


# --- training ---------------------------------------------------------------------------------------------------------


def test_a_run_can_train_the_autoencoder_in_its_own_precision():
    run = Run(2, progress=False)
    model, adam = run.setup(bare := vqvae.VQVAE(), torch.optim.Adam(bare.parameters(), 1e-3))
    for x in run.batches(torch.rand(64, 1, 28, 28), batch_size=32):
        out = model(x)
        assert out.images.dtype == out.z.dtype == torch.float32 and out.codes.dtype == torch.int64
        run.step(adam, vqvae.loss(x, out))
