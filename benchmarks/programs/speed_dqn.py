"""Environment steps per second of an agent against one of stable-baselines3, processes in turn."""

import json
import time
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.context import Context, in_turn, run_command, speed_record
from benchmarks.programs.speed_epoch import timed_fit
from benchmarks.record import Record
from benchmarks.row import Row

QUICK_STEPS = 3000


def measure(row: Row, seed: int, context: Context) -> Record:
    """Compare environment steps per second; both sides' last training returns show that both learn.

    The option ``peer`` is the configuration whose settings stable-baselines3's agent has, without it that of the row;
    ``peers`` the module below ``benchmarks.peers`` that trains it, without it that of DQN.
    """
    begin = time.perf_counter()
    steps: int = QUICK_STEPS if context.quick else row.options["steps"]
    returns: dict[str, list[float]] = {"ours": [], "stable-baselines3": []}

    def ours() -> float:
        args = ["--config", str(row.config), "--data.init_args.seed", str(seed)]
        args += ["--data.init_args.total_steps", str(steps)]
        times = timed_fit(row, seed, context, args, epochs=None)
        returns["ours"].append(fmean(times["returns"]))
        return steps / sum(times["fit"])

    def theirs() -> float:
        folder = context.folder(row, seed)
        result = Path(folder, "sb3.json").resolve()
        config = row.options.get("peer", row.config)
        program = f"benchmarks.peers.{row.options.get('peers', 'sb3_dqn')}"
        args = ["-m", program, str(config), str(result), str(seed), str(steps)]
        run_command(args, context, folder / "log.txt", DLMODULES_KEEP_FREED_MEMORY="1")
        found: dict[str, Any] = json.loads(result.read_text())
        returns["stable-baselines3"].append(found["return"])
        return float(found["steps"] / found["seconds"])

    pairs = in_turn(context, ours, theirs)
    details = {"mean_return_of_last_100_training_episodes": returns}
    return speed_record(row, seed, begin, pairs, details, steps=steps)
