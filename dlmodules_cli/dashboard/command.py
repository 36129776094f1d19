"""The command: its options, and where the workspace goes. Nothing here imports torch."""

import os
from importlib.util import find_spec

from jsonargparse import ArgumentParser

from callbacks.run.wandb_mode import wandb_is_online
from dlmodules.errors import UserError, first_line
from dlmodules_cli.class_paths import nearest
from dlmodules_cli.commands import program, show
from dlmodules_cli.dashboard.panels import PANELS
from dlmodules_cli.messages import OneLineErrors


class DashboardParser(OneLineErrors, ArgumentParser):
    """The parser of the command."""


def dashboard(args: list[str]) -> None:
    """Build the workspace of a family, and save it where there is an API key; otherwise print it.

    Raises:
        UserError: there is no such family, a package is missing, or the server does not take it.
    """
    parser = DashboardParser(
        prog=f"{program()} dashboard",
        description="Build a W&B workspace with the curves, pictures and best runs of a family of systems. With an API"
        " key it is saved in the project; without, it is printed as JSON.",
        allow_abbrev=False,
    )
    parser.add_argument("family", type=str | None, nargs="?", help=f"One of {', '.join(PANELS)}.")
    parser.add_argument(
        "--project", type=str, default=os.environ.get("WANDB_PROJECT", "dlmodules"), help="The project of the runs."
    )
    parser.add_argument(
        "--entity",
        type=str | None,
        default=os.environ.get("WANDB_ENTITY"),
        help="The user or team that the project is of; by default that of the key.",
    )
    chosen = parser.parse_args(args)
    family = chosen.family
    if family not in PANELS:
        named = f"no family {family!r}{nearest(family, PANELS)}" if family else "no family given"
        raise UserError(f"{named}; there are: {', '.join(PANELS)}")
    if find_spec("wandb_workspaces") is None:
        raise UserError("dashboard needs wandb-workspaces: pip install wandb-workspaces")
    from dlmodules_cli.dashboard.workspace import as_json, workspace_of

    if not wandb_is_online():
        show(as_json(workspace_of(family, chosen.entity or "", chosen.project)))
        return
    import wandb

    try:
        workspace = workspace_of(family, chosen.entity or wandb.Api().default_entity or "", chosen.project)
        workspace.save()
    except Exception as error:  # of many types, by what the server or the connection does
        raise UserError(f"W&B did not take the workspace: {first_line(error)}") from error
    show(f"saved {workspace.url}")
