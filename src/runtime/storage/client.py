"""Client of an S3 service, made from the job's environment."""

from __future__ import annotations

import os
from typing import Any

from src.config import UserError
from src.runtime.storage.location import Location

MAX_THREADS = 16  # transfers at a time
ATTEMPTS = 5  # of one request, by the client itself
CONNECT_TIMEOUT, READ_TIMEOUT = 20, 60  # seconds
OBS_DOMAIN = "myhuaweicloud"
# Variables of the access key, the secret key and the session token; the first complete pair counts.
CREDENTIALS = (
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SECURITY_TOKEN"),
)
_FALSE = {"0", "false", "no", "off"}


def connect(*places: Location) -> Any:
    """An S3 client for some places, which threads may share.

    Endpoint: S3_ENDPOINT, also without a scheme (https unless S3_USE_HTTPS=0; certificates are checked unless
    S3_VERIFY_SSL=0), else boto3's own AWS_ENDPOINT_URL_S3. Credentials: see `CREDENTIALS`, else boto3's own chain.

    Raises:
        UserError: boto3 is not installed, the endpoint is not valid, or it cannot serve the bucket of a place.
    """
    try:
        import boto3
        from botocore.config import Config as ClientConfig
    except ImportError:
        raise UserError("s3:// and obs:// locations need boto3: pip install boto3") from None
    endpoint = _endpoint()
    addressing = _addressing(endpoint)
    for place in places:
        if addressing == "virtual" and "." in place.bucket:
            raise UserError(f"{place}: OBS serves no bucket with a dot in its name in this way: use another bucket")
    settings = ClientConfig(
        signature_version="s3v4",
        s3={"addressing_style": addressing},
        retries={"max_attempts": ATTEMPTS, "mode": "standard"},
        max_pool_connections=4 * MAX_THREADS,
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        # The newer default sends checksums that S3-compatible services refuse.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    try:
        return boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint,
            region_name=_region(endpoint),
            verify=False if _is_off("S3_VERIFY_SSL") else None,
            config=settings,
            **_credentials(),
        )
    except ValueError as error:  # "Invalid endpoint: ..."
        raise UserError(f"S3_ENDPOINT: {error}: give a host like obs.cn-north-4.myhuaweicloud.com") from None


def _is_off(variable: str) -> bool:
    return os.environ.get(variable, "").lower() in _FALSE


def _endpoint() -> str | None:
    host = os.environ.get("S3_ENDPOINT", "").strip()
    if not host:
        return None
    return host if "://" in host else f"{'http' if _is_off('S3_USE_HTTPS') else 'https'}://{host}"


def _addressing(endpoint: str | None) -> str:
    """OBS refuses a bucket in the path; other services, reached by an address, often know no other way."""
    return "virtual" if OBS_DOMAIN in (endpoint or os.environ.get("AWS_ENDPOINT_URL_S3", "")) else "auto"


def _region(endpoint: str | None) -> str | None:
    """The region in OBS' host name; elsewhere the environment's, if any."""
    host = (endpoint or "").partition("://")[2]
    if OBS_DOMAIN in host:
        return host.split(".")[1]
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def _credentials() -> dict[str, str]:
    """boto3's arguments; {} leaves the search to boto3. Never logged."""
    for access, secret, token in CREDENTIALS:
        if os.environ.get(access) and os.environ.get(secret):
            return {
                "aws_access_key_id": os.environ[access],
                "aws_secret_access_key": os.environ[secret],
                "aws_session_token": os.environ.get(token) or None,
            }
    return {}
