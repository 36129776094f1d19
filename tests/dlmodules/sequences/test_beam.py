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
    found = beam_search(chain, torch.tensor([[1, 2]]), 4, beam=4**4, stop=[STOP])[0]
    assert found[0].tokens == tokens
    assert found[0].log_probability == pytest.approx(log_probability, abs=1e-5)


@pytest.mark.parametrize("seed", range(20))
def test_it_is_never_worse_than_greedy_and_each_score_is_true(seed: int) -> None:
    chain = Chain(6, seed, scale=1.0)
    context = torch.tensor([[1, 2]])
    greedy = generated(chain, context, 8, Decoding(temperature=0), [STOP])[0].tolist()
    for beam in (1, 2, 5):
        found = beam_search(chain, context, 8, beam, [STOP])[0]
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
    for hypothesis in beam_search(chain, context, 6, 4, [STOP], length_penalty=1.0, forbidden=[0])[0]:
        assert hypothesis.score == pytest.approx(hypothesis.log_probability / len(hypothesis.tokens))
        assert 0 not in hypothesis.tokens


@pytest.mark.parametrize("length_penalty", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("seed", range(5))
def test_many_contexts_are_searched_as_each_alone(seed: int, length_penalty: float) -> None:
    chain = Chain(6, seed)
    contexts = torch.cartesian_prod(torch.arange(6), torch.arange(6))
    together = beam_search(chain, contexts, 12, 3, [STOP], length_penalty)
    for context, found in zip(contexts, together, strict=True):
        alone = beam_search(chain, context[None], 12, 3, [STOP], length_penalty)[0]
        assert [one.score for one in found] == pytest.approx([one.score for one in alone], abs=1e-5)
        for one in found:
            true = chain.log_probability(context.tolist(), one.tokens)
            assert one.log_probability == pytest.approx(true, abs=1e-4)


class Counted(Chain):
    steps = 0

    def step(self, tokens: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        self.steps += 1
        return super().step(tokens, state)


def test_a_search_ends_where_nothing_can_become_better_and_not_before() -> None:
    chain = Counted(4)
    chain.table = torch.tensor([0.0, 0.0, 0.0, 1.0]).log().clamp_min(-20.0).expand(4, 4, 4)  # nearly always a stop
    assert beam_search(chain, torch.tensor([[1, 2]]), 50, 1, [STOP])[0][0].tokens == [STOP]
    assert chain.steps == 1
    # Divided by their lengths, long sequences may still win: the one that stops at once is not the best here.
    chain.table = torch.tensor([0.0, -9.0, -9.0, -0.5]).expand(4, 4, 4)
    assert beam_search(chain, torch.tensor([[1, 2]]), 9, 2, [STOP])[0][0].tokens == [STOP]
    assert len(beam_search(chain, torch.tensor([[1, 2]]), 9, 2, [STOP], length_penalty=1.0)[0][0].tokens) == 9


def test_a_model_without_numbers_gives_a_hypothesis_all_the_same() -> None:
    chain = Chain(4)
    chain.table = torch.full((4, 4, 4), torch.nan)
    assert len(beam_search(chain, torch.tensor([[1, 2]]), 3, 2, [STOP])[0]) == 1


def test_numbers_out_of_range() -> None:
    with pytest.raises(UserError, match="beam is 0; it must be 1 or more"):
        beam_search(Chain(4), torch.tensor([[1]]), 3, beam=0)
    with pytest.raises(UserError, match="length_penalty is -1"):
        beam_search(Chain(4), torch.tensor([[1]]), 3, length_penalty=-1)
