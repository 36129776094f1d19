"""What is answered at once, without torch; and how commands, configurations and checkpoints may be written."""

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from dlmodules.errors import UserError
from dlmodules_cli.commands import COMMANDS, overview
from dlmodules_cli.early import resolved
from dlmodules_cli.main import main
from dlmodules_cli.runs import newest_checkpoint
from dlmodules_cli.systems import systems

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 1.0
PROGRAM = """
import sys
from dlmodules_cli.main import main
try:
    main(sys.argv[1:])
finally:
    print("with torch" if "torch" in sys.modules else "without torch", file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("", 0, "python train.py explore --ckpt_path"),
        ("--help", 0, "python train.py explore --ckpt_path"),
        ("sample --help", 0, "--traverse"),
        ("export --help", 0, "--output"),
        ("explore --help", 0, "--attributes"),
        ("play --help", 0, "--opponent"),
        ("play --games 3", 2, "--games is 3; it must be 1, or an even number"),
        ("play no.ckpt", 2, "there is no checkpoint no.ckpt"),
        ("pipeline --help", 0, "--root"),
        ("pipeline", 2, "pipeline must be given a name or a file first"),
        ("pipeline world_models/dodgy", 2, "(did you mean world_models/dodge"),
        ("pipeline world_models/dodge --vea.model.beta 1", 2, "(did you mean vae?)"),
        ("dashboard --help", 0, "--entity"),
        ("dashboard", 2, "no family given; there are: autoencoders, "),
        ("dashboard vae", 2, "no family 'vae' (did you mean vaes"),
        ("systems", 0, "vae_digits"),
        ("systems --long", 0, "configs/vaes/vae_digits.yaml"),
        ("fti", 2, "did you mean fit?"),
        ("fit --config vae_digit", 2, "(did you mean vae_digits"),
        ("fit --model VEA --data DigitsDataModule", 2, "there is no class VEA (did you mean VAE?)"),
        ("fit --model dlmodules.VEA", 2, "there is no class dlmodules.VEA (did you mean VAE?)"),
        ("fit --model VAE --data=DigitDataModule", 2, "did you mean DigitsDataModule"),
        ("fit --model VAE", 2, "--data must be given, such as --data DigitsDataModule; or a --config, such as"),
        ("fit --model DQN", 2, "such as --data EnvironmentDataModule; or a --config, such as dqn_cartpole"),
        ("test --model TextClassifier", 2, "such as --data IMDBDataModule; or a --config, such as text_dense_imdb"),
        ("fit --data DigitsDataModule", 2, "--model must be given, such as --model VAE; or a --config, such as"),
        ("fit", 2, "--data and --model must be given, such as --model VAE --data DigitsDataModule; or a --config"),
        ("fit --config vae_digits --ckpt_path no.ckpt", 2, "there is no checkpoint no.ckpt"),
        ("sample --ckpt_path no.ckpt --output out", 2, "there is no checkpoint no.ckpt"),
        ("sample --outptu out", 2, "there is no option outptu"),
        ("export no.ckpt --output mlp.onnx", 2, "there is no checkpoint no.ckpt"),
        ("explore last", 2, "--ckpt_path last: there is no checkpoint runs/*/version_*/checkpoints/last.ckpt"),
    ],
)
def test_it_answers_without_torch_within_a_second(arguments, code, said, tmp_path):
    script = tmp_path / "train.py"
    script.write_text(PROGRAM)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, str(script), *arguments.split()],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == code, done.stderr
    assert said in (done.stderr if code else done.stdout)
    assert done.stderr.endswith("without torch\n")
    assert "Traceback" not in done.stderr
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime <= SECONDS


def test_the_overview_has_each_command_with_an_example_that_parses(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/dlmodules"])
    text = overview()
    assert list(COMMANDS) == [
        "fit",
        "validate",
        "test",
        "predict",
        "sample",
        "score",
        "translate",
        "export",
        "explore",
        "play",
        "pipeline",
        "dashboard",
        "systems",
    ]
    for name, command in COMMANDS.items():
        assert re.search(rf"^  {name} +\w", text, re.MULTILINE)
        assert f"dlmodules {name} {command.example}\n" in text
    for name in ("fit", "validate", "test", "predict"):
        with pytest.raises(SystemExit) as stop:
            main([name, *COMMANDS[name].example.replace("--ckpt_path best", "").split(), "--print_config"])
        assert stop.value.code == 0


def test_systems_are_a_line_each_and_found_by_words(capsys):
    main(["systems"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [[system.family, system.name] for system in systems()]
    main(["systems", "GAN", "cpu"])
    names = {line.split()[1] for line in capsys.readouterr().out.splitlines()}
    assert {"DCGAN", "WGAN"} < names
    assert not names & {"VAE", "GAN", "ConvDBN"}
    main(["systems", "vae", "digits"])
    assert capsys.readouterr().out.split() == ["vaes", "VAE", "vae_digits"]
    main(["systems", "goodfellow"])
    assert "GAN" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["systems", "vea"])
    assert "no system has the words 'vea' (did you mean VAE" in capsys.readouterr().err


def test_a_reader_that_wants_no_more_is_no_mistake():
    command = f"set -o pipefail; {sys.executable} train.py systems --long | true; {sys.executable} train.py | true"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)


def test_a_configuration_may_be_named_in_three_ways():
    path = str(ROOT / "configs" / "vaes" / "vae_digits.yaml")
    for words in (
        ["--config", "vae_digits"],
        ["--config=vae_digits"],
        ["vae_digits"],
        ["configs/vaes/vae_digits.yaml"],
    ):
        found = resolved(["fit", *words, "--model", "VAE"])[1:]
        assert found[-2:] == ["--model", "dlmodules.VAE"]
        assert Path(re.split("[ =]", " ".join(found[:-2]))[1]).resolve() == Path(path)


def test_options_are_not_abbreviated(capsys):
    for command in (["fit", "vae_digits", "--conf", "x.yaml"], ["sample", "--ckpt", "x", "--output", "y"]):
        with pytest.raises(SystemExit) as stop:
            main(command)
        assert stop.value.code == 2
        assert re.search(r"there is no option (conf|ckpt)|must be given", capsys.readouterr().err)


def test_a_checkpoint_may_be_a_folder_or_the_newest(tmp_path):
    for number, (run, name) in enumerate([("a", "best"), ("a", "last"), ("b", "last")]):
        path = tmp_path / run / "version_0" / "checkpoints" / f"{name}.ckpt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (number, number))
    best, last, other = (tmp_path / end for end in (
        "a/version_0/checkpoints/best.ckpt", "a/version_0/checkpoints/last.ckpt", "b/version_0/checkpoints/last.ckpt"
    ))  # fmt: skip
    assert newest_checkpoint(str(last)) == last
    assert newest_checkpoint(str(tmp_path / "a" / "version_0")) == best
    assert newest_checkpoint(str(tmp_path / "a")) == best
    assert newest_checkpoint(str(tmp_path / "b" / "version_0")) == other
    assert newest_checkpoint("last", tmp_path) == other
    assert newest_checkpoint("best", tmp_path) == best
    assert resolved(["fit", "--ckpt_path", str(tmp_path / "a")])[-1] == str(last)
    assert resolved(["test", "--ckpt_path", str(tmp_path / "a")])[-1] == str(best)
    with pytest.raises(UserError, match="there is no checkpoint"):
        newest_checkpoint(str(tmp_path))


def test_the_listing_reads_what_the_classes_say():
    for system in systems():
        doc = system.module.__doc__ or ""
        assert system.module.__module__.split(".")[1] == system.family
        assert system.paper.split()[0] in doc
