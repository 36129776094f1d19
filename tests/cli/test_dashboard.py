"""``dashboard``: panels of what the runs of a family really log, printed without a key and saved with one."""

import json
import sys

import pytest

from callbacks.run.directions import DIRECTIONS, NO_BEST
from callbacks.run.loggers import RunWandbLogger
from dlmodules_cli import cli
from dlmodules_cli.dashboard.panels import PANELS
from dlmodules_cli.main import main
from dlmodules_cli.systems import systems
from tests.callbacks.wandb_server import KEY, wandb_server
from tests.systems.cases import CASES

RUNS = {
    "autoencoders": ["autoencoder_digits", "autoencoder_tins"],
    "classifiers": ["dbn_classifier_mnist", "mlp_xor"],
    "densities": ["box_land", "multinomial_wrodl", "pixel_naive_bayes_planet"],
    "driving": ["alvinn", "chauffeurnet", "pilotnet_roads"],
    "energy": ["rbm_mnist"],
    "estimators": ["estimator_iris_forest"],
    "gans": ["acgan_mnist_cpu", "wgan_gp_mnist_cpu"],
    "regression": ["mlp_regression_boxcar"],
    "rl": ["dqn_cartpole"],
    "style": ["fast_style", "neural_style"],
    "text": ["bert_imdb", "gpt_tinyshakespeare", "question_generator_facts", "seq2seq_numbers", "word2vec_toy"],
    "translation": ["cycada_mnist_to_street", "pix2pix_elevation", "pixelda_mnist_to_mnist_m"],
    "vaes": ["vae_digits"],
    "world_models": ["dodge_mdn_rnn", "handwriting_omniglot"],
}
"""The configurations whose runs together log all that the panels of their family show."""
SHORT = [
    *["--trainer.max_steps", "6", "--trainer.max_epochs", "2", "--trainer.limit_train_batches", "3"],
    *["--trainer.log_every_n_steps", "1", "--trainer.check_val_every_n_epoch", "1"],
    *["--trainer.val_check_interval", "1.0"],
]


def printed(family, monkeypatch, capsys):
    monkeypatch.setenv("WANDB_MODE", "offline")
    main(["dashboard", family, "--entity", "me", "--project", "mine"])
    return json.loads(capsys.readouterr().out)


def names_in(workspace):
    """The metrics and pictures of the panels."""
    sections = workspace["spec"]["section"]["panelBankConfig"]["sections"]
    panels = [panel["config"] for section in sections for panel in section["panels"]]
    found = [panel.get("metrics", panel.get("mediaKeys", ())) for panel in panels]
    return {name for names in found for name in names}


def test_every_family_has_a_dashboard():
    assert set(PANELS) == set(RUNS) == {system.family for system in systems()}


@pytest.mark.slow
@pytest.mark.parametrize("family", RUNS)
def test_what_the_panels_name_is_logged_by_runs_of_the_family(family, tmp_path, monkeypatch, capsys):
    pytest.importorskip("wandb_workspaces", reason="wandb-workspaces is not installed: pip install -e '.[dashboards]'")
    logged: set[str] = set()

    class Watched(RunWandbLogger):
        def log_metrics(self, metrics, step=None):
            logged.update(metrics)

        def log_image(self, key, images, step=None, **kwargs):
            logged.add(key)

        def log_video(self, key, videos, step=None, **kwargs):
            logged.add(key)

        def log_table(self, key, columns=None, data=None, dataframe=None, step=None):
            logged.add(key)

    monkeypatch.setattr(cli, "RunWandbLogger", Watched)
    for case in CASES:
        if case.config.stem in RUNS[family]:
            words = case.arguments(tmp_path, *SHORT)
            at = words.index("--trainer.callbacks")
            main([*words[:at], *words[at + 2 :]])
    capsys.readouterr()
    workspace = printed(family, monkeypatch, capsys)
    panels = PANELS[family]
    assert names_in(workspace) == {*panels.metrics, *panels.pictures}
    assert all(f'"{name}"' in json.dumps(workspace["spec"]) for name in panels.tables)
    assert set(panels.tables) <= logged
    assert names_in(workspace) <= logged
    # Of each validation metric it is known whether it has a best.
    assert {name.partition("/")[2] for name in logged if name.startswith("val/")} <= DIRECTIONS.keys() | NO_BEST


def test_the_best_runs_of_the_family_come_first(monkeypatch, capsys):
    pytest.importorskip("wandb_workspaces", reason="wandb-workspaces is not installed: pip install -e '.[dashboards]'")
    workspace = printed("classifiers", monkeypatch, capsys)
    assert (workspace["entity"], workspace["project"]) == ("me", "mine")
    (runs,) = workspace["spec"]["section"]["runSets"]
    (wanted,) = runs["filters"]["filters"]
    assert (wanted["key"], wanted["op"]) == ({"section": "run", "name": "tags"}, "IN")
    assert wanted["value"] == ["classifiers"]
    (order,) = runs["sort"]["keys"]
    assert order == {"key": {"section": "summary", "name": "val/accuracy.max"}, "ascending": False}
    assert "summary:val/loss.min" in runs["runFeed"]["columnPinned"]
    (lowest,) = printed("vaes", monkeypatch, capsys)["spec"]["section"]["runSets"][0]["sort"]["keys"]
    assert lowest == {"key": {"section": "summary", "name": "val/loss.min"}, "ascending": True}


def test_with_a_key_it_is_saved(monkeypatch, capsys, tmp_path):
    pytest.importorskip("wandb_workspaces", reason="wandb-workspaces is not installed: pip install -e '.[dashboards]'")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    with wandb_server() as (url, _, views):
        monkeypatch.setenv("WANDB_BASE_URL", url)
        main(["dashboard", "rl"])
    (view,) = views
    assert (view["entityName"], view["projectName"], view["displayName"]) == ("me", "dlmodules", "dlmodules: rl")
    assert "val/return" in names_in({"spec": json.loads(view["spec"])})
    assert capsys.readouterr().out.startswith(f"saved {url}/me/dlmodules?nw=")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["vae"], "no family 'vae' (did you mean vaes"),
        ([], "no family given; there are: autoencoders, "),
        (["vaes", "--projekt", "x"], "there is no option projekt"),
    ],
)
def test_mistakes_are_a_line(words, said, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["dashboard", *words])
    assert stop.value.code == 2
    assert said in capsys.readouterr().err


def test_without_the_package_it_says_which(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "wandb_workspaces", None)
    with pytest.raises(SystemExit) as stop:
        main(["dashboard", "vaes"])
    assert stop.value.code == 2
    assert "pip install wandb-workspaces" in capsys.readouterr().err
