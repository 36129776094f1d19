import math

import pytest
import torch
from torch import Tensor

from dlmodules.errors import UserError
from dlmodules.layers.attention import CausalSelfAttention, SelfAttention, causal_mask
from dlmodules.layers.positions import Rotary, sinusoidal_positions
from dlmodules.layers.transformer import TransformerLayer

OPTIONS = [
    {},
    {"rotary": True},
    {"qk_norm": True},
    {"value_residual": True},
    {"rotary": True, "qk_norm": True, "value_residual": True, "bias": False},
]


def by_a_double_loop(attention: CausalSelfAttention, x: Tensor) -> Tensor:
    """Plain attention, one query and one key at a time."""
    queries, keys, values = attention.inputs(x).chunk(3, dim=2)
    size = x.shape[2] // attention.num_heads
    found = torch.zeros_like(x)
    for row in range(len(x)):
        for head in range(attention.num_heads):
            part = slice(head * size, (head + 1) * size)
            for place in range(x.shape[1]):
                scores = [
                    float(queries[row, place, part] @ keys[row, other, part]) / math.sqrt(size)
                    for other in range(place + 1)
                ]
                weights = [math.exp(score) for score in scores]
                for other, weight in enumerate(weights):
                    found[row, place, part] += weight / sum(weights) * values[row, other, part]
    return attention.output(found)


def test_it_is_the_double_loop() -> None:
    torch.manual_seed(0)
    attention, x = CausalSelfAttention(8, 2, 6), torch.randn(3, 6, 8)
    with torch.no_grad():
        assert torch.allclose(attention(x)[0], by_a_double_loop(attention, x), atol=1e-6)
        weights = attention.weights(x)
    assert torch.allclose(weights.sum(dim=3), torch.ones(3, 2, 6), atol=1e-6)
    assert (weights.triu(1) == 0).all()


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_no_token_sees_what_comes_behind_it(options: dict[str, bool]) -> None:
    torch.manual_seed(0)
    attention = CausalSelfAttention(8, 2, 7, **options)
    x = torch.randn(2, 7, 8)
    first_values = torch.randn(2, 2, 7, 4)
    before = attention(x, first_values)[0]
    for place in range(7):
        changed = x.clone()
        changed[:, place] += 1
        after = attention(changed, first_values)[0]
        assert torch.equal(after[:, :place], before[:, :place])
        assert not torch.allclose(after[:, place], before[:, place])


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("pieces", [[1] * 7, [3, 4], [5, 1, 1], [2, 3, 2]])
def test_with_a_cache_it_is_as_if_all_was_read_at_once(options: dict[str, bool], pieces: list[int]) -> None:
    torch.manual_seed(0)
    attention = CausalSelfAttention(8, 2, 7, **options).eval()
    x, first_values = torch.randn(2, 7, 8), torch.randn(2, 2, 7, 4)
    cache, found, start = None, [], 0
    for size in pieces:
        part = slice(start, start + size)
        taken, _, cache = attention(x[:, part], first_values[:, :, part], cache)
        found.append(taken)
        start += size
    assert torch.allclose(torch.cat(found, dim=1), attention(x, first_values)[0], atol=1e-6)
    assert cache is not None
    assert cache.length == 7


def test_causal_mask() -> None:
    assert causal_mask(2, 1).tolist() == [[True, True, False], [True, True, True]]


def test_rotated_products_depend_on_the_distance_alone() -> None:
    torch.manual_seed(0)
    rotary = Rotary(8, 40)
    query, key = torch.randn(1, 1, 1, 8), torch.randn(1, 1, 1, 8)
    products = [float((rotary(query, first + 5) * rotary(key, first)).sum()) for first in (0, 7, 30)]
    assert products == pytest.approx([products[0]] * 3, abs=1e-5)
    assert float((rotary(query, 6) * rotary(key, 0)).sum()) != pytest.approx(products[0], abs=1e-3)
    assert torch.allclose(rotary(query, 13).norm(), query.norm())
    assert torch.equal(rotary(query, 0), query)


def test_sinusoids_have_one_exponent_for_sine_and_cosine() -> None:
    table = sinusoidal_positions(50, 6)
    for position in (0, 1, 49):
        for i in range(3):
            angle = position / 10_000 ** (2 * i / 6)
            assert table[position, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-5)
            assert table[position, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-5)


def test_a_shifted_layer_reads_on_where_it_was() -> None:
    torch.manual_seed(0)
    layer = TransformerLayer(8, 2, 7, token_shift=True, rotary=True).eval()
    for shift in (layer.attention_shift, layer.feed_forward_shift):
        assert shift is not None
        torch.nn.init.uniform_(shift.share)
    x = torch.randn(2, 7, 8)
    first, _, state = layer(x[:, :4])
    second, _, _ = layer(x[:, 4:], None, state)
    assert torch.allclose(torch.cat([first, second], dim=1), layer(x)[0], atol=1e-6)
    changed = x.clone()
    changed[:, 3] += 1
    assert torch.equal(layer(changed)[0][:, :3], layer(x)[0][:, :3])


def test_errors_are_one_line() -> None:
    with pytest.raises(UserError, match="width=10 cannot be cut into num_heads=3"):
        CausalSelfAttention(10, 3, 4)
    with pytest.raises(UserError, match="rotary needs heads of an even size"):
        CausalSelfAttention(9, 3, 4, rotary=True)


def test_scores_of_distances_by_hand() -> None:
    torch.manual_seed(0)
    attention, x = SelfAttention(8, 2, by_distance=True), torch.randn(2, 70, 8)
    assert attention.distances is not None
    plain = SelfAttention(8, 2)
    plain.load_state_dict(attention.state_dict(), strict=False)
    inside = torch.arange(70) < torch.tensor([[70], [5]])
    assert torch.allclose(attention(x, inside), plain(x, inside), atol=1e-6)  # as they begin
    table = attention.distances.table.data.normal_(std=0.1)
    queries, keys, _ = attention.heads(x)
    weights = attention.weights(x, inside)
    for row, places in ((0, range(70)), (1, range(5))):
        for query in (0, 3, 69):
            scores = [
                float(queries[row, 1, query] @ keys[row, 1, key]) / 2
                + 10 * float(table[1, max(-64, min(64, key - query)) + 64])
                for key in places
            ]
            expected = torch.tensor(scores).softmax(dim=0)
            assert torch.allclose(weights[row, 1, query, : len(expected)], expected, atol=1e-5)
    assert (weights[1, :, :, 5:] == 0).all()
    values = attention.heads(x)[2]
    taken = attention.output((weights @ values).transpose(1, 2).flatten(2))
    assert torch.allclose(attention(x, inside), taken, atol=1e-5)
