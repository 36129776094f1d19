import pytest
import torch

from dlmodules.errors import UserError
from dlmodules.sequences.beam import beam_search
from dlmodules.sequences.decoding import Decoding
from dlmodules.sequences.generation import generated
from tests.dlmodules.sequences.chains import Chain

STOP = 3


@pytest.mark.parametrize("seed", range(8))
def test_a_beam_as_wide_as_the_tree_finds_the_best_of_all(seed: int) -> None:
    chain = Chain(4, seed)
    tokens, log_probability = chain.best([1, 2], 4, STOP)
    found = beam_search(chain, torch.tensor([[1, 2]]), 4, beam=4**4, stop=[STOP])
    assert found[0].tokens == tokens
    assert found[0].log_probability == pytest.approx(log_probability, abs=1e-5)


@pytest.mark.parametrize("seed", range(20))
def test_it_is_never_worse_than_greedy_and_each_score_is_true(seed: int) -> None:
    chain = Chain(6, seed, scale=1.0)
    context = torch.tensor([[1, 2]])
    greedy = generated(chain, context, 8, Decoding(temperature=0), [STOP])[0].tolist()
    for beam in (1, 2, 5):
        found = beam_search(chain, context, 8, beam, [STOP])
        assert found[0].log_probability >= chain.log_probability([1, 2], greedy) - 1e-5
        assert len(found) <= beam
        assert [h.score for h in found] == sorted((h.score for h in found), reverse=True)
        for hypothesis in found:
            assert hypothesis.log_probability == pytest.approx(
                chain.log_probability([1, 2], hypothesis.tokens), abs=1e-4
            )
            assert STOP not in hypothesis.tokens[:-1]


def test_the_length_penalty_compares_means_and_a_forbidden_token_never_comes() -> None:
    chain = Chain(5, 3)
    context = torch.tensor([[1, 2]])
    for hypothesis in beam_search(chain, context, 6, 4, [STOP], length_penalty=1.0, forbidden=[0]):
        assert hypothesis.score == pytest.approx(hypothesis.log_probability / len(hypothesis.tokens))
        assert 0 not in hypothesis.tokens


def test_numbers_out_of_range() -> None:
    with pytest.raises(UserError, match="beam is 0; it must be 1 or more"):
        beam_search(Chain(4), torch.tensor([[1]]), 3, beam=0)
    with pytest.raises(UserError, match="length_penalty is -1"):
        beam_search(Chain(4), torch.tensor([[1]]), 3, length_penalty=-1)
