import torch
from torch import nn

from dlmodules import DCGAN
from dlmodules.gans.dcgan import DCGANDiscriminator, DCGANGenerator
from dlmodules.gans.dcgan_ablations import LateStridesGenerator, NormalizedDiscriminator, TanhGenerator


def count(module):
    return sum(weight.numel() for weight in module.parameters())


def test_late_strides_make_the_same_images_from_the_same_weights_at_other_sizes():
    early, late = DCGANGenerator(width=0.25), LateStridesGenerator(width=0.25)
    late.load_state_dict(early.state_dict())
    sizes = []
    for deconv in late.deconvs:
        deconv.register_forward_hook(lambda module, inputs, output: sizes.append(output.shape[-1]))
    assert late(torch.rand(2, 100)).shape == (2, 1, 28, 28)
    assert sizes == [7, 7, 14, 28]


def test_the_hyperbolic_tangent_is_twice_the_sigmoid_of_twice_the_input():
    plain, tanh = DCGANGenerator(width=0.25).eval(), TanhGenerator(width=0.25).eval()
    tanh.load_state_dict(plain.state_dict())
    z = torch.rand(2, 100)
    logits = torch.logit(plain(z).double())
    torch.testing.assert_close(tanh(z).double(), torch.tanh(logits), rtol=1e-3, atol=1e-4)
    module = DCGAN(generator=tanh)
    assert module.sample(4).min() >= 0
    assert module.output_range == (-1.0, 1.0)


def test_batch_norm_stands_before_each_activation_alone():
    plain, normalized = DCGANDiscriminator(), NormalizedDiscriminator()
    assert count(normalized) - count(plain) == 2 * (32 + 64 + 128)
    seen = []
    for norm in normalized.norms:
        assert isinstance(norm, nn.BatchNorm2d)
        norm.register_forward_hook(lambda module, inputs, output: seen.append(output.mean((0, 2, 3)).abs().max()))
    normalized.train()(torch.rand(8, 1, 28, 28))
    assert len(seen) == 3
    assert max(seen) < 1e-5
