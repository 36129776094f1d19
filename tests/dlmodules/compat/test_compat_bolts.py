import json
import re
import struct
import subprocess
import sys
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from dlmodules.compat import bolts
from dlmodules.errors import UserError

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "bolts.md").read_text(encoding="utf-8")
Verify = Callable[[nn.Module, Any], None]
CODE_BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.filterwarnings("ignore:The feature .* is currently marked under review")
needs_bolts = pytest.mark.skipif(
    find_spec("pl_bolts") is None, reason=f"lightning-bolts is not installed ({bolts.INSTALL_COMMAND})"
)


@pytest.fixture
def pl_bolts() -> Any:
    bolts.make_importable()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pl_bolts
    return pl_bolts


@pytest.fixture
def verify(monkeypatch: pytest.MonkeyPatch) -> Verify:
    """Give the helper that the ladder of all systems uses."""
    monkeypatch.syspath_prepend(ROOT / "tests" / "systems")
    from gradient_verification import assert_no_gradient_across_samples

    return assert_no_gradient_across_samples


def fit(module: pl.LightningModule, *loaders: Any, **trainer_args: Any) -> pl.Trainer:
    """Train for two steps with validation after them."""
    settings: dict[str, Any] = {
        "max_steps": 2,
        "limit_val_batches": 1,
        "num_sanity_val_steps": 0,
        "logger": False,
    }
    settings |= {"enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = pl.Trainer(accelerator="cpu", **(settings | trainer_args))
    trainer.fit(module, *loaders)
    return trainer


def loader(*tensors: Tensor) -> DataLoader[tuple[Tensor, ...]]:
    return DataLoader(TensorDataset(*tensors), batch_size=4)


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_nothing_changes_until_bolts_is_asked_for() -> None:
    program = """
import sys
import dlmodules, dlmodules.compat.bolts
print([name for name in sys.modules if name.split(".")[0] in ("pl_bolts", "pytorch_lightning", "torch")])
"""
    assert run(program) == "[]"


def test_missing_bolts_is_a_user_error_with_the_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bolts, "find_spec", lambda name: None)
    message = r"^lightning-bolts is not installed.*pip install --no-deps lightning-bolts==0\.7\.0$"
    with pytest.raises(UserError, match=message):
        bolts.make_importable()
    with pytest.raises(UserError, match=message):
        bolts.batch_gradient_verification()


def test_the_page_gives_the_same_install_command() -> None:
    assert f"```bash\n{bolts.INSTALL_COMMAND}\n```" in PAGE


@needs_bolts
@pytest.mark.slow
def test_every_module_of_bolts_imports_once_the_bridge_stands() -> None:
    program = """
import importlib, json, pkgutil
from dlmodules.compat import bolts
try:
    import pl_bolts
except ImportError:
    pass
else:
    raise SystemExit("pl_bolts imports by itself: the bridge is of no use any more")
bolts.make_importable()
import pl_bolts
packages = pkgutil.walk_packages(pl_bolts.__path__, "pl_bolts.", onerror=lambda name: None)
names = ["pl_bolts", *(m.name for m in packages)]
failures = {}
for name in names:
    try:
        importlib.import_module(name)
    except Exception as error:
        failures[name] = repr(error)
print(json.dumps([len(names), failures]))
"""
    assert json.loads(run(program)) == [175, {}]


@needs_bolts
def test_a_second_call_changes_nothing() -> None:
    import pytorch_lightning.strategies

    names = ("pytorch_lightning.utilities.apply_func", "pytorch_lightning.utilities.cli")
    bolts.make_importable()
    first = [*(sys.modules[name] for name in names), pytorch_lightning.strategies.DataParallelStrategy]  # type: ignore[attr-defined]
    bolts.make_importable()
    second = [*(sys.modules[name] for name in names), pytorch_lightning.strategies.DataParallelStrategy]  # type: ignore[attr-defined]
    assert all(a is b for a, b in zip(first, second, strict=True))


@needs_bolts
def test_vae_of_bolts_trains(pl_bolts: Any) -> None:
    torch.manual_seed(0)
    vae = pl_bolts.models.VAE(input_height=32, latent_dim=8)
    before = {name: p.detach().clone() for name, p in vae.named_parameters()}
    trainer = fit(
        vae,
        loader(torch.rand(8, 3, 32, 32), torch.zeros(8)),
        loader(torch.rand(4, 3, 32, 32), torch.zeros(4)),
    )
    assert trainer.global_step == 2
    assert trainer.callback_metrics["val_loss"].isfinite()
    assert not [name for name, p in vae.named_parameters() if torch.equal(p, before[name])]


