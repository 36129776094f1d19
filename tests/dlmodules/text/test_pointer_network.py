import math
from pathlib import Path
from typing import Any

import pytest
import torch

from datamodules import SortingDataModule
from dlmodules import PointerNetwork
from dlmodules.errors import UserError
from dlmodules.training.schedules import WarmupCosineLR
from tests.quiet import quiet_trainer

X = torch.tensor([[0.4, 0.1, 0.9, 0.0], [0.5, 0.7, 0.2, 0.6]])[:, :, None]
ORDER = torch.tensor([[1, 0, 2, -100], [2, 0, 3, 1]])


def test_a_batch_has_numbers_and_their_order() -> None:
    data = SortingDataModule(shortest=2, longest=6, train_size=64, batch_size=16)
    data.setup("fit")
    for x, order in data.train_dataloader():
        assert x.shape == (*order.shape, 1)
        for numbers, places in zip(x[:, :, 0], order, strict=True):
            inside = places != -100
            assert torch.equal(numbers[places[inside]], numbers[inside].sort().values)
            assert not numbers[~inside].any()
            assert 2 <= int(inside.sum()) <= 6
    assert data.val_set is not None
    assert data.train_set is not None
    assert not torch.equal(data.val_set.numbers[0], data.train_set.numbers[0])
    longer = SortingDataModule(test_length=20, test_size=3)
    longer.setup("test")
    assert longer.test_set is not None
    assert longer.test_set.numbers.shape == (3, 20, 1)
    with pytest.raises(UserError, match="longest is 4; it must be shortest=5 or more"):
        SortingDataModule(longest=4)


@pytest.mark.parametrize("reader", ["recurrent", "elements"])
def test_padding_changes_nothing(reader: Any) -> None:
    torch.manual_seed(0)
    model = PointerNetwork(hidden_dim=6, reader=reader)
    scores, alone = model(X, ORDER), model(X[:1, :3], ORDER[:1, :3])
    assert torch.allclose(scores[:1, :3, :3], alone, atol=1e-6)
    assert torch.isinf(scores[0, :, 3]).all()


def test_a_step_by_hand() -> None:
    torch.manual_seed(0)
    network = PointerNetwork(hidden_dim=6, reader="elements", glimpses=0).network
    scores = network(X[1:], ORDER[1:])
    embedded = network.embedding(X[1])
    state = torch.zeros(1, 1, 6), torch.zeros(1, 1, 6)
    inputs = network.start[None, None]
    for step, place in enumerate(ORDER[1].tolist()):
        output, state = network.decoder(inputs, state)
        hidden = network.pointer.query(output[0, 0])
        for other in range(4):
            key = network.pointer.key(embedded[other])
            expected = float(network.pointer.vector(torch.tanh(hidden + key)))
            assert float(scores[0, step, other]) == pytest.approx(expected, abs=1e-6)
        inputs = embedded[place][None, None]


