import pytest
import torch

from dlmodules import VAE
from dlmodules.errors import UserError
from dlmodules.vaes import WorldDecoder, WorldEncoder


def weights(*modules: torch.nn.Module) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())


def test_the_papers_and_the_books_number_of_weights() -> None:
    assert weights(WorldEncoder(), WorldDecoder()) == 4_348_547
    assert weights(WorldEncoder(filters=(32, 64, 64, 128)), WorldDecoder(filters=(1024, 64, 64, 32))) == 2_115_971


def test_shapes() -> None:
    mean, log_var = WorldEncoder((1, 64, 64), 5, (4, 4, 4, 4))(torch.rand(2, 1, 64, 64))
    assert mean.shape == log_var.shape == (2, 5)
    assert WorldDecoder((1, 64, 64), 5, (8, 4, 4, 4))(mean).shape == (2, 1, 64, 64)


def test_sizes_that_do_not_fit_end_in_one_line() -> None:
    with pytest.raises(UserError, match="too small for 4 convolutions"):
        WorldEncoder((3, 32, 32))
    with pytest.raises(UserError, match="64x64 by four filters, not 32x32 by 4"):
        WorldDecoder((3, 32, 32))


def test_free_nats_cost_nothing() -> None:
    torch.manual_seed(0)
    module = VAE((1, 8, 8), 2, free_nats=3.0)
    mean, log_var = torch.tensor([[0.0, 0.0], [2.0, 2.0]]), torch.zeros(2, 2)  # of 0 and 4 nats
    module.posterior = lambda x, labels=None: (mean, log_var)  # type: ignore[method-assign]
    losses, _ = module._losses((torch.rand(2, 1, 8, 8), torch.zeros(2, dtype=torch.int64)))
    assert losses["kl"].item() == pytest.approx(2.0)
    assert (losses["loss"] - losses["reconstruction"]).item() == pytest.approx((3 + 4) / 2, rel=1e-4)
