"""A family's panels as a W&B workspace."""

import json
from typing import Any

import wandb_workspaces.reports.v2 as blocks
import wandb_workspaces.workspaces as ws

from callbacks.run.run_summary import STEP
from dlmodules_cli.dashboard.panels import PANELS, Panels


def workspace_of(family: str, entity: str, project: str) -> Any:
    """Return the workspace: curves, pictures, and the table of the family's runs with the best on top."""
    panels = PANELS[family]
    runs: dict[str, Any] = {"filters": ws.And(ws.Tags().isin([family]))}
    if panels.best:
        lowest_first = panels.columns[0].endswith(".min")
        runs["pinned_columns"] = [f"summary:{column}" for column in panels.columns]
        runs["order"] = [ws.Ordering(ws.Summary(panels.columns[0]), ascending=lowest_first)]
    return ws.Workspace(
        entity=entity,
        project=project,
        name=f"dlmodules: {family}",
        sections=_sections(panels),
        settings=ws.WorkspaceSettings(x_axis=STEP),
        runset_settings=ws.RunsetSettings(**runs),
    )


def as_json(workspace: Any) -> str:
    """Return what would be saved, as JSON."""
    view = workspace._to_model()  # private, but the only way without a server; tests/cli/test_dashboard.py looks at it
    found = {
        "entity": view.entity,
        "project": view.project,
        "name": view.display_name,
        "spec": json.loads(view.spec.model_dump_json(by_alias=True, exclude_none=True)),
    }
    return json.dumps(found, indent=2)


def _sections(panels: Panels) -> list[Any]:
    curves = [blocks.LinePlot(title=_title(names), x=STEP, y=list(names)) for names in panels.curves]
    pictures = [blocks.MediaBrowser(title=name, media_keys=[name]) for name in panels.pictures]
    tables = [blocks.WeavePanelSummaryTable(table_name=name) for name in panels.tables]
    found = {"Curves": curves, "Pictures": pictures, "Tables": tables}
    return [ws.Section(name=name, panels=shown, is_open=True) for name, shown in found.items() if shown]


def _title(names: tuple[str, ...]) -> str:
    """Return ``loss`` for ``train/loss`` and ``val/loss``, and ``d_loss, g_loss`` for the two of ``train/``."""
    return ", ".join(dict.fromkeys(name.partition("/")[2] for name in names))
