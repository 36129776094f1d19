import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from datamodules import NumberWordsDataModule, PairFilesDataModule
from dlmodules import Transformer
from dlmodules.errors import UserError
from dlmodules.layers.attention import CrossAttention, SelfAttention, watched_attention
from dlmodules.layers.encoder_decoder import DecoderLayer, DecoderLayerState, EncoderLayer
from dlmodules.text.sequence_to_sequence import GivenSource
from dlmodules.training.schedules import InverseSquareRootLR, WarmupCosineLR
from tests.quiet import quiet_trainer

SMALL: dict[str, Any] = {
    **{"source_vocabulary_size": 20, "target_vocabulary_size": 15, "num_layers": 2, "num_heads": 2},
    **{"width": 8, "hidden_width": 12, "context": 10, "max_length": 9},
}
SOURCE = torch.tensor([[7, 9, 4, 3, 0, 0], [5, 6, 7, 8, 9, 3]])
INPUTS = torch.tensor([[2, 5, 6, 7], [2, 9, 8, 7]])


def copied(theirs: nn.MultiheadAttention, ours: SelfAttention | CrossAttention) -> None:
    """Give torch's attention the weights of ours."""
    weights, biases = ours.inputs.weight, ours.inputs.bias
    if isinstance(ours, CrossAttention):
        weights = torch.cat([ours.queries.weight, weights])
        biases = torch.cat([ours.queries.bias, biases])
    theirs.in_proj_weight.data.copy_(weights)
    theirs.in_proj_bias.data.copy_(biases)
    theirs.out_proj.load_state_dict(ours.output.state_dict())


@pytest.mark.parametrize("pre_norm", [False, True])
def test_its_layers_are_torchs(pre_norm: bool) -> None:
    torch.manual_seed(0)
    x, y = torch.randn(2, 5, 8), torch.randn(2, 3, 8)
    inside = torch.tensor([[True] * 5, [True, True, True, False, False]])
    shape: Any = {"d_model": 8, "nhead": 2, "dim_feedforward": 12, "batch_first": True, "norm_first": pre_norm}
    encoder, theirs = EncoderLayer(8, 2, 12, 0.0, pre_norm), nn.TransformerEncoderLayer(dropout=0.0, **shape)
    copied(theirs.self_attn, encoder.attention)
    pairs = [("norm1", encoder.attention_norm), ("norm2", encoder.feed_forward_norm)]
    for name, layer in [*pairs, ("linear1", encoder.feed_forward.hidden), ("linear2", encoder.feed_forward.output)]:
        getattr(theirs, name).load_state_dict(layer.state_dict())
    found, expected = encoder(x, inside), theirs(x, src_key_padding_mask=~inside)
    assert torch.allclose(found[inside], expected[inside], atol=1e-5)

    decoder, other = DecoderLayer(8, 2, 12, 10, 0.0, pre_norm), nn.TransformerDecoderLayer(dropout=0.0, **shape)
    copied(other.self_attn, decoder.attention)
    copied(other.multihead_attn, decoder.source_attention)
    for name, layer in [
        *[("norm1", decoder.attention_norm), ("norm2", decoder.source_attention_norm)],
        *[("norm3", decoder.feed_forward_norm), ("linear1", decoder.feed_forward.hidden)],
        ("linear2", decoder.feed_forward.output),
    ]:
        getattr(other, name).load_state_dict(layer.state_dict())
    state = DecoderLayerState(None, decoder.source_attention.keys_values(x))
    mask = nn.Transformer.generate_square_subsequent_mask(3)
    expected = other(y, x, tgt_mask=mask, memory_key_padding_mask=~inside)
    assert torch.allclose(decoder(y, state, inside)[0], expected, atol=1e-5)


def test_attention_against_a_double_loop() -> None:
    torch.manual_seed(0)
    attention = CrossAttention(6, 2)
    x, memory = torch.randn(1, 2, 6), torch.randn(1, 4, 6)
    inside = torch.tensor([[True, True, True, False]])
    known = attention.keys_values(memory)
    weights = attention.weights(x, known, inside)
    found = torch.empty(1, 2, 6)
    for place in range(2):
        for head in range(2):
            query = attention.queries(x[0, place])[3 * head : 3 * head + 3]
            scores = torch.tensor([float(query @ known.keys[0, head, other]) / 3**0.5 for other in range(3)])
            expected = torch.cat([scores.softmax(0), torch.zeros(1)])
            assert torch.allclose(weights[0, head, place], expected, atol=1e-6)
            found[0, place, 3 * head : 3 * head + 3] = expected @ known.values[0, head]
    assert torch.allclose(attention(x, known, inside), attention.output(found), atol=1e-6)


