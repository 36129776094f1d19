import torch

from dlmodules.rl.denormals import FLUSH_EVERY, SMALLEST, flush_moments


def run_adam(updates: int, flush: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Train two weights, one with a gradient in the first update only. Returns weights and first moments."""
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.Adam([weight], lr=1e-3)
    for number in range(updates):
        weight.grad = torch.tensor([0.1, 0.1 if number == 0 else 0.0])
        optimizer.step()
        if flush and (number + 1) % FLUSH_EVERY == 0:
            flush_moments(optimizer)
    return weight.detach(), optimizer.state[weight]["exp_avg"]


def test_moments_never_become_denormal_and_the_weights_are_the_same() -> None:
    updates = 8 * FLUSH_EVERY
    plain_weight, plain_moment = run_adam(updates, flush=False)
    weight, moment = run_adam(updates, flush=True)
    tiny = torch.finfo(torch.float32).tiny
    assert 0 < plain_moment[1] < tiny, "without flushing this test would test nothing"
    assert moment[1] == 0
    assert torch.equal(weight, plain_weight)
    assert torch.equal(moment[0], plain_moment[0])


def test_nothing_becomes_denormal_between_two_flushes() -> None:
    smallest = SMALLEST * 0.9**FLUSH_EVERY
    assert smallest > torch.finfo(torch.float32).tiny
