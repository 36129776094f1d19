import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from dlmodules import MDNRNN, VAE
from dlmodules.errors import UserError
from dlmodules.protocols import Dreams, LatentSeries
from tests.quiet import quiet_trainer


def small(**arguments: Any) -> MDNRNN:
    torch.manual_seed(0)
    return MDNRNN(**{"latent_dim": 2, "action_dim": 1, "hidden_dim": 8, "components": 3, **arguments})


def series(t: int = 3, b: int = 1, log_var: float = -40.0) -> LatentSeries:
    draw = torch.Generator().manual_seed(1)
    z = torch.randn(b, t + 1, 2, generator=draw)
    reward = (torch.arange(t) % 2).float().expand(b, t)
    ended = F.one_hot(torch.tensor(t - 1), t).float().expand(b, t)
    action = torch.randn(b, t, 1, generator=draw)
    return LatentSeries(z, torch.full_like(z, log_var), action, reward, ended, torch.ones(b, t))


def test_the_books_sizes_have_the_books_number_of_weights() -> None:
    module = MDNRNN()
    assert sum(p.numel() for p in module.parameters() if p.requires_grad) == 423_649
    assert module.network.recurrent.bias_hh_l0.abs().sum() == 0
    assert module.network.head.out_features == 481


def test_the_losses_by_hand() -> None:
    module, batch = small(ends=True), series()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
        # Rows of 3 log_pi, 3 mu, 3 log_sigma for each of two numbers; then reward and end.
        module.network.head.bias.copy_(
            torch.tensor([0.0, 0, 0, 0, 1, 2, 0, 0, 0, 5.0, 0, 0, 1, 0, 0, math.log(2), 0, 0, 0.3, -1.0])
        )
    losses, _ = module.losses(batch)
    nats = []
    for z in batch.mean[0, 1:].tolist():
        normal = [math.exp(-0.5 * (z[0] - mu) ** 2) / math.sqrt(2 * math.pi) for mu in (0, 1, 2)]
        first = math.log(sum(normal) / 3)
        weights = [math.exp(5), 1, 1]
        parts = [math.exp(-0.5 * ((z[1] - 1) / 2) ** 2) / 2] + [math.exp(-0.5 * z[1] ** 2)] * 2
        second = math.log(
            sum(w * p for w, p in zip(weights, parts, strict=True)) / sum(weights) / math.sqrt(2 * math.pi)
        )
        nats.append(-(first + second) / 2)
    assert losses["z_loss"].item() == pytest.approx(sum(nats) / 3, rel=1e-5)
    softplus = math.log(1 + math.exp(0.3))
    assert losses["reward_loss"].item() == pytest.approx((softplus + softplus - 0.3 + softplus) / 3, rel=1e-5)
    low, high = math.log(1 + math.exp(-1)), math.log(1 + math.exp(1))
    assert losses["end_loss"].item() == pytest.approx((2 * low + high) / 3, rel=1e-5)
    assert losses["loss"].item() == pytest.approx(sum(losses[f"{n}_loss"].item() for n in ("z", "reward", "end")))


def test_the_end_is_weighted() -> None:
    batch = series()
    plain, weighted = small(ends=True), small(ends=True, end_weight=10.0)
    _, judged = plain.losses(batch)
    logits, ends = judged["end"]
    wanted = (F.softplus(logits) * (1 - ends) + 10 * F.softplus(-logits) * ends).mean()
    torch.testing.assert_close(weighted.losses(batch)[0]["end_loss"], wanted)


def test_each_outcome_belongs_to_the_action_before_it() -> None:
    """The prediction at t reads z, action and the reward before of t and earlier, and is judged by what came of it."""
    module, batch = small(ends=True), series(t=5)
    before = F.pad((batch.reward > 0).float()[:, :-1], (1, 0))
    _, logits, _ = module(batch.mean[:, :-1], batch.action, before)
    changed = batch.action.clone()
    changed[:, 2] += 1
    _, others, _ = module(batch.mean[:, :-1], changed, before)
    same = (logits["reward"] == others["reward"])[0].tolist()
    assert same == [True, True, False, False, False]
    _, judged = module.losses(batch)
    assert torch.equal(judged["reward"][1], batch.reward[0])
    assert torch.equal(judged["end"][1], batch.ended[0])
    torch.testing.assert_close(judged["reward"][0], logits["reward"][0])


