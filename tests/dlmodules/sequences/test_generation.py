import torch

from dlmodules.sequences.decoding import Decoding
from dlmodules.sequences.generation import generate, generated
from tests.dlmodules.sequences.chains import Chain

GREEDY = Decoding(temperature=0)


def test_it_goes_on_greedily_from_each_row() -> None:
    chain = Chain(5)
    context = torch.tensor([[1, 2], [3, 4]])
    found = generated(chain, context, 6, GREEDY)
    assert found.shape == (2, 6)
    for before, row in zip(context.tolist(), found.tolist(), strict=True):
        for token in row:
            assert token == int(chain.table[before[-2], before[-1]].argmax())
            before.append(token)


def test_a_row_ends_with_a_stop_token_and_then_has_padding() -> None:
    chain = Chain(3)
    chain.table[:] = 0
    chain.table[:, 1, 2] = chain.table[:, 2, 2] = 9  # after 1 comes 2, and 2 again
    chain.table[:, 0, 1] = 9  # after 0 comes 1
    found = generated(chain, torch.tensor([[1], [0]]), 5, GREEDY, stop=[2])
    assert found.tolist() == [[2, 0], [1, 2]]
    assert len(list(generate(chain, torch.tensor([[1]]), 5, GREEDY))) == 5


def test_the_same_generator_gives_the_same_text() -> None:
    chain = Chain(8)
    context = torch.tensor([[1, 2]])
    draws = [generated(chain, context, 20, generator=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert generated(chain, context, 0).shape == (1, 0)


def test_what_is_forbidden_never_comes() -> None:
    chain = Chain(6)
    context = torch.tensor([[1, 2]])
    draws = generated(chain, context, 300, generator=torch.Generator().manual_seed(0), forbidden=(0, 3))
    assert set(draws[0].tolist()) == {1, 2, 4, 5}
