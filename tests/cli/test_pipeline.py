"""``pipeline``: stages that take each other's checkpoints, are not run twice, and go on where they were interrupted."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from dlmodules.errors import UserError
from dlmodules_cli.configs import config_root
from dlmodules_cli.main import main
from dlmodules_cli.pipeline.record import StageRecord, identity_of, read_record
from dlmodules_cli.pipeline.stages import FILE, find_pipeline, read_stages, with_options
from tests.systems.processes import Done, in_a_process
from tests.systems.test_ladder import checkpoint, same

ENV = "tests.datamodules.rollouts.counting_env:CountingFrames-v0"
ROLLOUTS = {"env_id": ENV, "episodes": 5, "max_steps": 9, "rollouts_dir": "{root}/rollouts"}
WORLD = {"latent_dim": 2, "action_dim": 3, "discrete": True, "hidden_dim": 4, "reward_input": False, "ends": True}
DREAMS = {
    **{"env_id": ENV, "train_env_id": "dlmodules/Dream-v0", "train_env_kwargs": {"max_steps": 5}},
    **{"vectorization": "batched", "num_envs": 4, "eval_episodes": 2, "test_episodes": 3},
}
CONFIGS = {
    "eye": ("VAE", {"image_shape": [1, 8, 8], "latent_dim": 2}, "RolloutsDataModule", {"batch_size": 20}),
    "memory": ("MDNRNN", WORLD, "LatentSeriesDataModule", {"batch_size": 1}),
    "hand": ("EvolvedController", {"num_actions": 3, "population_size": 4}, "EnvironmentDataModule", DREAMS),
}
QUIET = {
    "accelerator": "cpu",
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "max_epochs": 2,
    "max_steps": 4,
}
DATA = {f"data.{name}": value for name, value in ROLLOUTS.items()}
STAGES = [
    {"name": "vae", "config": "eye.yaml", "overrides": DATA},
    {
        **{"name": "rnn", "subcommand": "fit", "config": "memory.yaml"},
        "overrides": {**DATA, "model.encoder": "{vae}", "data.encoder": "{vae}"},
    },
    {
        **{"name": "controller", "config": "hand.yaml"},
        "overrides": {"model.world": "{rnn}", "data.train_env_kwargs": {"world": "{rnn}", "max_steps": 5}},
    },
    {"name": "judged", "subcommand": "test", "config": "hand.yaml", "overrides": {"ckpt_path": "{controller}"}},
]


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A pipeline of four stages of a few steps each."""
    for name, (model, given, data, more) in CONFIGS.items():
        content = {
            "model": {"class_path": f"dlmodules.{model}", "init_args": given},
            "data": {"class_path": f"datamodules.{data}", "init_args": more},
            "trainer": {**QUIET, "callbacks": [every_step()]},
        }
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(content))
    path = tmp_path / "whole.yaml"
    path.write_text(yaml.safe_dump({"stages": STAGES}))
    return str(path)


def every_step() -> dict[str, Any]:
    return {"class_path": "callbacks.LastCheckpoint", "init_args": {"every_n_steps": 1}}


def versions(root: Path) -> dict[str, list[str]]:
    """The run folders of each configuration."""
    return {
        name: sorted(path.name for path in (root / name).glob("version_*"))
        for name in CONFIGS
        if (root / name).is_dir()
    }


def run(file: str, root: Path, *more: str) -> None:
    main(["pipeline", file, "--root", str(root), *more])


def mistake(capsys: Any, *arguments: str) -> str:
    """Run a command that must fail, and return its one line."""
    with pytest.raises(SystemExit) as stop:
        main(["pipeline", *arguments])
    assert stop.value.code == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    return line.removeprefix("error: ")


