import pytest
import torch

from dlmodules.errors import UserError
from dlmodules.layers.ngram_embedding import MIXER, NGramEmbedding
from dlmodules.layers.transformer import TokenShift

TOKENS = torch.tensor([[3, 1, 4, 1], [2, 2, 0, 4]])


def test_rows_of_runs_by_hand() -> None:
    torch.manual_seed(0)
    layer = NGramEmbedding(5, [25, 11], width=3)
    layer.tables[1].weight.data.normal_()
    found, last = layer(TOKENS)
    for row, tokens in enumerate(TOKENS.tolist()):
        known = [0, 0, *tokens]
        for place in range(4):
            third, second, first = known[place : place + 3]
            pair = first + 5 * second
            triple = (pair + 25 * third) * MIXER % 11
            expected = layer.tables[0].weight[pair] + layer.tables[1].weight[triple]
            assert torch.equal(found[row, place], expected)
    assert torch.equal(last, TOKENS[:, 2:])


def test_a_text_in_parts_is_the_text() -> None:
    torch.manual_seed(0)
    layer = NGramEmbedding(5, [25, 11, 7], width=3)
    whole, last = layer(TOKENS)
    state, parts = None, []
    for tokens in TOKENS.split([1, 2, 1], dim=1):
        part, state = layer(tokens, state)
        parts.append(part)
    assert torch.equal(torch.cat(parts, dim=1), whole)
    assert torch.equal(state, last)


def test_each_pair_has_a_row_where_there_are_enough() -> None:
    layer = NGramEmbedding(5, [25], width=1)
    layer.tables[0].weight.data = torch.arange(25.0)[:, None]
    pairs = torch.cartesian_prod(torch.arange(5), torch.arange(5))
    assert layer(pairs)[0][:, 1, 0].tolist() == list(range(25))
    with pytest.raises(UserError, match="ngram_rows is 0"):
        NGramEmbedding(5, [0], width=1)


def test_a_shift_by_hand() -> None:
    shift = TokenShift(2)
    x = torch.tensor([[[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]]])
    assert torch.equal(shift(x)[0], x)
    shift.share.data = torch.tensor([0.5, 1.0])
    found, last = shift(x)
    assert found.tolist() == [[[0.5, 0.0], [1.5, 10.0], [3.0, 20.0]]]
    assert torch.equal(shift(x[:, 2:], shift(x[:, :2])[1])[0], found[:, 2:])
    assert torch.equal(last, x[:, 2:])


def test_whole_embeddings_are_left_out_in_training_alone() -> None:
    torch.manual_seed(0)
    layer = NGramEmbedding(5, [25], width=4, std=1.0, dropout=0.5)
    tokens = torch.randint(5, (50, 40))
    found, whole = layer(tokens)[0], layer.eval()(tokens)[0]
    kept = (found != 0).all(dim=2)
    assert torch.equal(found[kept], 2 * whole[kept])
    assert (found[~kept] == 0).all()
    assert 0.45 < kept.float().mean() < 0.55
    with pytest.raises(UserError, match="dropout is"):
        NGramEmbedding(5, [25], width=1, dropout=1.5)
