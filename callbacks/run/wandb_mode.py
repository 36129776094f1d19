"""Whether W&B is online, offline or off; asked without torch by the command line too."""

import contextlib
import netrc
import os
from urllib.parse import urlparse


def wandb_is_online() -> bool:
    """Whether an API key is configured: then runs are sent to the server, else kept in the run folder."""
    if os.environ.get("WANDB_MODE"):
        return os.environ["WANDB_MODE"] == "online"
    if os.environ.get("WANDB_API_KEY"):
        return True
    host = urlparse(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname or ""
    with contextlib.suppress(OSError, netrc.NetrcParseError):
        return netrc.netrc().authenticators(host) is not None
    return False


def wandb_mode() -> str:
    """Return what ``$WANDB_MODE`` says; without, ``online`` where an API key is configured, else ``offline``."""
    return os.environ.get("WANDB_MODE") or ("online" if wandb_is_online() else "offline")
