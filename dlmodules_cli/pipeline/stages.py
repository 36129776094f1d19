"""A pipeline's stages, as its YAML and the command line say. Nothing here imports torch."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from dlmodules.errors import UserError
from dlmodules_cli.class_paths import nearest
from dlmodules_cli.configs import config_root, find_config

FILE = "pipeline.yaml"
"""A pipeline is ``<family>/<name>/pipeline.yaml`` in the folder of the configurations, or any file of this form."""
KINDS = ("fit", "validate", "test")
OF_ALL = ("data", "model", "seed_everything", "trainer")
"""An option that begins so is one of every stage."""
ROOT = "root"
"""``{root}`` is the folder of the runs."""
LAST = Path("checkpoints", "last.ckpt")
"""What a later stage takes, in a run folder."""
_KEYS = ("name", "subcommand", "config", "overrides")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Stage:
    """One command of a pipeline.

    Args:
        name: by which later stages take its checkpoint.
        config: a configuration, as ``--config`` takes it.
        subcommand: ``fit``, ``validate`` or ``test``.
        overrides: options without their dashes, such as ``model.latent_dim``, and their values. In a text ``{name}`` is
            the last checkpoint of an earlier stage, and ``{root}`` the folder of the runs.
    """

    name: str
    config: str
    subcommand: str = "fit"
    overrides: Mapping[str, Any] = field(default_factory=dict)

    def arguments(self, checkpoints: Mapping[str, Path], root: Path) -> list[str]:
        """Return the command line, with the checkpoints of the earlier stages."""
        filled = {name: str(path) for name, path in checkpoints.items()} | {ROOT: str(root)}
        options = [f"--{name}={_written(value, filled)}" for name, value in self.overrides.items()]
        # A further process would run the whole pipeline, and not its one stage.
        fixed = [f"--config={self.config}", f"--trainer.default_root_dir={root}", "--trainer.devices=1"]
        return [self.subcommand, *fixed, *options]

    def placeholders(self) -> list[str]:
        """Return the names in braces of its overrides."""
        return [name for text in _texts(self.overrides) for name in _PLACEHOLDER.findall(text)]


def find_pipeline(given: str) -> Path:
    """Return the file of a pipeline: a path of it or its folder, or such a name as ``world_models/dodge``.

    Raises:
        UserError: there is none.
    """
    for path in (Path(given), Path(given) / FILE, config_root() / given / FILE):
        if path.is_file():
            return path
    known = [path.parent.relative_to(config_root()).as_posix() for path in sorted(config_root().glob(f"*/*/{FILE}"))]
    raise UserError(f"there is no pipeline {given}{nearest(given, known)}; there are: {', '.join(known)}")


def read_stages(file: Path) -> list[Stage]:
    """Return the stages of a pipeline's file.

    Raises:
        UserError: it is of another form, or a name in braces is that of no earlier stage.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise UserError(f"{file} is no YAML: {error}") from error
    listed = content.get("stages") if isinstance(content, dict) else None
    if not isinstance(listed, list) or not listed:
        raise UserError(f"{file} has no list of stages")
    stages: list[Stage] = []
    for number, entry in enumerate(listed, 1):
        stage = _read_stage(f"stage {number} of {file}", entry)
        if stage.name in [earlier.name for earlier in stages]:
            raise UserError(f"two stages of {file} are called {stage.name}")
        beside = file.parent / stage.config
        stages.append(replace(stage, config=str(beside) if beside.is_file() else find_config(stage.config)))
    check_placeholders(stages)
    return stages


def _read_stage(where: str, entry: Any) -> Stage:
    if not isinstance(entry, dict):
        raise UserError(f"{where} is no mapping of {', '.join(_KEYS)}")
    for key in entry:
        if key not in _KEYS:
            raise UserError(
                f"{where} has an unknown key {key}{nearest(str(key), _KEYS)}; it may have: {', '.join(_KEYS)}"
            )
    name = str(entry.get("name") or "")
    if not name:
        raise UserError(f"{where} has no name")
    if not re.fullmatch(r"\w+", name) or name in (*OF_ALL, ROOT):
        raise UserError(
            f"{where} is called {name}; a name has letters, digits and underscores, and is none of"
            f" {', '.join((*OF_ALL, ROOT))}"
        )
    if not entry.get("config"):
        raise UserError(f"{where}, {name}, has no config")
    subcommand, overrides = entry.get("subcommand", "fit"), entry.get("overrides") or {}
    if subcommand not in KINDS:
        raise UserError(f"{where}, {name}, has the subcommand {subcommand}; it must be one of {', '.join(KINDS)}")
    if not isinstance(overrides, dict):
        raise UserError(f"{where}, {name}, has overrides that are no mapping of options to values")
    return Stage(name, str(entry["config"]), subcommand, overrides)


def check_placeholders(stages: Sequence[Stage]) -> None:
    """Raise UserError where a name in braces is that of no earlier stage that trains."""
    known = [ROOT]
    for stage in stages:
        for name in stage.placeholders():
            if name not in known:
                raise UserError(
                    f"stage {stage.name} takes {{{name}}}, which no earlier stage trains{nearest(name, known)}; there"
                    f" are: {', '.join(known)}"
                )
        if stage.subcommand == "fit":
            known.append(stage.name)


def with_options(stages: Sequence[Stage], options: Sequence[tuple[str, str]]) -> list[Stage]:
    """Return the stages with options of the command line: of ``vae.trainer.max_epochs`` it is that of stage ``vae``.

    Raises:
        UserError: one is of no stage.
    """
    names = [stage.name for stage in stages]
    found = {stage.name: dict(stage.overrides) for stage in stages}
    for option, value in options:
        owner, _, rest = option.partition(".")
        if owner in OF_ALL:
            chosen, key = names, option
        elif owner in names and rest:
            chosen, key = [owner], rest
        else:
            raise UserError(
                f"there is no option --{option}{nearest(owner, [*names, *OF_ALL, ROOT])}; begin it with a stage,"
                f" {', '.join(names)}, or with {', '.join(OF_ALL)} for all of them"
            )
        for name in chosen:
            found[name].pop(key, None)  # the last one of the command line holds
            found[name][key] = value
    changed = [replace(stage, overrides=found[stage.name]) for stage in stages]
    check_placeholders(changed)
    return changed


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _written(value: Any, filled: Mapping[str, str]) -> str:
    """Return a value as the command line has it, with names in braces filled in."""
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda match: filled[match[1]], value)
    dumped = yaml.safe_dump(_filled(value, filled), default_flow_style=True, width=10**6)
    return dumped.removesuffix("\n").removesuffix("\n...")


def _filled(value: Any, filled: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _written(value, filled)
    if isinstance(value, dict):
        return {key: _filled(part, filled) for key, part in value.items()}
    return [_filled(part, filled) for part in value] if isinstance(value, list) else value
