"""Four new things, each of another kind, that are written into a copy of the repository, tested and thrown away."""

import re
from pathlib import Path
from typing import NamedTuple


class Addition(NamedTuple):
    """What is written for one new thing.

    Attributes:
        name: of its class.
        files: new files by their paths in the repository.
        lines: a line that goes to the end of a file that is there already, by the file's path.
    """

    name: str
    files: dict[str, str]
    lines: dict[str, str]

    def write(self, repository: Path) -> None:
        """Add it to a repository."""
        for path, text in self.files.items():
            (repository / path).write_text(text, encoding="utf-8")
        for path, line in self.lines.items():
            with (repository / path).open("a", encoding="utf-8") as file:
                file.write(line)


def stub_line(module: str, name: str) -> str:
    return f"from .{module} import {name} as {name}\n"


def page(name: str, module: str, config: str, logged: str) -> str:
    """Return a page with all that a page must have."""
    table = "\n".join(f"| `{metric}` | one of its numbers |" for metric in re.findall(r"\S+", logged))
    return f"""# {name}

## What it is

Nothing of use. Books: lab X1.

## Picture

None.

## Usage

```bash
python train.py fit --config configs/{config}.yaml
python train.py test --config configs/{config}.yaml --ckpt_path last
python train.py fit --config configs/{config}.yaml --trainer.max_epochs 2
```

## Arguments

::: dlmodules.{module}.{name}

## Logged metrics

| metric | meaning |
|---|---|
{table}

## Implementation details

None.

## Results

None.

## How to subclass it

Do not.
"""


CLASSIFIER = Addition(
    "ThrowAwayClassifier",
    {
        "dlmodules/classifiers/throw_away.py": '''"""A classifier to be thrown away."""

from collections.abc import Sequence
from math import prod

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import nn

from dlmodules.classifiers.classifier import Classifier


class ThrowAwayClassifier(Classifier):
    """One layer.

    Paper: nobody 2026, Nothing.
    Books: lab X1.

    Args:
        input_shape: shape of one input.
        num_classes: number of classes.
        optimizer: makes the optimizer.
    """

    def __init__(
        self,
        input_shape: Sequence[int] = (1, 28, 28),
        num_classes: int = 10,
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-2),
    ) -> None:
        network = nn.Sequential(nn.Flatten(), nn.Linear(prod(input_shape), num_classes))
        super().__init__(network, num_classes, optimizer, None, input_shape)
''',
        "configs/classifiers/throw_away_classifier.yaml": """# lab X1: nothing
seed_everything: 0
model:
  class_path: dlmodules.ThrowAwayClassifier
data:
  class_path: datamodules.FashionMNISTDataModule
trainer:
  max_epochs: 1
""",
        "docs/systems/throw_away_classifier.md": page(
            "ThrowAwayClassifier",
            "classifiers.throw_away",
            "classifiers/throw_away_classifier",
            "train/loss train/accuracy val/loss val/accuracy test/loss test/accuracy",
        ),
    },
    {"dlmodules/__init__.pyi": stub_line("classifiers.throw_away", "ThrowAwayClassifier")},
)

GAN = Addition(
    "ThrowAwayGAN",
    {
        "dlmodules/gans/throw_away.py": '''"""A GAN to be thrown away."""

from torch import Tensor

from dlmodules.gans.dcgan import DCGAN


class ThrowAwayGAN(DCGAN):
    """A DCGAN whose generator minimises a square.

    Paper: nobody 2026, Nothing.
    Books: lab X1.
    """

    def generator_loss(self, fake_outputs: Tensor) -> Tensor:
        """Return the distance from what is certainly real."""
        return (fake_outputs - 3).square().mean()
''',
        "configs/gans/throw_away_gan.yaml": """# lab X1: nothing
seed_everything: 0
model:
  class_path: dlmodules.ThrowAwayGAN
data:
  class_path: datamodules.MNISTDataModule
trainer:
  max_steps: 10
""",
        "docs/systems/throw_away_gan.md": page(
            "ThrowAwayGAN",
            "gans.throw_away",
            "gans/throw_away_gan",
            "train/d_loss train/g_loss train/d_accuracy train/d_real train/d_fake train/wasserstein train/r1_loss"
            " val/d_real",
        ),
    },
    {"dlmodules/__init__.pyi": stub_line("gans.throw_away", "ThrowAwayGAN")},
)

