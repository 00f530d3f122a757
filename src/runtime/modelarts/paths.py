"""Places of a ModelArts job: what is remote, and where it is on this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from src.config import Resolved, UserError
from src.config.reader import COMMAND_LINE
from src.runtime.storage import Location, is_remote, parse_location

PLATFORM_VARIABLES = ("MA_VJ_NAME", "MA_JOB_DIR", "BATCH_JOB_ID")  # one of these is set in every ModelArts container
PLATFORM_DISK = Path("/cache")  # the container's local disk
TRIAL_FOLDER = Path("modelarts")  # in the current folder, on any other machine


@dataclass(frozen=True)
class JobPaths:
    """Places of a job; a Location is None where the setting is empty or names a local path.

    Attributes:
        data, data_folder: the data set, and where it is here; no folder without data_url.
        checkpoint, checkpoint_file: the checkpoint to start from, and where it is here; no file without one.
        results, output_folder: train_url, and the folder of the results; no folder without train_url.
    """

    data: Location | None
    data_folder: Path | None
    checkpoint: Location | None
    checkpoint_file: Path | None
    results: Location | None
    output_folder: Path | None

    @classmethod
    def of(cls, resolved: Resolved) -> JobPaths:
        """The places that a configuration names."""
        cloud, config = resolved.config.cloud, resolved.config
        # ViG's data_url is an alias of dataset_path.
        data_url = cloud.data_url or (config.data.dataset_path if is_remote(config.data.dataset_path) else "")
        named = config.model.pretrained if is_remote(config.model.pretrained) else ""
        if named and cloud.checkpoint_url not in ("", named):
            raise UserError(f"pretrained {named} and checkpoint_url {cloud.checkpoint_url}: give one of them")
        checkpoint_url = named or cloud.checkpoint_url
        data, checkpoint, results = (
            parse_location(url, setting) if is_remote(url) else None
            for url, setting in (
                (data_url, "data_url"),
                (checkpoint_url, "checkpoint_url"),
                (cloud.train_url, "train_url"),
            )
        )
        return cls(
            data,
            _local(data, data_url, cloud.data_path, "data"),
            checkpoint,
            _local(checkpoint, checkpoint_url, cloud.load_path, "model"),
            results,
            _local(results, cloud.train_url, cloud.output_path, "output", own=False),
        )


def _local(place: Location | None, url: str, path: str, kind: str, own: bool = True) -> Path | None:
    """Where a place is here: itself if it is local, else `path`, else below the local disk (`own`: by its name)."""
    if place is None:
        return Path(url) if url else None
    if path:
        return Path(path)
    folder = _local_disk() / kind
    return folder / place.bucket / place.key if own else folder


def _local_disk() -> Path:
    return PLATFORM_DISK if on_platform() and PLATFORM_DISK.is_dir() else TRIAL_FOLDER.absolute()


def on_platform() -> bool:
    """Whether this is a container of ModelArts."""
    return any(os.environ.get(name) for name in PLATFORM_VARIABLES)


def job_id() -> str:
    """The job's id; "" without one."""
    return os.environ.get("MA_VJ_NAME") or os.environ.get("JOB_ID") or os.environ.get("BATCH_JOB_ID") or ""


def on_one_server() -> bool:
    """Whether all processes of the job run here, as far as the environment tells."""
    meeting = os.environ.get("MS_SCHED_HOST", "127.0.0.1")
    return os.environ.get("MA_NUM_HOSTS", "1") == "1" and meeting in ("127.0.0.1", "localhost")


def local_values(resolved: Resolved, paths: JobPaths, command: str) -> dict[str, str]:
    """{key: value} of the settings that name the job's local places."""
    values = {}
    if paths.data_folder is not None:
        values |= _data_values(resolved, paths.data_folder)
    if paths.checkpoint_file is not None:
        values["pretrained"] = resolved.config.model.pretrained
        if not values["pretrained"] or is_remote(values["pretrained"]):
            values["pretrained"] = str(paths.checkpoint_file)
    if paths.output_folder is not None:
        values |= _output_values(resolved, paths.output_folder, command)
    return values


def _data_values(resolved: Resolved, folder: Path) -> dict[str, str]:
    """dataset_path and eval_path inside the data's folder.

    A recipe names them below its data_path; one that names a place of another machine gives way to the whole folder.
    """
    config = resolved.config
    named = {"dataset_path": config.data.dataset_path, "eval_path": config.eval.eval_path}
    moved = {}
    for key, text in named.items():
        if config.cloud.data_path and text and Path(text).is_relative_to(config.cloud.data_path):
            moved[key] = str(folder / Path(text).relative_to(config.cloud.data_path))
        elif text and not is_remote(text) and resolved.origins.get(key) == COMMAND_LINE:
            moved[key] = text
        else:
            moved[key] = str(folder) if key == "dataset_path" else ""
    return moved


def _output_values(resolved: Resolved, folder: Path, command: str) -> dict[str, str]:
    config = resolved.config
    values = {"output_path": str(folder)}
    if command == "train":
        parent = Path(config.checkpoint.save_checkpoint_path)
        values["save_checkpoint_path"] = str(parent if parent.is_relative_to(folder) else folder)
        if "resume" not in resolved.given:
            values["resume"] = "auto"
    elif command == "eval":
        values["output"] = str(_inside(folder, config.output.output or "evaluation"))
    elif command == "export":
        values["file_name"] = str(_inside(folder, config.output.file_name or config.model.backbone))
    return values


def _inside(folder: Path, text: str) -> Path:
    """A path of the results: itself if it is inside the folder, else below it."""
    path = Path(text)
    return path if path.is_relative_to(folder) else folder / (path.name if path.is_absolute() else path)
