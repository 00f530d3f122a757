"""Configuration of a ModelArts job with its remote places fetched and replaced by local ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from src.config import Resolved, UserError
from src.config.reader import COMMAND_LINE
from src.runtime.modelarts.fetch import fetch
from src.runtime.modelarts.once import once_per_server
from src.runtime.modelarts.paths import JobPaths, job_id, local_values
from src.runtime.storage import is_remote

BOOT_FILES = ("train", "eval", "export")


def localised(resolved: Resolved, command: str, read_with: Callable[[str], Resolved]) -> Resolved:
    """The configuration of a job whose data, checkpoint and earlier results are on this machine.

    Local paths stay as they are: the platform may have fetched the data itself, and may upload the results.

    Args:
        read_with: reads the configuration anew with a local checkpoint, from which it may come.

    Raises:
        UserError: the command is no boot file; a wrong place, no permission, no space.
        RemoteFault: the service failed.
    """
    if command not in BOOT_FILES:
        allowed = ", ".join(f"{name}.py" for name in BOOT_FILES)
        raise UserError(f"enable_modelarts ({resolved.origins['enable_modelarts']}): only for {allowed}")
    paths = JobPaths.of(resolved)
    fetched = _fetch_once(resolved, paths, command)
    checkpoint = paths.checkpoint_file
    if checkpoint is not None and (not resolved.config.model.pretrained or is_remote(resolved.config.model.pretrained)):
        resolved = read_with(str(checkpoint))
    values = local_values(resolved, paths, command)
    notes = [*fetched, *(f"ModelArts job: {key} {value}" for key, value in values.items() if value)]
    return replace(
        resolved,
        config=resolved.config.with_values(**values),
        notes=(*resolved.notes, *notes),
        origins={**resolved.origins, **dict.fromkeys(values, COMMAND_LINE)},
        changed={**resolved.changed, **values},
    )


def _fetch_once(resolved: Resolved, paths: JobPaths, command: str) -> list[str]:
    """Fetch what is remote, in one process of this server; returns lines for the log."""
    remote = (paths.data, paths.checkpoint, paths.results)
    if not any(remote):
        return []
    run, resume = _results_place(resolved, local_values(resolved, paths, command), command)
    local = (paths.data_folder, paths.checkpoint_file, paths.output_folder)
    fetched = once_per_server([job_id(), *map(str, remote + local)], lambda: fetch(paths, run, resume))
    return [fetched] if fetched else []


def _results_place(resolved: Resolved, values: dict[str, str], command: str) -> tuple[Path | None, str]:
    """The folder of the results before it is numbered (None: no folder of their own), and `resume`."""
    config = resolved.config
    if command == "train" and "save_checkpoint_path" in values:
        resume = values.get("resume", config.checkpoint.resume)
        return Path(values["save_checkpoint_path"]) / (config.run.name or resolved.recipe), resume
    return (Path(values["output"]), "") if "output" in values else (None, "")