def test_its_loss_leaves_out_what_is_behind_a_sequence(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = PointerNetwork(hidden_dim=6)
    scores = model(X, ORDER)
    nats = [-float(scores[0, step].log_softmax(0)[place]) for step, place in enumerate([1, 0, 2])]
    nats += [-float(scores[1, step].log_softmax(0)[place]) for step, place in enumerate([2, 0, 3, 1])]
    assert float(model.training_step((X, ORDER), 0)) == pytest.approx(math.fsum(nats) / 7, rel=1e-5)


def test_its_own_order_follows_its_own_places() -> None:
    torch.manual_seed(0)
    model = PointerNetwork(hidden_dim=6)
    places = model.order_of(X[1:])
    assert torch.equal(model(X[1:], places).argmax(dim=2), places)


def test_a_mask_keeps_it_from_pointing_twice() -> None:
    torch.manual_seed(0)
    model = PointerNetwork(hidden_dim=6, mask_chosen=True)
    places = model.order_of(X, torch.tensor([3, 4]))
    assert sorted(places[0, :3].tolist()) == [0, 1, 2]
    assert sorted(places[1].tolist()) == [0, 1, 2, 3]
    assert torch.isfinite(model.training_step((X, ORDER), 0))


def test_the_order_of_elements_plays_no_part_where_each_is_read_by_itself() -> None:
    torch.manual_seed(0)
    model = PointerNetwork(hidden_dim=6, reader="elements")
    turned = X[1:].flip(1)
    assert torch.allclose(model(turned, 3 - ORDER[1:]).flip(2), model(X[1:], ORDER[1:]), atol=1e-6)


def test_errors_are_one_line() -> None:
    model = PointerNetwork(hidden_dim=6)
    with pytest.raises(UserError, match=r"takes inputs \(B, N, 1\) float32 and orders \(B, N\), but the data give"):
        model.training_step((X[:, :, 0], ORDER), 0)
    with pytest.raises(UserError, match="reader is 'set'; it must be recurrent or elements"):
        PointerNetwork(reader="set")  # type: ignore[arg-type]


@pytest.mark.learning
def test_it_learns_to_sort(tmp_path: Path) -> None:
    """Four numbers, without a mask: .95 of the orders are found."""
    torch.manual_seed(0)
    data = SortingDataModule(shortest=4, longest=4, train_size=16_000, val_size=0, test_size=500, batch_size=64)
    model = PointerNetwork(
        hidden_dim=32,
        optimizer=lambda p: torch.optim.Adam(p, lr=5e-3),
        scheduler=lambda o: WarmupCosineLR(o, total_steps=500, warmup_steps=20),
    )
    trainer = quiet_trainer(
        **{"max_epochs": 2, "gradient_clip_val": 2.0, "default_root_dir": tmp_path, "limit_val_batches": 0},
    )
    trainer.fit(model, datamodule=data)
    (measured,) = trainer.test(model, datamodule=data, verbose=False)

    assert measured["test/exact"] > 0.8  # one order in 24 by chance


def test_it_reads_and_writes_numbers_as_text() -> None:
    torch.manual_seed(0)
    model = PointerNetwork(hidden_dim=6).eval()
    (written,) = model.translate_texts(["0.5 7e-1 .2"])
    places = model.order_of(torch.tensor([[[0.5], [0.7], [0.2]]]))[0].tolist()
    assert written.split() == [["0.5", "7e-1", ".2"][place] for place in places]
    assert model.translate_texts([]) == []
    seen = model.attention_maps("0.5 7e-1 .2")
    assert list(seen.queries) == written.split()
    assert list(seen.keys) == ["0.5", "7e-1", ".2"]
    weights = seen.weights["pointer"]
    assert weights.argmax(dim=1).tolist() == places
    assert torch.allclose(weights.sum(dim=1), torch.ones(3))
    pairs = PointerNetwork(input_dim=2, hidden_dim=6).eval()
    assert set(pairs.translate_texts(["0.1,0.2 0.3,0.4"])[0].split()) <= {"0.1,0.2", "0.3,0.4"}


@pytest.mark.parametrize("text", ["", "one two", "0.5 nan", "0.1,0.2", "0.5, 0.7"])
def test_a_text_of_other_things(text: str) -> None:
    with pytest.raises(UserError, match=r"reads numbers such as '0\.5 0\.5', but the text is"):
        PointerNetwork(hidden_dim=6).translate_texts([text])


def test_it_has_no_beam() -> None:
    with pytest.raises(UserError, match="leave the beam out"):
        PointerNetwork(hidden_dim=6).translate_texts(["0.5"], beam=5)


@pytest.mark.parametrize("val_size", [0, 10])
def test_pairs_to_show_are_numbers_and_the_same_sorted(val_size: int) -> None:
    data = SortingDataModule(train_size=8, val_size=val_size, test_size=0)
    pairs = data.example_pairs(3)
    assert len(pairs) == 3
    for source, target in pairs:
        assert target.split() == sorted(source.split(), key=float)