def test_stages_take_what_earlier_ones_made_and_none_is_run_twice(file: str, tmp_path: Path, capsys: Any) -> None:
    root = tmp_path / "runs"
    run(file, root)
    first = {"eye": ["version_0"], "memory": ["version_0"], "hand": ["version_0"]}
    assert versions(root) == first
    rollouts = [path for path in (root / "rollouts").iterdir() if path.is_dir()]
    assert len(rollouts) == 1  # played once for both
    assert same(
        {f"encoder.{name}": value for name, value in checkpoint(root / "eye" / "version_0")["state_dict"].items()},
        {
            name: value
            for name, value in checkpoint(root / "memory" / "version_0")["state_dict"].items()
            if name.startswith("encoder.")
        },
    )
    record = read_record(root / "hand" / "version_0", "judged")
    assert record is not None
    assert record.metrics["test/return"] == sum(range(1, 8))  # of the game, whatever is done in it
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*.ckpt")}

    capsys.readouterr()
    run(file, root, "--trainer.log_every_n_steps", "7", "--vae.data.workers=2")
    said = capsys.readouterr().out
    assert versions(root) == first
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*.ckpt")} == before
    assert f"stage 2 of 4, rnn: finished before, {root / 'memory' / 'version_0'}" in said
    assert "  test/return 28\n" in said


