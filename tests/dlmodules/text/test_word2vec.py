"""word2vec: its loss and gradients by hand, the noise it draws, its words, and that it learns."""

import math
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from callbacks import ExactResume, LastCheckpoint
from datamodules import WordContextsDataModule
from dlmodules import Word2Vec
from dlmodules.checkpoints.loading import load_module
from dlmodules.errors import UserError
from dlmodules.protocols import EmbedsWords
from dlmodules.sequences.analogies import score_analogies, total_accuracy
from tests.quiet import quiet_trainer


def softplus(x):
    return math.log(1 + math.exp(x))


def small(**arguments):
    """A module of 4 token ids and 2 numbers, whose noise is always the word 3."""
    module = Word2Vec(vocabulary_size=4, embedding_dim=2, **arguments)
    with torch.no_grad():
        module.input.weight.copy_(torch.tensor([[9.0, 9.0], [1.0, 2.0], [0.5, -1.0], [0.0, 1.0]]))
        module.output.copy_(torch.tensor([[9.0, 9.0], [1.0, 0.0], [-1.0, 1.0], [2.0, 0.5]]))
    module.draw_noise = lambda *shape, generator=None: torch.full(shape, 3)
    return module


BATCH = torch.tensor([1, 2]), torch.tensor([[2, 0, 1], [3, 0, 0]])

each_sharing = pytest.mark.parametrize("sharing", [None, 1, 2, 16])


@each_sharing
def test_skip_gram_by_hand(sharing):
    loss, pairs = small(negatives=2, sharing=sharing).loss(*BATCH)
    # v1 = (1, 2): u2 gives 1, u1 gives 1, the noise u3 gives 3, twice for each of two pairs; v2 = (0.5, -1): u3 gives
    # 0.5, and is no noise beside itself.
    assert pairs == 3
    assert loss.item() == pytest.approx(2 * softplus(-1) + 4 * softplus(3) + softplus(-0.5), rel=1e-6)


@each_sharing
def test_cbow_by_hand(sharing):
    loss, pairs = small(architecture="cbow", negatives=2, sharing=sharing).loss(*BATCH)
    # The mean of v2 and v1 is (0.75, 0.5): u1 gives 0.75, u3 1.75; v3 = (0, 1): u2 gives 1, u3 0.5.
    assert pairs == 2
    by_hand = softplus(-0.75) + 2 * softplus(1.75) + softplus(-1) + 2 * softplus(0.5)
    assert loss.item() == pytest.approx(by_hand, rel=1e-6)


def test_a_center_without_context_counts_nothing():
    for architecture in ("skip_gram", "cbow"):
        loss, pairs = small(architecture=architecture).loss(torch.tensor([1]), torch.tensor([[0, 0]]))
        assert (loss.item(), pairs.item()) == (0.0, 0)
    loss, pairs = small().loss(torch.zeros(0, dtype=torch.int64), torch.zeros(0, 4, dtype=torch.int64))
    loss.backward()
    assert pairs == 0


@each_sharing
@pytest.mark.parametrize("architecture", ["skip_gram", "cbow"])
def test_gradients_are_those_of_the_loss_by_differences(architecture, sharing):
    module = small(architecture=architecture, sharing=sharing, negatives=2).double()
    module.loss(*BATCH)[0].backward()
    for parameter in module.parameters():
        found = parameter.grad.to_dense()
        assert not found[0].any()  # of the padding
        for row in range(1, 4):
            for column in range(2):
                with torch.no_grad():
                    parameter[row, column] += 1e-6
                    up = module.loss(*BATCH)[0]
                    parameter[row, column] -= 2e-6
                    down = module.loss(*BATCH)[0]
                    parameter[row, column] += 1e-6
                assert found[row, column].item() == pytest.approx(((up - down) / 2e-6).item(), abs=1e-6)


def test_a_step_changes_only_the_words_of_the_batch_and_its_noise():
    module = Word2Vec(vocabulary_size=50, embedding_dim=4)
    torch.nn.init.normal_(module.output)
    before = module.input.weight.detach().clone()
    optimizer = module.optimizer(module.parameters())
    module.loss(*BATCH)[0].backward()
    assert module.input.weight.grad.is_sparse
    assert module.output.grad.is_sparse
    optimizer.step()
    assert (module.input.weight != before).any(1).nonzero().flatten().tolist() == [1, 2]


def test_shared_noise_has_the_gradient_of_own_noise_on_average():
    torch.manual_seed(0)
    module = Word2Vec(vocabulary_size=6, embedding_dim=3, negatives=5)
    torch.nn.init.normal_(module.input.weight)
    torch.nn.init.normal_(module.output)
    batch = torch.tensor([1, 2, 3, 4, 5]), torch.tensor([[2, 3, 1], [4, 0, 0], [1, 1, 0], [5, 5, 5], [1, 2, 4]])
    vectors, targets = module.pairs(*batch)
    module.sharing = 2
    shared = torch.stack([module.shared_noise_loss(vectors, targets) for _ in range(4000)])
    own = torch.stack([module.own_noise_loss(vectors, targets) for _ in range(4000)])
    error = ((shared.var() + own.var()) / 4000).sqrt().item()
    assert abs((shared.mean() - own.mean()).item()) < 4 * error
    assert error < 0.01 * own.mean().item()


def test_noise_is_drawn_by_the_counts_to_the_power_of_three_quarters():
    module = Word2Vec(vocabulary_size=6, embedding_dim=2)
    module.set_words(["the", "cat", "sat"], torch.tensor([81, 16, 1]), first_id=2)
    assert module.noise.tolist() == pytest.approx([0, 0, 27, 8, 1, 0])
    torch.manual_seed(0)
    drawn = torch.bincount(module.draw_noise(100, 360).flatten(), minlength=6) / 36_000
    assert drawn.tolist() == pytest.approx([0, 0, 27 / 36, 8 / 36, 1 / 36, 0], abs=0.01)


