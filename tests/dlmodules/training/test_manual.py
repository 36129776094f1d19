"""Loops of manual optimization on one engine: an actor with its critic, and two generators with two discriminators."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dlmodules.errors import UserError
from dlmodules.training.manual import ManualOptimizationModule
from tests.quiet import quiet_trainer


class ActorCritic(ManualOptimizationModule):
    """The critic learns that an action ``a`` in state ``s`` is worth ``-(a - s)^2``; the actor to raise that."""

    def __init__(self, updates=1, clip_grad_norm=None):
        super().__init__(clip_grad_norm)
        self.actor, self.critic = nn.Linear(1, 1), nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 1))
        self.updates = updates

    def value(self, state, action):
        return self.critic(torch.cat([state, action], dim=1))

    def training_step(self, batch, batch_idx):
        (state,) = batch
        with self.one_global_step():
            for _ in range(self.updates):
                action = torch.rand_like(state) * 2 - 1
                critic_loss = F.mse_loss(self.value(state, action), -(action - state).square())
                self.descend(critic_loss, self.critic, self.optimizer_at(0))
            if self.updates:
                self.descend(-self.value(state, self.actor(state)).mean(), self.actor, self.optimizer_at(1))

    def configure_optimizers(self):
        return [torch.optim.Adam(self.critic.parameters(), 1e-2), torch.optim.Adam(self.actor.parameters(), 1e-2)]


class Cycle(ManualOptimizationModule):
    """Two generators, there and back, that move before two discriminators do, each pair with one optimizer."""

    def __init__(self):
        super().__init__()
        self.generators = nn.ModuleDict({"ab": nn.Linear(2, 2), "ba": nn.Linear(2, 2)})
        self.discriminators = nn.ModuleDict({"a": nn.Linear(2, 1), "b": nn.Linear(2, 1)})

    def training_step(self, batch, batch_idx):
        (a,) = batch
        b = a + torch.tensor([1.0, -1.0])
        ab, ba = self.generators["ab"], self.generators["ba"]
        fake_b, fake_a = ab(a), ba(b)
        cycle = F.l1_loss(ba(fake_b), a) + F.l1_loss(ab(fake_a), b)
        fooled = -self.discriminators["b"](fake_b).mean() - self.discriminators["a"](fake_a).mean()
        with self.one_global_step():
            self.descend(fooled + 10 * cycle, self.generators, self.optimizer_at(0))
            for name, real, fake in (("a", a, fake_a), ("b", b, fake_b)):
                discriminator = self.discriminators[name]
                loss = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake.detach())).mean()
                self.descend(loss, discriminator, self.optimizer_at(1))

    def configure_optimizers(self):
        return [torch.optim.Adam(self.generators.parameters()), torch.optim.Adam(self.discriminators.parameters())]


class Watching:
    """Mixed in before a module: remembers whose gradients and weights each update changed, and how long they are."""

    networks: tuple[str, ...]

    def on_fit_start(self):
        self.changed_gradients, self.moved, self.norms = [], [], []

    def descend(self, loss, network, optimizer):
        gradients, weights = self._all(lambda p: p.grad), self._all(lambda p: p)
        super().descend(loss, network, optimizer)
        self.changed_gradients.append(_changed(gradients, self._all(lambda p: p.grad)))
        self.moved.append(_changed(weights, self._all(lambda p: p)))
        gradients = [p.grad.flatten() for p in network.parameters() if p.grad is not None]
        self.norms.append(torch.cat(gradients).norm().item())

    def _all(self, of):
        found = {name: [of(p) for p in self.get_submodule(name).parameters()] for name in self.networks}
        return {name: [None if t is None else t.detach().clone() for t in tensors] for name, tensors in found.items()}


def _changed(before, after):
    """Name the networks any of whose tensors are new or others than before; None is no tensor."""
    pairs = {name: zip(before[name], tensors, strict=True) for name, tensors in after.items()}
    return {
        name
        for name, both in pairs.items()
        if any(now is not None and (then is None or not torch.equal(then, now)) for then, now in both)
    }


class WatchedActorCritic(Watching, ActorCritic):
    networks = ("actor", "critic")


class WatchedCycle(Watching, Cycle):
    networks = ("generators.ab", "generators.ba", "discriminators.a", "discriminators.b")


def fit(module, tmp_path, batches=4, features=1):
    data = torch.utils.data.TensorDataset(torch.rand(8 * batches, features, generator=torch.Generator().manual_seed(0)))
    trainer = quiet_trainer(max_epochs=1, default_root_dir=tmp_path)
    trainer.fit(module, torch.utils.data.DataLoader(data, batch_size=8))
    return trainer


def test_an_update_changes_gradients_and_weights_of_its_own_network_alone(tmp_path):
    torch.manual_seed(0)
    module = WatchedActorCritic()
    fit(module, tmp_path)
    assert module.changed_gradients == module.moved == [{"critic"}, {"actor"}] * 4


@pytest.mark.parametrize("updates", [0, 1, 3])
def test_any_number_of_updates_is_one_global_step(tmp_path, updates):
    module = WatchedActorCritic(updates)
    trainer = fit(module, tmp_path, batches=5)
    assert trainer.global_step == module.global_step == 5
    assert len(module.moved) == 5 * (updates + 1) * (updates > 0)


def test_each_network_is_clipped_by_itself(tmp_path):
    torch.manual_seed(0)
    module = WatchedActorCritic(clip_grad_norm=1e-3)
    fit(module, tmp_path)
    assert module.norms == pytest.approx([1e-3] * 8, rel=1e-2)
    free = WatchedActorCritic()
    fit(free, tmp_path)
    assert max(free.norms) > 1e-2
    with pytest.raises(UserError, match=r"clip_grad_norm is 0\.0; it must be greater than 0"):
        ActorCritic(clip_grad_norm=0.0)


def test_both_gradients_can_be_taken_before_either_network_moves(tmp_path):
    """Then the actor's is that through the critic as it was."""
    found = {}

    class Simultaneous(ActorCritic):
        def training_step(self, batch, batch_idx):
            (state,) = batch
            action = self.actor(state)
            value = self.value(state, action)
            found["expected"] = torch.autograd.grad(-value.mean(), list(self.actor.parameters()), retain_graph=True)
            with self.one_global_step():
                self.backward_into(value.square().mean(), self.critic, self.optimizer_at(0), retain_graph=True)
                self.backward_into(-value.mean(), self.actor, self.optimizer_at(1))
                self.optimizer_at(0).step()
                self.optimizer_at(1).step()
            found["actor"] = [parameter.grad for parameter in self.actor.parameters()]

    fit(Simultaneous(), tmp_path, batches=1)
    assert all(map(torch.equal, found["expected"], found["actor"]))


def test_two_generators_and_two_discriminators_stand_on_it(tmp_path):
    torch.manual_seed(0)
    module = WatchedCycle()
    trainer = fit(module, tmp_path, features=2)
    assert trainer.global_step == 4
    both = {"generators.ab", "generators.ba"}
    assert module.changed_gradients == module.moved == [both, {"discriminators.a"}, {"discriminators.b"}] * 4


def test_what_is_frozen_gets_no_gradient(tmp_path):
    module = WatchedActorCritic()
    frozen = module.critic[0].requires_grad_(False)
    before = frozen.weight.clone()
    fit(module, tmp_path)
    assert module.moved == [{"critic"}, {"actor"}] * 4  # its other layer
    assert frozen.weight.grad is None
    assert torch.equal(frozen.weight, before)


@pytest.mark.learning
def test_the_actor_learns_what_the_critic_says(tmp_path):
    """Best is to act as the state is: a weight of 1 and a bias of 0."""
    torch.manual_seed(0)
    module = ActorCritic(updates=4)
    fit(module, tmp_path, batches=400)
    states = torch.tensor([[0.2], [0.8]])
    assert torch.allclose(module.actor(states), states, atol=0.1)
