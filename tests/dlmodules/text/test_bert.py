import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from datamodules import SentencePairsDataModule, ToySentimentDataModule
from dlmodules import BERT, BERTClassifier
from dlmodules.errors import UserError
from dlmodules.sequences.masking import Masking
from dlmodules.text.bert_weights import load_bert
from dlmodules.training.schedules import WarmupCosineLR
from tests.quiet import quiet_trainer

SMALL: dict[str, Any] = {
    **{"vocabulary_size": 30, "context": 16, "num_layers": 2, "num_heads": 2, "width": 8, "hidden_width": 12},
    "dropout": 0.0,
}


def test_what_is_hidden() -> None:
    tokens = torch.arange(5, 25).expand(2000, 20).clone()
    tokens[:, 0] = 2
    special = tokens == 2
    hidden, targets = Masking().hide(tokens, special, 4, range(5, 25), torch.Generator().manual_seed(0))
    chosen = targets != -100
    assert not chosen[:, 0].any()
    assert torch.equal(hidden[~chosen], tokens[~chosen])
    assert torch.equal(targets[chosen], tokens[chosen])
    assert float(chosen[:, 1:].float().mean()) == pytest.approx(0.15, abs=0.005)
    masked, kept = (hidden == 4)[chosen], (hidden == tokens)[chosen]
    assert float(masked.float().mean()) == pytest.approx(0.8, abs=0.02)
    # A replacement is the token itself once in twenty times.
    assert float(kept.float().mean()) == pytest.approx(0.1 + 0.1 / 20, abs=0.02)
    others = hidden[chosen & (hidden != 4) & (hidden != tokens)]
    assert set(others.tolist()) <= set(range(5, 25))
    with pytest.raises(UserError, match=r"mask_share is 1; it must lie in \(0, 1\)"):
        Masking(share=1).check()
    with pytest.raises(UserError, match="both must be parts of 1 together"):
        Masking(replaced=0.9, kept=0.2).check()


@pytest.mark.parametrize("positions", ["learned", "relative"])
def test_its_loss_by_hand(positions: str) -> None:
    torch.manual_seed(0)
    model = BERT(**SMALL, positions=positions).eval()  # type: ignore[arg-type]  # both that there are
    tokens, segments, follows = model.example_batch(4)
    losses, right = model.losses((tokens, segments, follows), True, torch.Generator().manual_seed(3))
    hidden, targets = model.hide(tokens, torch.Generator().manual_seed(3))
    read = model.network(hidden, segments)
    nats, hits = [], []
    for row in range(4):
        for place in range(10):
            if targets[row, place] == -100:
                continue
            head = model.masked_head
            state = head.norm(F.gelu(head.hidden(read[row, place])))
            logits = model.network.embedding.weight @ state + head.bias
            nats.append(float(-logits.log_softmax(0)[targets[row, place]]))
            hits.append(float(logits.argmax() == targets[row, place]))
    assert nats
    assert losses["masked_loss"].tolist() == pytest.approx(nats, rel=1e-5)
    assert right["masked_accuracy"].tolist() == hits
    for row in range(4):
        verdict = model.next_head.output(torch.tanh(model.next_head.pooler.hidden(read[row, 0])))
        assert float(losses["next_loss"][row]) == pytest.approx(float(-verdict.log_softmax(0)[follows[row]]), rel=1e-5)
    assert float(model.losses((tokens, segments, follows), True, torch.Generator().manual_seed(3))[0]["next_loss"][0])


def test_it_reads_in_both_directions_and_no_padding() -> None:
    torch.manual_seed(0)
    model = BERT(**SMALL).eval()
    tokens, segments, _ = model.example_batch(2)
    changed = tokens.clone()
    changed[:, 4] += 1
    assert (model(tokens, segments) != model(changed, segments)).any(dim=2).all()
    padded = F.pad(tokens, (0, 4)), F.pad(segments, (0, 4))
    assert torch.allclose(model(*padded)[:, :10], model(tokens, segments), atol=1e-5)
    with pytest.raises(UserError, match="there are 17 tokens to read, but the network has context=16"):
        model(torch.ones(1, 17, dtype=torch.int64))