def test_first_vectors_are_those_of_the_authors_program():
    module = Word2Vec()
    assert sum(p.numel() for p in module.parameters()) == 2 * 10_000 * 100
    assert module.input.weight[1:].abs().max() <= 0.005
    assert module.input.weight[1:].std().item() == pytest.approx(0.01 / 12**0.5, rel=0.02)
    assert not module.output.any()
    loss, pairs = module.loss(*module.example_batch(40))
    assert (loss / pairs).item() == pytest.approx(6 * math.log(2), rel=0.02)


def test_the_learning_rate_falls_in_a_straight_line(tmp_path):
    rates = []

    class Remembers(pl.Callback):
        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
            rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    module = Word2Vec(vocabulary_size=200, embedding_dim=4, decay_epochs=2)
    trainer = quiet_trainer(max_epochs=3, limit_train_batches=5, callbacks=[Remembers()], default_root_dir=tmp_path)
    trainer.fit(module, WordContextsDataModule(batch_size=5, row_length=100))
    expected = [0.025 * max(1e-4, 1 - step / 10) for step in range(15)]
    assert rates == pytest.approx(expected)


def test_a_run_resumes_exactly_while_the_learning_rate_falls(tmp_path):
    def fit(folder, epochs, limit, ckpt_path=None):
        pl.seed_everything(0)
        module = Word2Vec(vocabulary_size=200, embedding_dim=4, decay_epochs=3)
        data = WordContextsDataModule(batch_size=5, row_length=100, val_size=0)
        trainer = quiet_trainer(
            max_epochs=epochs,
            max_steps=limit,
            limit_train_batches=4,
            enable_checkpointing=True,
            callbacks=[ExactResume(), LastCheckpoint(dirpath=str(folder))],
            default_root_dir=folder,
        )
        trainer.fit(module, data, ckpt_path=ckpt_path)
        return module

    whole = fit(tmp_path / "whole", 3, -1)
    fit(tmp_path / "broken", 3, 6)
    resumed = fit(tmp_path / "broken", 3, -1, tmp_path / "broken" / "last.ckpt")
    assert torch.equal(whole.input.weight, resumed.input.weight)
    assert torch.equal(whole.output, resumed.output)


def test_words_are_in_the_checkpoint(tmp_path):
    data = WordContextsDataModule(row_length=100, batch_size=100)
    module = Word2Vec(vocabulary_size=200, embedding_dim=4)
    with pytest.raises(UserError, match="Word2Vec knows no words yet"):
        module.word_vectors()
    trainer = quiet_trainer(max_steps=1, default_root_dir=tmp_path)
    trainer.fit(module, data)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    loaded = load_module(tmp_path / "last.ckpt")
    assert isinstance(loaded, EmbedsWords)
    words, vectors = loaded.word_vectors()
    assert words == data.words
    assert torch.equal(vectors, module.input.weight[2 : 2 + len(words)])
    assert torch.equal(loaded(torch.tensor([2, 5])), vectors[[0, 3]])
    assert torch.equal(loaded.noise, module.noise)


def test_mistakes_end_in_one_line(tmp_path):
    for arguments, message in (
        ({"architecture": "glove"}, "architecture is 'glove'; it must be skip_gram or cbow"),
        ({"vocabulary_size": 2}, "vocabulary_size is 2; it must be 3 or more"),
        ({"negatives": 0}, "negatives is 0"),
        ({"sharing": 0}, "sharing is 0"),
    ):
        with pytest.raises(UserError, match=message):
            Word2Vec(**arguments)
    module = Word2Vec(vocabulary_size=50, embedding_dim=2)
    with pytest.raises(UserError, match="the data have 106 token ids, but vocabulary_size=50: set the same"):
        quiet_trainer(max_steps=1, default_root_dir=tmp_path).fit(module, WordContextsDataModule())
    with pytest.raises(UserError, match=r"takes words \(B,\) and their contexts \(B, C\), int64, but the data give"):
        module.training_step((torch.rand(2, 3), torch.tensor([1, 2])), 0)
    with pytest.raises(UserError, match=r"a token id is outside 0\.\.49; set vocabulary_size to more"):
        module.training_step((torch.tensor([50]), torch.tensor([[1]])), 0)


def analogies_after(seed: int, folder: Any, **arguments: Any) -> float:
    """Train on the made-up sentences and return which part of their analogies is solved."""
    pl.seed_everything(seed)
    data = WordContextsDataModule(row_length=100, seed=seed, vocabulary_size=200, subsample=0.01)
    module = Word2Vec(vocabulary_size=200, embedding_dim=32, decay_epochs=10, **arguments)
    quiet_trainer(max_epochs=10, default_root_dir=folder).fit(module, data)
    return total_accuracy(score_analogies(*module.word_vectors(), data.analogy_questions))


@pytest.mark.parametrize(
    ("arguments", "least"),
    [
        ({}, 0.7),
        ({"architecture": "cbow", "optimizer": lambda p: torch.optim.SGD(p, lr=0.1)}, 0.7),
        ({"sharing": None}, 0.7),
    ],
    ids=["skip_gram", "cbow", "own_noise"],
)
@pytest.mark.learning
def test_it_solves_the_analogies_of_made_up_sentences(arguments: Any, least: float, tmp_path: Any):
    assert analogies_after(0, tmp_path, **arguments) > least