def test_a_stage_is_run_anew_where_its_options_or_its_checkpoints_are_others(file: str, tmp_path: Path) -> None:
    root = tmp_path / "runs"
    run(file, root)
    run(file, root, "--rnn.model.hidden_dim", "5")
    assert [len(found) for found in versions(root).values()] == [1, 2, 2]
    run(file, root, "--vae.seed_everything=1")
    assert [len(found) for found in versions(root).values()] == [2, 3, 3]
    # What was done before is found again.
    run(file, root)
    assert [len(found) for found in versions(root).values()] == [2, 3, 3]
    # Another VAE at the same place is another VAE.
    path = root / "eye" / "version_0" / "checkpoints" / "last.ckpt"
    content = torch.load(path, weights_only=True)
    content["state_dict"]["encoder.mean.bias"] += 1
    torch.save(content, path)
    run(file, root)
    assert [len(found) for found in versions(root).values()] == [2, 4, 4]
    # And one that is gone is trained again, to the same.
    path.unlink()
    run(file, root)
    assert len(versions(root)["eye"]) == 3


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["vae", "rnn", "controller", "dreams"])
def test_a_kill_in_a_stage_loses_nothing_and_changes_nothing(
    stage: str, file: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    torch.set_num_threads(1)
    unbroken, killed = tmp_path / "unbroken", tmp_path / "killed"

    def started(root: Path) -> Done:
        command = ["pipeline", file, "--root", str(root), *killing(stage, root / "once")]
        return in_a_process(command, request.config.rootpath, tmp_path / "said")

    unbroken.mkdir()
    (unbroken / "once").touch()  # it was killed before
    assert started(unbroken).returncode == 0
    killed.mkdir()
    assert started(killed).returncode == -9
    done = started(killed)
    assert done.returncode == 0, done.stderr
    assert "at step 2\n" in done.stdout
    assert versions(killed) == versions(unbroken) == {name: ["version_0"] for name in CONFIGS}
    for name in CONFIGS:
        expected, found = (checkpoint(root / name / "version_0") for root in (unbroken, killed))
        for part in ("global_step", "state_dict", "optimizer_states", "random_states"):
            assert same(expected[part], found[part]), (name, part)
        assert same(expected.get("agent"), found.get("agent"))
        assert same(expected.get("EnvironmentDataModule"), found.get("EnvironmentDataModule"))


def killing(stage: str, once: Path) -> list[str]:
    """Options by which a run is killed after its second step, or, of dreams, inside the third."""
    if stage == "dreams":
        environment = "tests.dlmodules.rl.evolution.kills_in_dream:KillingDream-v0"
        given = {"at": 3, "once": str(once), "max_steps": 5}
        options = [f"--controller.data.train_env_kwargs.{name}={value}" for name, value in given.items()]
        return [*options, f"--controller.data.train_env_id={environment}"]
    probe = {"step": 2, "once": str(once), "signal": "KILL"}
    callbacks = [every_step(), {"class_path": "tests.cli.probes.SignalOnce", "init_args": probe}]
    return [f"--{stage}.trainer.callbacks={json.dumps(callbacks)}"]


@pytest.mark.slow
def test_ctrl_c_ends_the_step_and_the_same_command_goes_on(
    file: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    probe = {"step": 2, "once": str(tmp_path / "once"), "signal": "INT"}
    callbacks = [{"class_path": "tests.cli.probes.SignalOnce", "init_args": probe}]
    command = ["pipeline", file, "--root", str(tmp_path), f"--rnn.trainer.callbacks={json.dumps(callbacks)}"]
    done = in_a_process(command, request.config.rootpath, tmp_path / "said")
    assert done.returncode == 130
    assert done.stderr.splitlines()[-1] == "stopped by Ctrl-C; go on with the same command"
    assert list(versions(tmp_path)) == ["eye", "memory"]
    done = in_a_process(command, request.config.rootpath, tmp_path / "said")
    assert done.returncode == 0, done.stderr
    assert "stage 1 of 4, vae: finished before" in done.stdout
    assert f"resuming {tmp_path / 'memory' / 'version_0'}/checkpoints/last.ckpt at step 3\n" in done.stdout
    assert list(versions(tmp_path).values()) == [["version_0"]] * 3


def test_a_stage_that_cannot_start_leaves_nothing(file: str, tmp_path: Path, capsys: Any) -> None:
    line = mistake(capsys, file, "--root", str(tmp_path / "runs"), "--vae.model.latentdim", "3")
    assert line.startswith("VAE has no argument latentdim (did you mean latent_dim?)")
    line = mistake(capsys, file, "--root", str(tmp_path / "runs"), "--vae.model.image_shape", "[1,12,12]")
    assert "the images are [1, 8, 8] but VAE was built for [1, 12, 12]" in line
    assert not versions(tmp_path / "runs").get("eye")
    line = mistake(capsys, file, "--root", str(tmp_path / "runs"), "--vae.trainer.max_steps", "0")
    assert line.startswith("stage rnn takes the checkpoint of vae, which has left no ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "pipeline must be given a name or a file first"),
        (["--root", "x"], "pipeline must be given a name or a file first"),
        (
            ["world_model/dogde"],
            "there is no pipeline world_model/dogde (did you mean world_models/dodge ",
        ),
        (
            ["world_models/dodge", "--vea.model.beta", "1"],
            "there is no option --vea.model.beta (did you mean vae?); begin",
        ),
        (["world_models/dodge", "--vae", "1"], "there is no option --vae"),
        (["world_models/dodge", "--roots", "1"], "there is no option --roots (did you mean root?)"),
        (["world_models/dodge", "--vae.model.beta"], "--vae.model.beta must be given a value"),
        (["world_models/dodge", "more", "1"], "there is no place for more"),
        (
            ["world_models/dodge", "--vae.model.encoder", "{rnn}"],
            "stage vae takes {rnn}, which no earlier stage trains",
        ),
    ],
)
def test_mistakes_of_the_command_line(arguments: list[str], said: str, capsys: Any) -> None:
    assert mistake(capsys, *arguments).startswith(said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("stages: [", "is no YAML"),
        ("{}", "has no list of stages"),
        ("stages: []", "has no list of stages"),
        ("stages: [vae]", "stage 1 of .* is no mapping of name, subcommand, config, overrides"),
        ("stages: [{config: vae_digits}]", "stage 1 of .* has no name"),
        ("stages: [{name: a-b, config: vae_digits}]", "is called a-b; a name has letters"),
        ("stages: [{name: model, config: vae_digits}]", "is called model; .* is none of data, model"),
        ("stages: [{name: vae}]", "stage 1 of .*, vae, has no config"),
        ("stages: [{name: vae, config: vae_digit}]", r"no configuration at vae_digit \(did you mean vae_digits"),
        ("stages: [{name: vae, config: vae_digits, overides: {}}]", r"key overides \(did you mean overrides\?\)"),
        ("stages: [{name: vae, config: vae_digits, overrides: [1]}]", "has overrides that are no mapping"),
        ("stages: [{name: vae, config: vae_digits, subcommand: train}]", "must be one of fit, validate, test"),
        ("stages: [{name: a, config: vae_digits}, {name: a, config: vae_digits}]", "two stages of .* are called a"),
        (
            "stages: [{name: vae, config: vae_digits}, {name: b, config: vae_digits, overrides: {model.x: '{vea}'}}]",
            r"stage b takes \{vea\}, which no earlier stage trains \(did you mean vae\?\); there are: root, vae",
        ),
        (
            "stages: [{name: a, subcommand: test, config: vae_digits, overrides: {ckpt_path: x}},"
            " {name: b, config: vae_digits, overrides: {data.x: ['{a}']}}]",
            r"stage b takes \{a\}, which no earlier stage trains",
        ),
    ],
)
def test_mistakes_of_a_file(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text(content)
    with pytest.raises(UserError, match=said):
        read_stages(path)


def test_options_are_those_of_a_stage_or_of_all_and_the_last_one_holds(file: str) -> None:
    stages = read_stages(Path(file))
    options = [("rnn.data.seed", "3"), ("data.seed", "1"), ("vae.data.seed", "2"), ("rnn.model.encoder", "{root}/x")]
    vae, rnn, *_ = with_options(stages, options)
    arguments = rnn.arguments({"vae": Path("v.ckpt")}, Path("here"))
    assert arguments[:2] == ["fit", f"--config={Path(file).parent / 'memory.yaml'}"]
    assert arguments[-2:] == ["--data.seed=1", "--model.encoder=here/x"]
    assert {"--data.encoder=v.ckpt", "--data.rollouts_dir=here/rollouts"} < set(arguments)
    assert "--data.seed=2" in vae.arguments({}, Path("here"))
    assert "--data.train_env_kwargs={max_steps: 5, world: r.ckpt}" in stages[2].arguments(
        {"rnn": Path("r.ckpt")}, Path()
    )


def test_what_a_run_is_made_of_is_what_it_takes_and_not_where_it_lies() -> None:
    def identity(folder: str = "a", content: str = "1", **changed: Any) -> str:
        config = {
            "model": {"class_path": "VAE", "init_args": {"encoder": f"{folder}/v.ckpt", "beta": 1.0}},
            "data": {"class_path": "Digits", "init_args": {"cache": f"{folder}/cache", "num_workers": 1, "seed": 0}},
            "trainer": {"max_epochs": 1, "default_root_dir": folder, "logger": None},
        }
        for name, value in changed.items():
            part, _, key = name.partition("_")
            (config[part].get("init_args") or config[part])[key] = value
        return identity_of(config, {f"{folder}/v.ckpt": content}, Path(folder))

    assert identity() == identity("b") == identity(data_num_workers=4) == identity(trainer_logger=False)
    others = [
        identity(content="2"),
        identity(model_beta=2.0),
        identity(data_seed=1),
        identity(trainer_max_epochs=2),
        identity(model_encoder="c/v.ckpt"),
    ]
    assert len({identity(), *others}) == 6


def test_a_record_that_is_not_whole_is_none(tmp_path: Path) -> None:
    assert read_record(tmp_path, "vae") is None
    StageRecord("x", True, {"val/loss": 0.5}).write(tmp_path, "vae")
    assert read_record(tmp_path, "vae") == StageRecord("x", True, {"val/loss": 0.5})
    for broken in ("", "[]", '{"identiy": 1}', "\udcff"):
        (tmp_path / "stage-vae.json").write_text(broken, errors="surrogateescape")
        assert read_record(tmp_path, "vae") is None


@pytest.mark.parametrize("path", sorted(config_root().glob(f"*/*/{FILE}")), ids=lambda path: path.parent.name)
def test_the_packages_pipelines_can_be_read(path: Path) -> None:
    name = path.parent.relative_to(config_root()).as_posix()
    for given in (name, str(path), str(path.parent)):
        assert find_pipeline(given).samefile(path)
    stages = read_stages(path)
    assert len(stages) > 1
    assert path.read_text().startswith("# foster F")
