import pytest
import torch

from callbacks import CompileNetworks
from dlmodules import DCGAN, WGANGP
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import ToyVAE, loader, trainer


def chosen(module, **options):
    compiled = CompileNetworks(**options)
    compiled.setup(None, module, "fit")
    return {name for name, child in module.named_children() if child._compiled_call_impl is not None}


def test_networks_are_compiled_but_those_that_are_differentiated_twice():
    assert chosen(DCGAN(width=0.1)) == {"generator", "discriminator"}
    assert chosen(DCGAN(width=0.1, r1=1.0)) == {"generator"}
    assert chosen(WGANGP(width=0.1)) == {"generator"}
    assert chosen(DCGAN(width=0.1), networks=["discriminator"]) == {"discriminator"}


def test_mistakes_end_in_one_line():
    with pytest.raises(UserError, match="discriminator of WGANGP is differentiated twice"):
        chosen(WGANGP(width=0.1), networks=["discriminator"])
    with pytest.raises(UserError, match="DCGAN has no submodule critic"):
        chosen(DCGAN(width=0.1), networks=["critic"])


def test_a_compiled_run_trains_the_same_weights_under_the_same_names(tmp_path):
    torch._dynamo.utils.counters.clear()
    ends = []
    for callbacks in ([], [CompileNetworks(backend="aot_eager")]):
        torch.manual_seed(0)
        module = ToyVAE()
        fitted = trainer(tmp_path, *callbacks, max_epochs=2)
        fitted.fit(module, loader(), loader())
        ends.append(module.state_dict())
        if callbacks:
            assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0
    assert ends[0].keys() == ends[1].keys()
    for name, value in ends[0].items():
        torch.testing.assert_close(ends[1][name], value)
