"""Processor seconds of training until an agent reaches a return, against stable-baselines3, processes in turn."""

import json
import time
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.context import Context, in_turn, run_command, speed_record
from benchmarks.record import Record
from benchmarks.row import Row


def measure(row: Row, seed: int, context: Context) -> Record:
    """Compare seconds until 20 episodes without exploration have a mean return of the option ``until``.

    Each pair has a seed of its own. A run that does not get there counts with all its seconds, and the record says so.
    """
    begin = time.perf_counter()
    folder = context.folder(row, seed)
    result = Path(folder, "until.json").resolve()
    until, every, steps = (str(row.options[name]) for name in ("until", "every", "steps"))
    seeds = {"ours": count(seed), "stable-baselines3": count(seed)}
    reached: dict[str, list[bool]] = {side: [] for side in seeds}
    taken: dict[str, list[int]] = {side: [] for side in seeds}

    def seconds(side: str, args: list[str], **environment: str) -> float:
        run_command(args, context, folder / "log.txt", DLMODULES_KEEP_FREED_MEMORY="1", **environment)
        found: dict[str, Any] = json.loads(result.read_text())
        reached[side].append(found["reached"])
        taken[side].append(found["steps"])
        return float(found["seconds"])

    def ours() -> float:
        number = str(next(seeds["ours"]))
        args = ["train.py", "fit", "--config", str(row.config), "--seed_everything", number]
        args += ["--data.init_args.seed", number, "--data.init_args.eval_episodes", "20"]
        args += ["--data.init_args.steps_per_epoch", every, "--trainer.default_root_dir", str(folder)]
        args += ["--trainer.callbacks=benchmarks.instruments.until.Until", f"--trainer.callbacks.until={until}"]
        return seconds("ours", [*args, f"--trainer.callbacks.result={result}"])

    def theirs() -> float:
        number = str(next(seeds["stable-baselines3"]))
        args = ["-m", "benchmarks.peers.sb3_on_policy", str(row.config), str(result), number, steps, until, every]
        return seconds("stable-baselines3", args)

    pairs = in_turn(context, ours, theirs)
    return speed_record(row, seed, begin, pairs, {"reached": reached, "environment_steps": taken})
