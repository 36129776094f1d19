import torch

from dlmodules.rl.returns import td_target


def test_td_target_bootstraps_unless_terminated() -> None:
    target = td_target(
        reward=torch.tensor([1.0, 1.0, -2.0]),
        terminated=torch.tensor([False, True, True]),
        next_value=torch.tensor([10.0, 10.0, float("inf")]),
        gamma=0.9,
    )
    # The value after a terminal state counts nothing, not even when it is infinite.
    torch.testing.assert_close(target, torch.tensor([10.0, 1.0, -2.0]))
