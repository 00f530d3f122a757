"""Location of an object or a folder in a bucket: `s3://bucket/key` or `obs://bucket/key`."""

from __future__ import annotations

from dataclasses import dataclass

from src.config import UserError

SCHEMES = ("s3", "obs")


@dataclass(frozen=True)
class Location:
    """A bucket and a key without slashes at its ends; the key of the bucket itself is empty."""

    scheme: str
    bucket: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.key}"

    def __truediv__(self, name: str) -> Location:
        return Location(self.scheme, self.bucket, f"{self.prefix}{name}")

    @property
    def prefix(self) -> str:
        """Beginning of the keys inside this folder; with its slash, or `data` would take `data2/...` as well."""
        return f"{self.key}/" if self.key else ""

    @property
    def name(self) -> str:
        """Last part of the key."""
        return self.key.rpartition("/")[2]


def is_remote(text: str) -> bool:
    """Whether a setting names a place in a bucket instead of on this machine."""
    scheme, separator, _ = text.partition("://")
    return bool(separator) and scheme.lower() in SCHEMES


def parse_location(text: str, setting: str) -> Location:
    """The location that `setting` names; UserError without a bucket.

    Parsed by hand: `urlparse` would cut the key at # and ?, which are ordinary characters in it.
    """
    scheme, _, rest = text.partition("://")
    bucket, _, key = rest.partition("/")
    if not bucket:
        raise UserError(f"{setting}: {text} names no bucket: write {scheme}://BUCKET/FOLDER")
    return Location(scheme.lower(), bucket, key.strip("/"))