DATA = Addition(
    "ThrowAwayDataModule",
    {
        "datamodules/images/throw_away.py": '''"""Data to be thrown away."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from datamodules.images.vision import VisionDataModule


class ThrowAwayDataModule(VisionDataModule):
    """Dark images and light ones.

    Args:
        batch_size: images per batch.
        val_size: validation images.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"batch_size": 8, "val_size": 50}
    names = ("dark", "light")
    image_shape = (1, 28, 28)

    def __init__(self, batch_size: int = 128, val_size: int = 1000, **kwargs: Any) -> None:
        super().__init__(batch_size=batch_size, val_size=val_size, **kwargs)

    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        """Draw them."""
        labels = torch.arange(2000 if train else 400) % 2
        generator = torch.Generator().manual_seed(int(train))
        noise = torch.randint(100, (len(labels), *self.image_shape), generator=generator)
        return (noise + 100 * labels[:, None, None, None]).to(torch.uint8), labels
''',
        "configs/classifiers/throw_away_data.yaml": """# atienza 1.3.2: nothing
seed_everything: 0
model:
  class_path: dlmodules.MLPClassifier
  init_args:
    num_classes: 2
data:
  class_path: datamodules.ThrowAwayDataModule
trainer:
  max_epochs: 1
""",
    },
    {
        "datamodules/__init__.pyi": stub_line("images.throw_away", "ThrowAwayDataModule"),
        "docs/systems/mlp_classifier.md": "\n`classifiers/throw_away_data` is of no use.\n",
    },
)

AGENT = Addition(
    "ThrowAwayAgent",
    {
        "dlmodules/rl/throw_away.py": '''"""An agent to be thrown away."""

from typing import Any

import torch
from torch import Tensor, nn

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.rl.base import Agent
from dlmodules.sampling.examples import example_inputs


class ThrowAwayAgent(Agent):
    """Learn the reward of the next step, from random actions.

    Paper: nobody 2026, Nothing.
    Books: lab X1.

    Args:
        observation_dim: how many numbers an observation has.
        num_actions: number of actions.
        steps_per_iteration: environment steps between two updates.
    """

    def __init__(self, observation_dim: int = 4, num_actions: int = 2, steps_per_iteration: int = 64) -> None:
        super().__init__(steps_per_iteration)
        save_portable_hyperparameters(self)
        self.num_actions = num_actions
        self.network = nn.Linear(observation_dim, num_actions)
        self.last: Any = None

    def explore(self, observation: Tensor) -> Tensor:
        """Return random actions."""
        return torch.randint(self.num_actions, (len(observation),), generator=self.generator)

    @torch.no_grad()
    def act(self, observation: Tensor) -> Tensor:
        """Return the actions of the highest reward."""
        values: Tensor = self.network(observation.to(self.device))
        return values.argmax(dim=1)

    def observe(self, step: Any) -> None:
        """Keep the last step."""
        self.last = step

    def learn(self) -> dict[str, Tensor]:
        """Update the network once."""
        values = self.network(self.last.observation).gather(1, self.last.action[:, None]).squeeze(1)
        loss = (values - self.last.reward).square().mean()
        self.descend(loss, self.network, self.optimizer_at(0))
        return {"value_loss": loss.detach()}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Make the optimizer."""
        return torch.optim.Adam(self.network.parameters())

    def example_batch(self, n: int) -> Tensor:
        """Return made-up observations."""
        return example_inputs(n, (self.network.in_features,), self.device)
''',
        "configs/rl/throw_away_agent.yaml": """# lab X1: nothing
seed_everything: 0
model:
  class_path: dlmodules.ThrowAwayAgent
data:
  class_path: datamodules.EnvironmentDataModule
trainer:
  max_epochs: -1
""",
        "docs/systems/throw_away_agent.md": page(
            "ThrowAwayAgent",
            "rl.throw_away",
            "rl/throw_away_agent",
            "train/return train/episode_length train/episodes train/steps_per_second val/return val/episode_length"
            " test/return test/return_std",
        ),
    },
    {"dlmodules/__init__.pyi": stub_line("rl.throw_away", "ThrowAwayAgent")},
)

ADDITIONS = (CLASSIFIER, GAN, DATA, AGENT)
