"""The text classifier: the report's parameter counts, its loss, that padding changes nothing, and that it learns."""

import math
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from datamodules import ToySentimentDataModule
from dlmodules import TextClassifier
from dlmodules.classifiers.text_networks import BagOfWords, TextRNN, text_first
from dlmodules.errors import UserError
from tests.quiet import quiet_trainer
from tests.systems.gradient_verification import assert_tokens_stay_apart

NETWORKS = [BagOfWords(), TextRNN(), TextRNN(cell="lstm"), TextRNN(cell="gru")]
every_network = pytest.mark.parametrize("network", NETWORKS, ids=["dense", "rnn", "lstm", "gru"])


@pytest.mark.parametrize(
    ("network", "keras", "second_bias"),
    [(BagOfWords(), 160_305, 0), (TextRNN(cell="rnn"), 322_113, 32), (TextRNN(cell="lstm"), 328_353, 4 * 32)],
)
def test_parameter_counts_are_the_reports_but_for_torchs_second_bias(network, keras, second_bias):
    assert sum(p.numel() for p in network.parameters()) == keras + second_bias


def test_the_bare_module_is_the_lstm_with_keras_rmsprop():
    module = TextClassifier()
    assert sum(p.numel() for p in module.parameters()) == 328_481
    settings = module.configure_optimizers().defaults
    assert (settings["lr"], settings["alpha"], settings["eps"]) == (1e-3, 0.9, 1e-7)


def test_first_weights_are_keras():
    network = TextRNN(cell="lstm")
    assert network.embedding.weight.abs().max() <= 0.05
    assert network.recurrent.bias_ih_l0.tolist() == [0.0] * 32 + [1.0] * 32 + [0.0] * 64  # the forget gate is second
    assert not network.recurrent.bias_hh_l0.any()
    simple = TextRNN().recurrent.weight_hh_l0
    assert torch.allclose(simple @ simple.T, torch.eye(32), atol=1e-5)


def test_one_logit_has_the_binary_cross_entropy():
    module = TextClassifier(BagOfWords(10))
    z, y = torch.tensor([[math.log(3.0)], [-1.0], [200.0]]), torch.tensor([1, 0, 0])
    module.network.forward = lambda tokens: z
    logits = module(torch.ones(3, 1))
    # The sigmoid of log 3 is 3/4; that of -1 is 1 / (1 + e); 200 for the wrong class costs 200.
    expected = (math.log(4 / 3) + math.log(1 + math.exp(-1)) + 200) / 3
    assert module.loss(logits, y).item() == pytest.approx(expected, abs=1e-5)
    assert module.loss(logits, y).item() == pytest.approx(F.binary_cross_entropy_with_logits(z[:, 0], y.float()).item())
    assert torch.allclose(module.predict_step(torch.ones(3, 1), 0)[:, 1], torch.sigmoid(z[:, 0]))
    assert logits.argmax(dim=1).tolist() == [1, 0, 1]


TEXTS = [[5, 3, 9, 2], [7], [4, 4, 1, 8, 6, 2, 3]]


def padded(to: int, side: str) -> Tensor:
    pads = [[0] * (to - len(text)) for text in TEXTS]
    rows = zip(pads, TEXTS, strict=True)
    return torch.tensor([pad + text if side == "front" else text + pad for pad, text in rows])


@every_network
def test_padding_changes_no_logit(network: nn.Module):
    with torch.no_grad():
        nn.init.normal_(network.head.weight)
        alone = torch.cat([network(torch.tensor([text])) for text in TEXTS])
        for side in ("front", "back"):
            for to in (7, 8, 500):
                assert torch.allclose(network(padded(to, side)), alone, atol=1e-6), (side, to)
        assert torch.equal(network(padded(500, "front")), network(padded(7, "back")))
    assert alone.std() > 1e-3


def test_the_padding_has_no_gradient():
    network = TextRNN(12, cell="lstm")
    network(padded(9, "front")).sum().backward()
    assert not network.embedding.weight.grad[0].any()
    assert network.embedding.weight.grad[7].any()