def test_without_a_hidden_token_the_loss_is_zero() -> None:
    model = BERT(**{**SMALL, "next_sentence": False})
    loss = model.training_step(torch.full((2, 4), 2), 0)
    loss.backward()
    assert float(loss) == 0


def test_hugging_faces_weights_give_its_logits(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed: pip install -e '.[test]'")
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=50,
        hidden_size=24,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=40,
        initializer_range=0.3,
    )
    theirs = transformers.BertForPreTraining(config).eval()
    theirs.save_pretrained(tmp_path)
    ours = load_bert(tmp_path)
    tokens = torch.randint(1, 50, (2, 9))
    tokens[1, 6:] = 0
    segments = (torch.arange(9) > 4).long().expand(2, -1)
    with torch.no_grad():
        found = theirs(tokens, attention_mask=(tokens != 0).long(), token_type_ids=segments)
        read = ours(tokens, segments)
        inside = tokens != 0
        assert torch.allclose(ours.logits(read[inside]), found.prediction_logits[inside], atol=1e-4)
        assert torch.allclose(ours.next_head(read).flip(1), found.seq_relationship_logits, atol=1e-4)
    assert not inside.all()
    (tmp_path / "config.json").write_text(json.dumps({**config.to_dict(), "hidden_act": "relu"}))
    with pytest.raises(UserError, match="has hidden_act='relu', which BERT as published does not"):
        load_bert(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({**config.to_dict(), "hidden_size": 32}))
    with pytest.raises(UserError, match=r"does not have the weights of config.json"):
        load_bert(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    with pytest.raises(UserError, match="is of a 'gpt2', not of a bert"):
        load_bert(tmp_path)


def test_bert_base_has_its_parameters() -> None:
    with torch.device("meta"):
        model = BERT()
    pooled = (model.network, model.next_head.pooler)
    assert sum(weights.numel() for part in pooled for weights in part.parameters()) == 109_482_240


def fitted(tmp_path: Path, **more: Any) -> tuple[BERT, Path]:
    (tmp_path / "text.txt").write_text("\n\n".join(f"the {animal} sleeps and the {animal} runs" for animal in ANIMALS))
    text, words = str(tmp_path / "text.txt"), str(tmp_path / "words.json")
    data = SentencePairsDataModule(file=text, batch_size=4, context=16, vocabulary_size=30, vocabulary_file=words)
    torch.manual_seed(0)
    model = BERT(**SMALL)
    trainer = quiet_trainer(max_steps=2, default_root_dir=tmp_path)
    trainer.fit(model, datamodule=data)
    trainer.save_checkpoint(tmp_path / "bert.ckpt")
    return model, tmp_path / "bert.ckpt"


ANIMALS = ("fox", "dog", "cat", "wolf", "lion", "ass", "crow", "frog") * 4


def test_it_fills_gaps(tmp_path: Path) -> None:
    model, _ = fitted(tmp_path)
    (first, second) = model.eval().fill("the [MASK] sleeps and the [MASK] runs", n=3)
    assert len(first) == len(second) == 3
    assert all(0 < share <= 1 for _, share in first)
    assert [share for _, share in first] == sorted((share for _, share in first), reverse=True)
    seen = model.attention_maps("the [MASK] sleeps")
    assert list(seen.keys) == ["[CLS]", "the", "[MASK]", "sleeps", "[SEP]"]
    assert len(seen.weights) == 4
    with pytest.raises(UserError, match=r"there is no \[MASK\] in the text"):
        model.fill("the fox")


def test_a_classifier_begins_with_what_was_learned(tmp_path: Path) -> None:
    bert, path = fitted(tmp_path)
    sizes = {name: value for name, value in SMALL.items() if name != "dropout"}
    model = BERTClassifier(pretrained=str(path), **{**sizes, "context": 16})
    data = ToySentimentDataModule(vocabulary_size=30, max_length=15, marks=["[CLS]", "[SEP]", "[MASK]"])
    trainer = quiet_trainer(max_steps=1, limit_val_batches=0, default_root_dir=tmp_path)
    model.configure_optimizers = lambda: torch.optim.SGD(model.parameters(), lr=0.0)  # type: ignore[method-assign]
    trainer.fit(model, datamodule=data)
    for name, weights in bert.network.state_dict().items():
        assert torch.equal(weights, model.network.encoder.state_dict()[name])
    assert torch.equal(model.network.pooler.hidden.weight, bert.next_head.pooler.hidden.weight)
    assert data.vocabulary.words[:3] == ["[CLS]", "[SEP]", "[MASK]"]
    with pytest.raises(UserError, match=r"is of a BERT of other sizes: its embedding.weight is"):
        trainer.fit(BERTClassifier(pretrained=str(path), **{**sizes, "vocabulary_size": 31}), datamodule=data)
    with pytest.raises(UserError, match=r"as many layers and such positions: it has no layers.2"):
        trainer.fit(BERTClassifier(pretrained=str(path), **{**sizes, "num_layers": 3}), datamodule=data)
    with pytest.raises(UserError, match=r"such positions: it has no layers\.0\.attention\.distances\.table"):
        trainer.fit(BERTClassifier(pretrained=str(path), **{**sizes, "positions": "relative"}), datamodule=data)
    with pytest.raises(UserError, match="positions is 'sinusoidal'; it must be learned or relative"):
        BERT(**SMALL, positions="sinusoidal")  # type: ignore[arg-type]  # a wrong one
    with pytest.raises(UserError, match="is of a BERT with more layers, or other positions, than"):
        trainer.fit(BERTClassifier(pretrained=str(path), **{**sizes, "num_layers": 1}), datamodule=data)


def test_a_classifier_reads_padding_at_either_end() -> None:
    torch.manual_seed(0)
    for pooling in ("class", "mean"):
        model = BERTClassifier(pooling=pooling, **SMALL).eval()
        front, back = torch.tensor([[0, 0, 7, 8]]), torch.tensor([[7, 8, 0, 0]])
        assert torch.equal(model(front), model(back))
        assert torch.allclose(model(torch.tensor([[7, 8]])), model(back), atol=1e-6)


def test_words_are_masked_in_training_alone_and_padding_never() -> None:
    torch.manual_seed(0)
    model = BERTClassifier(word_dropout=0.3, **SMALL)
    seen: list[torch.Tensor] = []
    model.network.encoder.register_forward_pre_hook(lambda encoder, args: seen.append(args[0]))
    tokens = torch.full((500, 10), 7)
    tokens[1:, 6:] = 0  # one of them is longer, so that the others are padded
    model.train()(tokens)
    model.eval()(tokens)
    masked = seen[0][:, 1:] == 4  # behind [CLS]
    assert abs(float(masked[:, :6].float().mean()) - 0.3) < 0.03
    assert masked.shape == tokens.shape
    assert not masked[1:, 6:].any()
    assert (seen[0][:, 0] == 2).all()
    assert not (seen[1] == 4).any()
    with pytest.raises(UserError, match=r"word_dropout is 1.5"):
        BERTClassifier(word_dropout=1.5, **SMALL)


def test_segments_follow_or_do_not(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("\n\n".join(" ".join(f"w{d}x{n}" for n in range(30)) for d in range(40)))
    data = SentencePairsDataModule(file=str(tmp_path / "text.txt"), context=16, vocabulary_size=2000, batch_size=8)
    data.setup("fit")
    words = data.tokenizer
    share = []
    for tokens, segments, follows in data.train_dataloader():
        for row, kinds, goes_on in zip(tokens, segments, follows, strict=True):
            inside = row != 0
            ids = row[inside].tolist()
            assert ids[0] == words.id_of("[CLS]")
            assert ids.count(words.id_of("[SEP]")) == 2
            assert ids[-1] == words.id_of("[SEP]")
            cut = ids.index(words.id_of("[SEP]"))
            assert kinds[inside].tolist() == [0] * (cut + 1) + [1] * (len(ids) - cut - 1)
            assert len(ids) <= 16
            first, second = words.decode([ids[cut - 1]]), words.decode([ids[cut + 1]])
            if "<unknown>" in (first, second):
                continue
            (d1, n1), (d2, n2) = (map(int, part[1:].split("x")) for part in (first, second))
            assert (d1 == d2) == bool(goes_on)
            assert not goes_on or n2 == n1 + 1
            share.append(int(goes_on))
    assert 0.3 < sum(share) / len(share) < 0.7


@pytest.mark.learning
def test_it_learns_words_from_what_stands_around_them(tmp_path: Path) -> None:
    """Letters in the order of the alphabet: .90 of what is hidden is found on three seeds, .88 of what follows."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    generator = torch.Generator().manual_seed(0)
    starts = torch.randint(26, (1000,), generator=generator).tolist()
    texts = (" ".join(letters[(start + step) % 26] for step in range(16)) for start in starts)
    (tmp_path / "text.txt").write_text("\n\n".join(texts))
    data = SentencePairsDataModule(file=str(tmp_path / "text.txt"), context=19, vocabulary_size=40, batch_size=32)
    torch.manual_seed(0)
    model = BERT(
        **{"vocabulary_size": 40, "context": 19, "num_layers": 2, "num_heads": 4, "width": 64, "dropout": 0.0},
        optimizer=lambda p: torch.optim.AdamW(p, lr=3e-3),
        scheduler=lambda o: WarmupCosineLR(o, total_steps=580, warmup_steps=50),
    )
    trainer = quiet_trainer(max_epochs=20, gradient_clip_val=1.0, default_root_dir=tmp_path, limit_val_batches=0)
    trainer.fit(model, datamodule=data)
    (measured,) = trainer.test(model, datamodule=data, verbose=False)
    assert measured["test/masked_accuracy"] > 0.75  # one letter in 26 by chance
    assert measured["test/next_accuracy"] > 0.75


def test_a_resumed_classifier_has_its_own_weights(tmp_path: Path) -> None:
    """What it began with may be gone by then."""
    _, path = fitted(tmp_path)
    sizes = {name: value for name, value in SMALL.items() if name != "dropout"}
    data = ToySentimentDataModule(vocabulary_size=30, max_length=15, batch_size=100, marks=["[CLS]", "[SEP]", "[MASK]"])
    model = BERTClassifier(pretrained=str(path), **sizes)
    trainer = quiet_trainer(max_steps=2, limit_val_batches=0, default_root_dir=tmp_path)
    trainer.fit(model, datamodule=data)
    trainer.save_checkpoint(tmp_path / "tuned.ckpt")
    path.unlink()
    again = BERTClassifier(pretrained=str(path), **sizes)
    trainer = quiet_trainer(max_steps=2, limit_val_batches=0, default_root_dir=tmp_path)
    trainer.fit(again, datamodule=data, ckpt_path=str(tmp_path / "tuned.ckpt"), weights_only=True)
    for name, weights in model.state_dict().items():
        assert torch.equal(weights, again.state_dict()[name])
    trainer = quiet_trainer(max_steps=1, limit_val_batches=0, default_root_dir=tmp_path)
    with pytest.raises(UserError, match=r"there is no checkpoint .*bert\.ckpt"):
        trainer.fit(BERTClassifier(pretrained=str(path), **sizes), datamodule=data)
