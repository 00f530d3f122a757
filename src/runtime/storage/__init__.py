"""Object storage by the S3 protocol (OBS, S3, MinIO): locations, a client, and transfers of files and folders."""

from src.runtime.storage.client import connect
from src.runtime.storage.listing import RemoteFile, list_files
from src.runtime.storage.location import Location, is_remote, parse_location
from src.runtime.storage.transfers import download_file, download_tree, make_folder, upload_files, upload_tree

__all__ = [
    "Location",
    "RemoteFile",
    "connect",
    "download_file",
    "download_tree",
    "is_remote",
    "list_files",
    "make_folder",
    "parse_location",
    "upload_files",
    "upload_tree",
]
