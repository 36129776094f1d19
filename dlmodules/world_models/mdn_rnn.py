"""MDN-RNN: the memory of a world model, which predicts as a mixture of Gaussians what will be seen next."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics.classification import BinaryAUROC
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.checkpoints.inner import frozen_module, keep_whole
from dlmodules.errors import UserError
from dlmodules.layers.recurrent import make_recurrent
from dlmodules.protocols import Decodes, EncodesDistributions, GivesStarts, LatentSeries, Memory
from dlmodules.training.step_logging import log_losses
from dlmodules.validation.arguments import check_at_least, check_at_least_one, check_positive
from dlmodules.variational.elbo import reparameterize
from dlmodules.world_models.mixtures import (
    GaussianMixture,
    mixture_at,
    mixture_log_prob,
    mixture_mean,
    mixture_width,
    sample_mixture,
    split_mixture,
)

STARTS = 256
"""First frames that a checkpoint keeps the codes of."""

State = tuple[Tensor, Tensor]
"""Hidden and cell state of the LSTM, each ``(1, B, H)``."""


class MDNNetwork(nn.Module):
    """An LSTM, and a linear layer to the parameters of mixtures and to further logits.

    Args:
        input_dim: numbers read in a step.
        hidden_dim: units of the LSTM.
        outputs: numbers that come out.
    """

    def __init__(self, input_dim: int = 36, hidden_dim: int = 256, outputs: int = 481) -> None:
        super().__init__()
        self.input_dim, self.hidden_dim, self.outputs = input_dim, hidden_dim, outputs
        self.recurrent = make_recurrent("lstm", input_dim, hidden_dim)
        # The gates have one bias, as in the book and the paper: torch's second one stays 0.
        self.recurrent.bias_hh_l0.requires_grad_(False)
        self.head = nn.Linear(hidden_dim, outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map series ``(B, T, input_dim)``, with nothing remembered before, to ``(B, T, outputs)``."""
        return self.read(inputs, None)[0]

    def read(self, inputs: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Return the outputs ``(B, T, outputs)`` of a series that goes on from ``state``, and the state after it."""
        hidden, after = self.recurrent(inputs, state)
        return self.head(hidden), after


class MDNRNN(LightningModule):
    """An LSTM that reads codes of frames and actions, and says how the next code is distributed.

    Each number of the code has a mixture of its own. Further outputs say whether the next step pays, and whether it is
    the last one. With the book's sizes it has 423,649 parameters. Trained on ``LatentSeries``, of which it draws the
    codes anew in each step. With an encoder it is a whole world model: it sees frames for a controller
    (``dlmodules.protocols.Perceives``), and makes up episodes (``dlmodules.protocols.Dreams``).

    Logged for ``train``, ``val`` and ``test``: ``z_loss``, the negative log-likelihood of a number of the code, in
    nats; ``reward_loss`` and ``end_loss``, cross-entropies in nats; ``loss``, their sum by their weights. For
    validation and test also ``reward_auc`` and ``end_auc``, the areas under the ROC curve.

    Paper: Ha & Schmidhuber 2018, World Models, arXiv:1803.10122.
    Books: foster F8.6.

    Args:
        encoder: checkpoint of a VAE of the frames, or the VAE; None for training on codes alone. It is not trained.
        latent_dim: numbers in a code.
        action_dim: numbers in an action; of numbered actions how many there are.
        discrete: whether actions are numbered.
        hidden_dim: units of the LSTM.
        components: Gaussians of a mixture.
        shared: one choice of a component for all numbers of the code, in place of one for each.
        reward_input: also read whether the step before paid, as the book has it. While it plays, where nobody tells
            it, it goes by its own prediction.
        rewards: predict whether the next step pays more than 0.
        ends: predict whether the next step is the last.
        end_weight: how many times more a last step counts in its loss than another.
        z_weight: of ``z_loss`` in ``loss``.
        reward_weight: of ``reward_loss``.
        optimizer: makes the optimizer.

    Raises:
        UserError: for a number out of range, and an encoder of codes of another size.
    """

    starts: Tensor
    action_bounds: Tensor
    best_metric = ("val/loss", "min")
    small_arguments: ClassVar[Mapping[str, Any]] = {"encoder": None, "latent_dim": 16, "hidden_dim": 64}

    def __init__(
        self,
        encoder: str | nn.Module | None = None,
        latent_dim: int = 32,
        action_dim: int = 3,
        discrete: bool = False,
        hidden_dim: int = 256,
        components: int = 5,
        shared: bool = False,
        reward_input: bool = True,
        rewards: bool = True,
        ends: bool = False,
        end_weight: float = 1.0,
        z_weight: float = 1.0,
        reward_weight: float = 1.0,
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3),
    ) -> None:
        super().__init__()
        save_portable_hyperparameters(self)
        check_at_least_one(latent_dim=latent_dim, action_dim=action_dim, hidden_dim=hidden_dim, components=components)
        check_at_least(0, z_weight=z_weight, reward_weight=reward_weight)
        check_positive(end_weight=end_weight)
        if reward_input and not rewards:
            raise UserError("reward_input is true, but rewards, which it would go by while it plays, is false")
        self.latent_dim, self.action_dim, self.discrete, self.hidden_dim = latent_dim, action_dim, discrete, hidden_dim
        self.components, self.shared, self.reward_input = components, shared, reward_input
        self.rewards, self.ends, self.end_weight = rewards, ends, end_weight
        self.z_weight, self.reward_weight, self.optimizer = z_weight, reward_weight, optimizer
        self.encoder = frozen_module(encoder)
        if self.encoder is not None:
            if not isinstance(self.encoder, EncodesDistributions):
                raise UserError(f"encoder is a {type(self.encoder).__name__}, which has no distribution of codes")
            if self.encoder.latent_dim != latent_dim:
                raise UserError(
                    f"the encoder's codes have {self.encoder.latent_dim} numbers: set latent_dim to that, not"
                    f" {latent_dim}"
                )
        self._mixture_width = mixture_width(latent_dim, components, shared)
        self.network = MDNNetwork(
            latent_dim + action_dim + reward_input, hidden_dim, self._mixture_width + rewards + ends
        )
        self.register_buffer("starts", torch.zeros(STARTS, 2, latent_dim))
        self.register_buffer("action_bounds", torch.tensor([[-1.0], [1.0]]).repeat(1, action_dim))
        kinds = [kind for kind, wanted in (("reward", rewards), ("end", ends)) if wanted]
        self.areas = nn.ModuleDict({f"{stage}_{kind}": BinaryAUROC() for stage in ("val", "test") for kind in kinds})

    @override
    def train(self, mode: bool = True) -> "MDNRNN":
        """Go into training mode, all but the encoder."""
        super().train(mode)
        if self.encoder is not None:
            self.encoder.eval()
        return self

    def forward(
        self, z: Tensor, action: Tensor, reward: Tensor | None = None, state: State | None = None
    ) -> tuple[GaussianMixture, dict[str, Tensor], State]:
        """Predict the step after each of a series.

        Args:
            z: codes ``(B, T, D)`` of what was seen.
            action: ``(B, T, A)`` float32, what was done there.
            reward: ``(B, T)``, 1 where the step before paid, else 0; read with ``reward_input`` alone.
            state: of the LSTM; None where an episode begins.

        Returns:
            The distribution of the next codes; logits ``(B, T)`` of ``reward`` and ``end``, those that are predicted;
            and the state after the series.
        """
        inputs = self._inputs(z, action, reward)
        outputs, after = self.network.read(inputs, state)
        return self._mixture(outputs), self._logits(outputs), after

    def _inputs(self, z: Tensor, action: Tensor, reward: Tensor | None) -> Tensor:
        inputs = [z, action]
        if self.reward_input:
            inputs.append((torch.zeros_like(z[..., 0]) if reward is None else reward).unsqueeze(-1))
        return torch.cat(inputs, dim=-1)

    def _mixture(self, outputs: Tensor) -> GaussianMixture:
        return split_mixture(outputs[..., : self._mixture_width], self.latent_dim, self.components, self.shared)

    def _logits(self, outputs: Tensor) -> dict[str, Tensor]:
        kinds = [kind for kind, wanted in (("reward", self.rewards), ("end", self.ends)) if wanted]
        return {kind: outputs[..., self._mixture_width + place] for place, kind in enumerate(kinds)}

    def draw_codes(self, series: LatentSeries) -> Tensor:
        """Return codes ``(B, T + 1, D)``, drawn from what the encoder says of each frame."""
        return reparameterize(series.mean, series.log_var)

    def losses(self, series: LatentSeries) -> tuple[dict[str, Tensor], dict[str, tuple[Tensor, Tensor]]]:
        """Return the losses of a batch, and for each further output its logits and targets ``(N,)`` of real steps."""
        z = self.draw_codes(series)
        paid = (series.reward > 0).to(z.dtype)
        before = F.pad(paid[:, :-1], (1, 0))  # nothing was paid before the first step
        outputs = self.network(self._inputs(z[:, :-1], series.action, before))
        mixture, logits = self._mixture(outputs), self._logits(outputs)
        steps = series.mask.sum()
        nats = -mixture_log_prob(mixture, z[:, 1:]) / self.latent_dim
        losses = {"z_loss": (nats * series.mask).sum() / steps}
        total = self.z_weight * losses["z_loss"]
        real = series.mask > 0
        judged = {}
        if "reward" in logits:
            judged["reward"] = logits["reward"][real], paid[real]
            losses["reward_loss"] = F.binary_cross_entropy_with_logits(*judged["reward"])
            total = total + self.reward_weight * losses["reward_loss"]
        if "end" in logits:
            judged["end"] = logits["end"][real], series.ended[real]
            weight = torch.tensor(self.end_weight, device=z.device)
            losses["end_loss"] = F.binary_cross_entropy_with_logits(*judged["end"], pos_weight=weight)
            total = total + losses["end_loss"]
        return {"loss": total, **losses}, judged

    def _checked(self, batch: Any) -> LatentSeries:
        if not isinstance(batch, (tuple, list)) or len(batch) != len(LatentSeries._fields):
            raise UserError(
                f"{type(self).__name__} needs batches of inputs and targets as LatentSeries has them: codes, actions,"
                " rewards and ends of episodes; choose another --data, such as LatentSeriesDataModule"
            )
        series = LatentSeries(*batch)
        found = series.mean.shape[-1], series.action.shape[-1]
        if found != (self.latent_dim, self.action_dim):
            raise UserError(
                f"the series have codes of {found[0]} numbers and actions of {found[1]}: set latent_dim={found[0]} and"
                f" action_dim={found[1]}"
            )
        return series

    @override
    def on_fit_start(self) -> None:
        """Keep how the training episodes begin, and what can be done in them: dreams need both."""
        source = getattr(self.trainer, "datamodule", None)
        if not isinstance(source, GivesStarts):
            return
        codes = torch.stack(source.start_codes(), dim=1)
        self.starts.copy_(codes[torch.arange(STARTS) % len(codes)])
        bounds = source.action_bounds()
        if bounds is not None:
            self.action_bounds.copy_(torch.stack(bounds))

    @override
    def training_step(self, batch: LatentSeries, batch_idx: int) -> Tensor:
        losses, _ = self.losses(self._checked(batch))
        log_losses(self, {f"train/{name}": loss for name, loss in losses.items()})
        return losses["loss"]

    @override
    def validation_step(self, batch: LatentSeries, batch_idx: int) -> None:
        self._evaluate(batch, "val")

    @override
    def test_step(self, batch: LatentSeries, batch_idx: int) -> None:
        self._evaluate(batch, "test")

    def _evaluate(self, batch: LatentSeries, stage: str) -> None:
        series = self._checked(batch)
        losses, judged = self.losses(series)
        steps = int(series.mask.sum())
        self.log_dict({f"{stage}/{name}": loss for name, loss in losses.items()}, batch_size=steps, sync_dist=True)
        for kind, (logits, targets) in judged.items():
            area = self.areas[f"{stage}_{kind}"]
            assert isinstance(area, BinaryAUROC)
            area.update(logits, targets.long())
            self.log(f"{stage}/{kind}_auc", area, batch_size=steps)

    @override
    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self.optimizer(self.network.parameters())

    @override
    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the encoder whole."""
        keep_whole(checkpoint, "encoder", self.encoder)

    def initial_state(self, n: int) -> Memory:
        """Return what is remembered of ``n`` episodes before they begin."""
        state = {name: torch.zeros(n, self.hidden_dim, device=self.device) for name in ("hidden", "cell")}
        return state | ({"reward": torch.zeros(n, device=self.device)} if self.reward_input else {})

    @torch.no_grad()
    def see(self, observation: Tensor) -> Tensor:
        """Return the means ``(N, latent_dim)`` of the codes of frames ``(N, H, W, C)`` uint8.

        Raises:
            UserError: there is no encoder, or the frames have another size than its images.
        """
        if self.encoder is None:
            raise UserError("this MDNRNN has no encoder, so it does not see: give the VAE's checkpoint as encoder")
        assert isinstance(self.encoder, EncodesDistributions)
        images = observation.to(self.device).movedim(-1, 1)
        if tuple(images.shape[1:]) != tuple(self.encoder.image_shape) or observation.dtype != torch.uint8:
            raise UserError(
                f"the encoder sees frames of {list(self.encoder.image_shape)}, and the environment shows"
                f" {list(images.shape[1:])} {observation.dtype}"
            )
        return self.encoder.posterior(images.float() / 255)[0]

    def decode(self, z: Tensor) -> Tensor:
        """Return the images in [0, 1] of codes ``(B, latent_dim)``, by the encoder's other half.

        Raises:
            UserError: there is none.
        """
        if not isinstance(self.encoder, Decodes):
            raise UserError("this MDNRNN has no VAE to decode with: give its checkpoint as encoder")
        return self.encoder.decode(z)

    def hidden(self, state: Memory) -> Tensor:
        """Return the hidden state ``(N, hidden_dim)``."""
        return state["hidden"]

    @torch.no_grad()
    def remember(self, z: Tensor, action: Tensor, state: Memory) -> Memory:
        """Return the state after an action ``(N, A)``, or a number ``(N,)``, where ``z`` ``(N, D)`` was seen."""
        return self._step(z, action, state)[1]

    def _step(self, z: Tensor, action: Tensor, state: Memory) -> tuple[Tensor, Memory]:
        """Return the network's outputs ``(N, O)`` for one step, and the state after it."""
        done = F.one_hot(action.long(), self.action_dim) if self.discrete else action
        inputs = self._inputs(z, done.to(z), state.get("reward"))
        memory = state["hidden"].unsqueeze(0), state["cell"].unsqueeze(0)
        outputs, (hidden, cell) = self.network.read(inputs.unsqueeze(1), memory)
        found = {"hidden": hidden[0], "cell": cell[0]}
        if self.reward_input:
            found["reward"] = (self._logits(outputs[:, 0])["reward"] > 0).to(z.dtype)
        return outputs[:, 0], found

    def limits(self) -> Tensor:
        """Return the lowest and the highest value ``(2, action_dim)`` of each number of an action."""
        return self.action_bounds

    def first_codes(self) -> Tensor:
        """Return means and log-variances ``(256, 2, latent_dim)`` of the training episodes' first frames."""
        return self.starts

    @torch.no_grad()
    def dream(
        self, z: Tensor, action: Tensor, state: Memory, temperature: float, draws: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Memory]:
        """Make up one step.

        Args:
            z: codes ``(N, latent_dim)``.
            action: ``(N, A)``, or numbers ``(N,)``.
            state: what is remembered.
            temperature: above 0; more makes what happens less certain.
            draws: uniform numbers in [0, 1) and standard normal ones, each ``(N, latent_dim)``, that choose components
                and deviations; of the former a shared mixture takes the first. None draws them.

        Returns:
            The next codes; rewards ``(N,)``, 1 where the step pays, or always where no rewards are predicted; the
            probabilities ``(N,)`` that it was the last step, 0 where no ends are predicted; and the state after it.

        Raises:
            UserError: for a temperature of 0 or less.
        """
        outputs, after = self._step(z, action, state)
        mixture = self._mixture(outputs)
        if draws is None:
            following = sample_mixture(mixture, temperature)
        else:
            uniform = draws[0][:, :1] if self.shared else draws[0]
            following = mixture_at(mixture, uniform, draws[1], temperature)
        logits = self._logits(outputs)
        reward = (logits["reward"] > 0).to(z.dtype) if "reward" in logits else torch.ones_like(z[:, 0])
        end = logits["end"].sigmoid() if "end" in logits else torch.zeros_like(z[:, 0])
        return following, reward, end, after

    @override
    def predict_step(self, batch: LatentSeries, batch_idx: int) -> Tensor:
        """Return the means ``(B, T, latent_dim)`` of the next codes of a batch, from the means of its codes."""
        series = self._checked(batch)
        before = F.pad((series.reward[:, :-1] > 0).to(series.mean.dtype), (1, 0))
        return mixture_mean(self(series.mean[:, :-1], series.action, before)[0])

    def example_batch(self, n: int) -> LatentSeries:
        """Return ``n`` made-up series of twelve steps."""
        draw = torch.Generator().manual_seed(0)
        z = 0.1 * torch.randn(n, 13, self.latent_dim, generator=draw)
        action = torch.rand(n, 12, self.action_dim, generator=draw)
        steps = torch.randint(2, (2, n, 12), generator=draw).float()
        found = LatentSeries(z, torch.full_like(z, -4.0), action, steps[0], steps[1], torch.ones(n, 12))
        return LatentSeries(*(field.to(self.device) for field in found))
