"""``--system`` finds what concerns a system, and nothing of another whose name holds its own."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.one_system import Names

LADDER = Path("tests/systems/test_ladder.py")


@pytest.mark.parametrize(
    ("system", "identifier", "expected"),
    [
        ("VAE", "inside an epoch-VAE", True),
        ("VAE", "vae_digits", True),
        ("VAE", "docs/systems/vae.md:23", True),
        ("VAE", "CVAE", False),
        ("VAE", "cvae_mnist", False),
        ("VAE", "docs/use-it-in-your-project.md:9", False),
        ("WGANGP", "docs/systems/wgan_gp.md:31", True),
        ("WGANGP", "configs/gans/wgan_gp_faces.yaml", True),
        ("WGANGP", "WGAN", False),
    ],
)
def test_a_parameter_that_names_it(system, identifier, expected):
    assert Names.of(system).are_in(LADDER, SimpleNamespace(id=identifier)) is expected


def test_a_file_of_its_own():
    assert Names.of("StackedGAN").are_in(Path("tests/dlmodules/gans/test_stackedgan.py"), None)
    assert not Names.of("StackedGAN").are_in(Path("tests/dlmodules/gans/test_dcgan.py"), None)
    assert not Names.of("StackedGAN").are_in(LADDER, None)


def test_what_is_no_system():
    with pytest.raises(pytest.UsageError, match="no public system 'LSGA'"):
        Names.of("LSGA")
