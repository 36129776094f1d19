"""What holds for all tests: no dashboards, no left-over run folder, one torch thread a process."""

import os

os.environ["WANDB_MODE"] = "disabled"
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