@needs_bolts
def test_scheduler_of_bolts_warms_up_and_anneals_in_a_fit(pl_bolts: Any) -> None:
    rates: list[float] = []

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network = nn.Linear(2, 1)

        def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
            rates.append(self.trainer.optimizers[0].param_groups[0]["lr"])
            loss: Tensor = self.network(batch[0]).mean()
            return loss

        def configure_optimizers(self) -> Any:
            optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
            scheduler = pl_bolts.optimizers.LinearWarmupCosineAnnealingLR(optimizer, warmup_epochs=3, max_epochs=7)
            return [optimizer], [{"scheduler": scheduler, "interval": "step"}]

    fit(Module(), loader(torch.rand(32, 2)), max_steps=8)
    # a line from 0 to 0.1, then 0.1 * (1 + cos(pi * k / 4)) / 2 for k = 0 ... 4
    assert rates == pytest.approx([0, 0.05, 0.1, 0.1, 0.0853553, 0.05, 0.0146447, 0], abs=1e-6)


def write_mnist(folder: Path, train: int, test: int) -> None:
    """Write MNIST files of random images in the format of the real ones."""
    folder.mkdir(parents=True)
    for name, n in (("train", train), ("t10k", test)):
        images = torch.randint(0, 256, (n, 28, 28), dtype=torch.uint8).numpy()
        header = struct.pack(">HBBIII", 0, 8, 3, *images.shape)
        (folder / f"{name}-images-idx3-ubyte").write_bytes(header + images.tobytes())
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(
            struct.pack(">HBBI", 0, 8, 1, n) + bytes(i % 10 for i in range(n))
        )


@needs_bolts
def test_data_module_of_bolts_feeds_a_fit(pl_bolts: Any, tmp_path: Path) -> None:
    write_mnist(tmp_path / "MNIST" / "raw", train=20, test=6)
    data = pl_bolts.datamodules.MNISTDataModule(tmp_path, val_split=4, batch_size=8, pin_memory=False)
    trainer = fit(pl_bolts.models.LitMNIST(), data)
    assert trainer.global_step == 2
    assert [len(data.dataset_train), len(data.dataset_val)] == [16, 4]
    assert not set(data.dataset_train.indices) & set(data.dataset_val.indices)
    x, y = next(iter(data.train_dataloader()))
    assert (x.shape, x.dtype, y.dtype) == ((8, 1, 28, 28), torch.float32, torch.int64)
    assert 0 <= x.min() < 0.1 < 0.9 < x.max() <= 1


class Decoder(pl.LightningModule):
    """Maps codes ``(B, 4)`` to images ``(B, 1, 8, 8)``."""

    def __init__(self, latent_dim: int = 4) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.network = nn.Sequential(nn.Linear(latent_dim, 64), nn.Unflatten(1, (1, 8, 8)))
        self.example_input_array = torch.rand(3, latent_dim)

    def forward(self, z: Tensor) -> Tensor:
        images: Tensor = self.network(z)
        return images

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        loss: Tensor = self(batch[0]).square().mean()
        self.log("train/loss", loss)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


@needs_bolts
def test_callbacks_of_bolts_run_in_a_fit(pl_bolts: Any) -> None:
    table = pl_bolts.callbacks.PrintTableMetricsCallback()
    verification = pl_bolts.callbacks.BatchGradientVerificationCallback(error=True)
    fit(Decoder(), loader(torch.rand(8, 4)), callbacks=[table, verification], max_steps=-1, max_epochs=3)
    assert len(table.metrics) == 3
    assert table.metrics[2]["train/loss"] < table.metrics[0]["train/loss"]


@needs_bolts
def test_latent_interpolation_of_bolts_walks_the_first_two_dimensions(pl_bolts: Any) -> None:
    interpolator = pl_bolts.callbacks.LatentDimInterpolator(range_start=-1, range_end=1, steps=3)
    decoder = Decoder()
    images = torch.cat(interpolator.interpolate_latent_space(decoder, latent_dim=4))
    codes = torch.tensor([[a, b, 0, 0] for a in (-1.0, 0.0, 1.0) for b in (-1.0, 0.0, 1.0)])
    torch.testing.assert_close(images, decoder(codes))


@needs_bolts
def test_lightning_still_refuses_the_epoch_end_hooks_of_bolts(pl_bolts: Any) -> None:
    data = loader(torch.rand(8, 5), torch.rand(8, 1))
    with pytest.raises(NotImplementedError, match="validation_epoch_end"):
        fit(pl_bolts.models.LinearRegression(input_dim=5), data, data)