def test_padding_changes_nothing_and_a_cache_is_none() -> None:
    torch.manual_seed(0)
    model = Transformer(**SMALL).eval()
    logits = model(SOURCE, INPUTS)
    assert torch.allclose(model(SOURCE[:1, :4], INPUTS[:1]), logits[:1], atol=1e-5)
    given = GivenSource(model.networks(), SOURCE)
    state = given.start(INPUTS[:, :2])
    for place in (2, 3):
        step, state = given.step(INPUTS[:, place], state)
        assert torch.allclose(step, logits[:, place], atol=1e-5)
    swapped = given.select(state, torch.tensor([1, 0]))
    assert torch.allclose(given.step(INPUTS[:, 1], swapped)[0][1], given.step(INPUTS[:, 1].flip(0), state)[0][0])


def test_a_decoder_sees_no_later_token_and_an_encoder_sees_all() -> None:
    torch.manual_seed(0)
    model = Transformer(**SMALL).eval()
    changed = INPUTS.clone()
    changed[:, 2] += 1
    moved = (model(SOURCE, INPUTS) != model(SOURCE, changed)).any(dim=2)
    assert moved.tolist() == [[False, False, True, True]] * 2
    other = SOURCE.clone()
    other[:, 2] += 1
    assert (model(SOURCE, INPUTS) != model(other, INPUTS)).any(dim=2).all()


def test_its_order_is_in_its_positions() -> None:
    torch.manual_seed(0)
    model = Transformer(**SMALL).eval()
    assert not torch.allclose(model(SOURCE[1:], INPUTS[1:]), model(SOURCE[1:].flip(1), INPUTS[1:]), atol=1e-4)
    model.network.positions.zero_()
    assert torch.allclose(model(SOURCE[1:], INPUTS[1:]), model(SOURCE[1:].flip(1), INPUTS[1:]), atol=1e-5)