def test_what_is_padded_does_not_count() -> None:
    module, batch = small(ends=True), series(t=3)
    longer = LatentSeries(
        *(torch.cat([field, 7 * torch.ones_like(field[:, :2])], dim=1) for field in batch[:5]),
        torch.cat([batch.mask, torch.zeros(1, 2)], dim=1),
    )
    for name, loss in module.losses(batch)[0].items():
        torch.testing.assert_close(module.losses(longer)[0][name], loss)


def test_codes_are_drawn_anew_in_each_step() -> None:
    module, batch = small(), series(log_var=0.0)
    first, second = (module.draw_codes(batch) for _ in range(2))
    assert (first - second).abs().min() > 1e-6
    many = torch.stack([module.draw_codes(batch) for _ in range(500)])
    assert (many.std(dim=0) - 1).abs().max() < 0.2
    torch.testing.assert_close(small().draw_codes(series()), series().mean, atol=1e-6, rtol=0)


def test_what_is_read_and_what_is_expected_are_the_same_drawn_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes that are as wide as the prior: their means in place of draws would be another loss, and always the same."""
    module, batch = small(ends=True), series(log_var=0.0)
    assert module.losses(batch)[0]["z_loss"] != module.losses(batch)[0]["z_loss"]
    drawn = module.draw_codes(batch)
    monkeypatch.setattr(module, "draw_codes", lambda series: drawn)
    found = module.losses(batch)[0]
    wanted = small(ends=True).losses(batch._replace(mean=drawn, log_var=torch.full_like(drawn, -40.0)))[0]
    for name, loss in found.items():
        torch.testing.assert_close(loss, wanted[name])


def test_it_learns_two_futures_that_one_gaussian_cannot_tell() -> None:
    """The code jumps by +1 or -1: a mixture has half a bit more than any Gaussian, and knows the reward."""
    draw = torch.Generator().manual_seed(0)
    jumps = torch.randint(2, (64, 12, 1), generator=draw) * 2.0 - 1
    z = torch.cat([torch.zeros(64, 1, 1), jumps], dim=1)
    paid = (z[:, :-1, 0] > 0).float()  # a step pays where the code is 1
    batch = LatentSeries(z, torch.full_like(z, -4.0), torch.zeros(64, 12, 1), paid, 0 * paid, torch.ones(64, 12))
    losses = {}
    for components in (1, 2):
        torch.manual_seed(0)
        module = MDNRNN(latent_dim=1, action_dim=1, hidden_dim=16, components=components)
        optimizer = torch.optim.Adam(module.parameters(), lr=1e-2)
        for _ in range(150):
            loss = module.losses(batch)[0]
            optimizer.zero_grad()
            loss["loss"].backward()
            optimizer.step()
        losses[components] = {name: value.item() for name, value in loss.items()}
    assert losses[2]["z_loss"] < losses[1]["z_loss"] - 0.5
    assert losses[2]["reward_loss"] < 0.1


def test_dreams_have_the_asked_temperature() -> None:
    module = small(components=1)
    with torch.no_grad():
        module.network.head.weight.zero_()
        module.network.head.bias.copy_(torch.tensor([0.0, 0, 0] * 2 + [0.4]))
    z, action = torch.zeros(20_000, 2), torch.zeros(20_000, 1)
    for temperature in (0.25, 1.0, 4.0):
        found, reward, end, _ = module.dream(z, action, module.initial_state(20_000), temperature)
        assert found.std().item() == pytest.approx(math.sqrt(temperature), rel=0.03)
        assert reward.min() == 1
        assert end.max() == 0
    for bad in (0.0, -1.0):
        with pytest.raises(UserError, match="temperature"):
            module.dream(z, action, module.initial_state(20_000), bad)


@pytest.mark.parametrize("shared", [False, True])
def test_each_number_of_a_dream_chooses_a_component_of_its_own(shared: bool) -> None:
    module = small(components=2, shared=shared, reward_input=False, rewards=False)
    with torch.no_grad():
        module.network.head.weight.zero_()
        row = [-50.0, 50, 0, 0]  # means and log_sigma
        module.network.head.bias.copy_(torch.tensor([0.0, 0, *row, *row] if shared else [0.0, 0, *row] * 2))
    z, action, draw = torch.zeros(4_000, 2), torch.zeros(4_000, 1), torch.Generator().manual_seed(0)
    draws = torch.rand(4_000, 2, generator=draw), torch.randn(4_000, 2, generator=draw)
    for given in (draws, None):
        found = module.dream(z, action, module.initial_state(4_000), 1.0, given)[0]
        assert found[:, 0].sign().mean().item() == pytest.approx(0.0, abs=0.07)
        agree = (found[:, 0].sign() == found[:, 1].sign()).float().mean().item()
        assert agree == (1.0 if shared else pytest.approx(0.5, abs=0.04))


@pytest.mark.parametrize("reward_input", [True, False])
def test_steps_of_a_dream_are_those_of_a_series(reward_input: bool) -> None:
    module, batch = small(reward_input=reward_input, ends=True), series(t=4)
    assert isinstance(module, Dreams)
    state = module.initial_state(1)
    rewards, ends, told = [], [], [torch.zeros(1)]
    for t in range(4):
        _, reward, end, state = module.dream(batch.mean[:, t], batch.action[:, t], state, 1.0)
        rewards.append(reward)
        ends.append(end)
        told.append(reward)  # its own prediction
    _, logits, (hidden, _) = module(batch.mean[:, :-1], batch.action, torch.stack(told[:-1], dim=1))
    torch.testing.assert_close(torch.stack(ends, dim=1), logits["end"].sigmoid())
    torch.testing.assert_close(torch.stack(rewards, dim=1), (logits["reward"] > 0).float())
    torch.testing.assert_close(module.hidden(state), hidden[0])


def test_numbered_actions_are_made_one_hot() -> None:
    module = small(action_dim=3, discrete=True, reward_input=False)
    z = torch.randn(2, 2)
    found = module.remember(z, torch.tensor([2, 0]), module.initial_state(2))
    hot = torch.tensor([[0.0, 0, 1], [1, 0, 0]])
    _, _, (hidden, _) = module(z[:, None], hot[:, None])
    torch.testing.assert_close(found["hidden"], hidden[0])


def test_a_checkpoint_has_the_encoder_that_was_given_by_another(tmp_path: Path) -> None:
    torch.manual_seed(0)
    seen = VAE((1, 8, 8), 2)
    trainer = quiet_trainer(max_epochs=0, default_root_dir=tmp_path)
    trainer.fit(seen, torch.utils.data.DataLoader([seen.example_batch(2)], batch_size=None))
    trainer.save_checkpoint(tmp_path / "vae.ckpt")
    module = small(encoder=str(tmp_path / "vae.ckpt"))
    before = {name: p.clone() for name, p in module.encoder.named_parameters()}
    trainer = quiet_trainer(max_steps=2, default_root_dir=tmp_path)
    loader = torch.utils.data.DataLoader([series(), series()], batch_size=None)
    trainer.fit(module, loader)
    assert all(torch.equal(before[name], p) for name, p in module.encoder.named_parameters())
    trainer.save_checkpoint(tmp_path / "rnn.ckpt")
    (tmp_path / "vae.ckpt").unlink()
    again = MDNRNN.load_from_checkpoint(tmp_path / "rnn.ckpt", weights_only=True)
    frames = torch.randint(0, 256, (3, 8, 8, 1), dtype=torch.uint8)
    assert torch.equal(again.see(frames), module.see(frames))
    assert not again.encoder.training


def test_what_does_not_fit_ends_in_one_line() -> None:
    with pytest.raises(UserError, match="codes have 5 numbers"):
        small(encoder=VAE((1, 8, 8), 5))
    with pytest.raises(UserError, match="no encoder"):
        small().see(torch.zeros(1, 8, 8, 1, dtype=torch.uint8))
    with pytest.raises(UserError, match=r"sees frames of \[1, 8, 8\].* shows \[1, 9, 9\]"):
        small(encoder=VAE((1, 8, 8), 2)).see(torch.zeros(1, 9, 9, 1, dtype=torch.uint8))
    with pytest.raises(UserError, match="set latent_dim=2 and action_dim=1"):
        small(latent_dim=3).training_step(series(), 0)
    with pytest.raises(UserError, match="reward_input"):
        small(rewards=False)