@needs_bolts
def test_gan_of_bolts_cannot_train_as_the_page_says(pl_bolts: Any) -> None:
    from pl_bolts.models.gans import GAN

    with pytest.raises(RuntimeError, match="optimizer_idx"):
        fit(
            GAN(input_channels=1, input_height=28, input_width=28),
            loader(torch.rand(8, 1, 28, 28), torch.zeros(8)),
        )


@needs_bolts
@pytest.mark.parametrize("code", CODE_BLOCKS, ids=lambda code: f"line {PAGE[: PAGE.index(code)].count(chr(10)) + 1}")
def test_code_blocks_of_the_page_run(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(code, "docs/bolts.md", "exec"), {"__name__": "__page__"})


def test_the_page_has_its_examples() -> None:
    assert len(CODE_BLOCKS) == 5


class Mixes(nn.Module):
    """A linear layer before which ``mix`` lets the samples see each other."""

    def __init__(self, mix: Any) -> None:
        super().__init__()
        self.network = nn.Linear(3, 2)
        self.mix = mix

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.network(self.mix(x))
        return output


@needs_bolts
@pytest.mark.parametrize(
    "mix",
    [lambda x: x + x.mean(0), lambda x: x + x[:1], lambda x: x.softmax(0), lambda x: x.flip(0)],
    ids=["mean", "first sample", "softmax over the batch", "reversed"],
)
def test_gradient_verification_catches_a_network_that_mixes_samples(verify: Verify, mix: Any) -> None:
    with pytest.raises(AssertionError, match="Mixes: output"):
        verify(Mixes(mix), torch.rand(3, 3))


@needs_bolts
def test_gradient_verification_names_the_samples_that_are_reached(verify: Verify) -> None:
    with pytest.raises(AssertionError, match=re.escape("output 1 has gradients to the inputs [[0, 1]], not to [1]")):
        verify(Mixes(lambda x: x + x[:1]), torch.rand(3, 3))


class Mirrored(nn.Linear):
    """Its outputs cancel in their sum, as those of a softmax add up to 1."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([super().forward(x), -super().forward(x)], dim=1)


@needs_bolts
def test_gradient_verification_passes_a_network_whose_outputs_have_a_constant_sum(verify: Verify) -> None:
    verify(Mirrored(3, 2), torch.rand(3, 3))
    verify(nn.Sequential(nn.Linear(3, 2), nn.Softmax(dim=1)), torch.rand(3, 3))


@needs_bolts
def test_gradient_verification_catches_an_input_that_is_ignored(verify: Verify) -> None:
    with pytest.raises(AssertionError, match=re.escape("output 0 has gradients to the inputs [[]]")):
        verify(Mixes(torch.zeros_like), torch.rand(3, 3))


class Conditional(nn.Module):
    """Takes images and labels, draws noise, and returns a tensor and a vector in a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.rest = nn.Sequential(nn.BatchNorm2d(4), nn.LeakyReLU(), nn.Dropout(0.5))
        self.embedding = nn.Embedding(5, 4)

    def forward(self, x: Tensor, labels: Tensor) -> dict[str, Tensor]:
        features = self.rest(self.conv(x)) + self.embedding(labels)[:, :, None, None]
        return {"codes": features + torch.randn_like(features), "norm": features.flatten(1).norm(dim=1)}


@needs_bolts
@pytest.mark.parametrize("training", [True, False])
def test_gradient_verification_passes_a_sound_network_and_leaves_it_as_it_was(verify: Verify, training: bool) -> None:
    network = Conditional().train(training)
    network.conv.weight.grad = torch.ones_like(network.conv.weight)
    state = {name: t.clone() for name, t in network.state_dict().items()}
    images, labels = torch.rand(3, 1, 5, 5), torch.tensor([0, 4, 0])
    seed = torch.get_rng_state()
    verify(network, (images.to(memory_format=torch.channels_last), labels))
    assert torch.equal(torch.get_rng_state(), seed)
    assert {m.training for m in network.modules()} == {training}
    assert all(torch.equal(t, state[name]) for name, t in network.state_dict().items())
    assert torch.equal(network.conv.weight.grad, torch.ones_like(network.conv.weight))
    assert network.embedding.weight.grad is None
    assert not images.requires_grad


@needs_bolts
def test_gradient_verification_takes_a_lightning_module(verify: Verify) -> None:
    verify(Decoder(), torch.rand(3, 4))