def test_what_its_layers_read_by_hand() -> None:
    """Embeddings times the root of the width, and the sines and cosines of the positions."""
    torch.manual_seed(0)
    network = Transformer(**SMALL).eval().network
    network.encoder = nn.ModuleList()
    state = network.encode(SOURCE[1:])
    read = torch.empty(6, 8)
    for place, token in enumerate(SOURCE[1].tolist()):
        for channel in range(8):
            angle = place / 10_000 ** (channel // 2 * 2 / 8)
            wave = math.cos(angle) if channel % 2 else math.sin(angle)
            read[place, channel] = float(network.source_embedding.weight[token, channel]) * 8**0.5 + wave
    expected = network.decoder[0].source_attention.keys_values(read[None])
    assert torch.allclose(state.layers[0].source.keys, expected.keys, atol=1e-5)


def test_it_has_the_parameters_of_the_paper() -> None:
    """The base model of Vaswani et al. 2017: 65 million with 37,000 shared tokens."""
    with torch.device("meta"):
        model = Transformer(source_vocabulary_size=37_000, target_vocabulary_size=37_000, shared=True)
    encoder = 4 * (512 * 512 + 512) + 2 * 512 * 2048 + 2048 + 512 + 2 * 1024
    decoder = encoder + 4 * (512 * 512 + 512) + 1024
    assert sum(weights.numel() for weights in model.parameters()) == 37_000 * 512 + 6 * (encoder + decoder)


def test_one_embedding_is_shared_and_stays_so(tmp_path: Path) -> None:
    model = Transformer(**{**SMALL, "target_vocabulary_size": 20, "shared": True})
    assert "network.source_embedding.weight" not in model.state_dict()
    with pytest.raises(UserError, match="one embedding is shared, but there are 20 token ids of sources and 15"):
        Transformer(**SMALL, shared=True)


def test_the_rate_is_the_papers() -> None:
    (weight,) = nn.Linear(1, 1, bias=False).parameters()
    schedule = InverseSquareRootLR(torch.optim.SGD([weight], lr=(512 * 4000) ** -0.5), warmup_steps=4000)
    for step in (1, 100, 4000, 16_000):
        rate = schedule.base_lrs[0] * schedule.factor(step - 1)
        assert rate == pytest.approx(512**-0.5 * min(step**-0.5, step * 4000**-1.5), rel=1e-9)
    with pytest.raises(UserError, match="warmup_steps is 0; it must be 1 or more"):
        InverseSquareRootLR(torch.optim.SGD([weight], lr=1.0), warmup_steps=0)


def test_the_weights_that_are_watched_are_those_that_are_used() -> None:
    torch.manual_seed(0)
    model = Transformer(**SMALL).eval()
    with watched_attention(model.network) as found:
        model(SOURCE, INPUTS)
    assert {name.rpartition(".")[2] for name in found} == {"attention", "source_attention"}
    assert found["decoder.1.source_attention"].shape == (2, 2, 4, 6)
    assert torch.allclose(found["decoder.0.attention"].sum(dim=3), torch.ones(2, 2, 4))
    assert not found["decoder.0.attention"].triu(1).any()
    assert not found["encoder.0.attention"][0, :, :, 4:].any()  # the padding
    assert not model.network.decoder[0].attention._forward_hooks


def test_too_long_is_one_line() -> None:
    model = Transformer(**SMALL)
    with pytest.raises(UserError, match="there are 11 tokens to read, but the network has context=10"):
        model(torch.ones(1, 11, dtype=torch.int64), INPUTS[:1])


def test_bleu_is_sacrebleus(tmp_path: Path) -> None:
    sacrebleu = pytest.importorskip("sacrebleu", reason="sacrebleu is not installed: pip install -e '.[test]'")
    lines = [
        "A man sits on a bench.",
        "Two dogs, one brown, run.",
        "She's reading a book!",
        "It is 3.5 metres long.",
    ] * 3
    (tmp_path / "pairs.tsv").write_text("\n".join(["source\ttarget", *(f"{line}\t{line}" for line in lines)]))
    data = PairFilesDataModule(
        **{"files": [str(tmp_path / "pairs.tsv")], "tokenizer": "spaced", "vocabulary_size": 60},
        **{"val_size": 0, "test_size": 6},
    )
    torch.manual_seed(0)
    model = Transformer(**{**SMALL, "source_vocabulary_size": 60, "target_vocabulary_size": 60})
    trainer = quiet_trainer(max_steps=1, default_root_dir=tmp_path, limit_val_batches=0)
    trainer.fit(model, datamodule=data)
    references = data.read("test").targets
    written = [line.rpartition(" ")[0] for line in references]
    tokens = [data.tokenizers[1].encode(line) for line in written]
    model.write = lambda source, beam=1: tokens  # type: ignore[method-assign]
    (measured,) = trainer.test(model, datamodule=data, verbose=False)
    kept = [data.tokenizers[1].decode(row) for row in tokens]
    wanted = [data.tokenizers[1].decode(data.tokenizers[1].encode(line)) for line in references]
    assert measured["test/bleu"] == pytest.approx(sacrebleu.corpus_bleu(kept, [wanted]).score, rel=1e-5)
    assert 0 < measured["test/bleu"] < 100


@pytest.mark.learning
def test_it_learns_to_write_numbers(tmp_path: Path) -> None:
    """Numbers of four digits: .96 to .995 of them are exact on three seeds."""
    torch.manual_seed(0)
    pairs = NumberWordsDataModule(digits=4, train_size=6000, val_size=0, test_size=200, batch_size=32)
    model = Transformer(
        *(None, 40, 16),
        **{"num_layers": 1, "num_heads": 4, "width": 48, "hidden_width": 96, "context": 32, "dropout": 0.0},
        **{"max_length": 8, "beam": 1, "label_smoothing": 0.0},
        optimizer=lambda p: torch.optim.Adam(p, lr=4e-3),
        scheduler=lambda o: WarmupCosineLR(o, total_steps=748, warmup_steps=80),
    )
    trainer = quiet_trainer(max_epochs=4, gradient_clip_val=1.0, default_root_dir=tmp_path, limit_val_batches=0)
    trainer.fit(model, datamodule=pairs)
    (measured,) = trainer.test(model, datamodule=pairs, verbose=False)
    assert measured["test/exact"] > 0.85