def test_text_first_by_hand():
    tokens = torch.tensor([[0, 0, 5, 6], [7, 0, 0, 0], [0, 0, 0, 0], [0, 8, 0, 0]])
    words, lengths = text_first(tokens)
    assert words.tolist() == [[5, 6], [7, 0], [0, 0], [8, 0]]
    assert lengths.tolist() == [2, 1, 1, 1]


def test_the_state_is_that_after_the_last_word():
    network = TextRNN(10, cell="rnn", embedding_dim=3, hidden_dim=2)
    state = torch.zeros(2)
    for word in (5, 9):
        x = network.embedding.weight[word]
        state = torch.tanh(network.recurrent.weight_ih_l0 @ x + network.recurrent.weight_hh_l0 @ state)
    assert torch.allclose(network.hidden(torch.tensor([[5, 9, 0], [1, 2, 3]]))[0], state, atol=1e-6)


def test_the_bag_holds_each_word_once_and_no_order():
    network = BagOfWords(6, hidden_dim=2)
    first = network.layers[0]
    seen: list[Tensor] = []
    first.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    network(torch.tensor([[0, 0, 3, 5, 3], [1, 2, 0, 0, 0]]))
    assert seen[0].tolist() == [[0, 0, 0, 1, 0, 1], [0, 1, 1, 0, 0, 0]]


@every_network
def test_tokens_outside_the_vocabulary_and_images_are_named(network: nn.Module):
    for tokens, found in ((torch.tensor([[3, 10_000]]), 10_000), (torch.tensor([[-1, 3]]), -1)):
        with pytest.raises(UserError, match=f"a token {found}, but the network knows 0..9999"):
            network(tokens)
    with pytest.raises(UserError, match=r"needs int64 tokens \(B, T\)"):
        network(torch.rand(2, 1, 28, 28))


def test_more_than_two_classes():
    module = TextClassifier(BagOfWords(num_classes=3), num_classes=3)
    assert module(torch.tensor([[1, 2]])).shape == (1, 3)
    with pytest.raises(UserError, match=r"a label is outside 0..2 \(labels here: 3..3\)"):
        module.training_step((torch.tensor([[1, 2]]), torch.tensor([3])), 0)
    with pytest.raises(UserError, match="the network has 1 logits for num_classes=3"):
        TextClassifier(BagOfWords(), num_classes=3)(torch.tensor([[1, 2]]))
    with pytest.raises(UserError, match="num_classes is 1"):
        TextClassifier(num_classes=1)


class Leaky(nn.Module):
    def forward(self, tokens: Tensor) -> Tensor:
        x = tokens.float().sum(dim=1, keepdim=True)
        return x - x.mean()


class Blind(nn.Module):
    def forward(self, tokens: Tensor) -> Tensor:
        return torch.zeros(len(tokens), 1)


@pytest.mark.parametrize("network", [Leaky(), Blind()])
def test_the_check_of_tokens_misses_neither_a_leak_nor_a_network_that_reads_nothing(network: nn.Module):
    tokens = TextClassifier().example_input_array
    with pytest.raises(AssertionError, match="moves the outputs"):
        assert_tokens_stay_apart(network, tokens)


@pytest.mark.parametrize(
    ("make_network", "least"),
    [(BagOfWords, 0.78), (TextRNN, 0.85), (lambda: TextRNN(cell="lstm"), 0.9)],
    ids=["dense", "rnn", "lstm"],
)
@pytest.mark.learning
def test_it_learns_what_made_up_opinions_say(make_network: Any, least: float, tmp_path: Any):
    """Of what the words are alone, without what ``not`` turns round, the bag of words learns its share."""
    pl.seed_everything(0)
    trainer = quiet_trainer(max_epochs=12, default_root_dir=tmp_path)
    module = TextClassifier(make_network(), optimizer=lambda p: torch.optim.RMSprop(p, lr=5e-3, alpha=0.9, eps=1e-7))
    data = ToySentimentDataModule(batch_size=32)
    trainer.fit(module, data)
    assert trainer.test(module, data, verbose=False)[0]["test/accuracy"] > least
