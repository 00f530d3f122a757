"""Errors of transfers, each told in one line: the user's mistakes and the service's faults."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from src.config import RemoteFault, UserError
from src.runtime.storage.location import Location

_NO_CREDENTIALS = (
    "no credentials found: set ACCESS_KEY_ID and SECRET_ACCESS_KEY (or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) "
    "in the job's environment"
)
_MISTAKES = {
    "NoSuchBucket": "no such bucket: check its name and S3_ENDPOINT",
    "InvalidBucketName": "not a valid bucket name: check it",
    "NoSuchKey": "no such object: check the path",
    "404": "no such object: check the path",
    "AccessDenied": "no permission: check the credentials and the bucket's policy",
    "403": "no permission: check the credentials and the bucket's policy",
    "InvalidAccessKeyId": "the access key is not known: check the credentials",
    "SignatureDoesNotMatch": "the secret key is wrong: check the credentials",
    "ExpiredToken": "the security token has expired: get new credentials",
    "InvalidToken": "the security token is not valid: check the credentials",
    "PermanentRedirect": "the bucket is in another region: set S3_ENDPOINT to that region's",
    "AuthorizationHeaderMalformed": "the bucket is in another region: set S3_ENDPOINT to that region's",
    "VirtualHostDomainRequired": "the service wants the bucket in the host name: set S3_ENDPOINT to OBS' host name",
}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}
_IN_THE_WAY = {errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG}


@contextmanager
def remote_errors(place: Location, local: Path | None = None) -> Iterator[None]:
    """Context that tells errors of a transfer between `place` and `local` in one line.

    Raises:
        UserError: wrong bucket, key or credentials, no permission; no space or no permission at `local`.
        RemoteFault: the service failed, refused or was not reached.
    """
    from boto3.exceptions import Boto3Error
    from botocore import exceptions as boto
    from urllib3.exceptions import HTTPError

    try:
        yield
    except boto.ClientError as error:
        raise _of_answer(place, error.response) from None
    except (boto.NoCredentialsError, boto.PartialCredentialsError, boto.ProfileNotFound):
        raise UserError(f"{place}: {_NO_CREDENTIALS}") from None
    except boto.ParamValidationError:
        raise UserError(f"{place}: {_MISTAKES['InvalidBucketName']}") from None
    except boto.SSLError as error:
        raise RemoteFault(f"{place}: {error} (S3_VERIFY_SSL=0 accepts any certificate)") from None
    except boto.EndpointConnectionError as error:
        raise RemoteFault(f"{place}: not reached at {error.kwargs['endpoint_url']}: check S3_ENDPOINT") from None
    except (boto.BotoCoreError, Boto3Error, HTTPError, ConnectionError, TimeoutError) as error:
        raise RemoteFault(f"{place}: {_one_line(error)}") from None
    except OSError as error:
        raise _of_disk(local, error) from None


def _of_answer(place: Location, response: dict) -> Exception:
    code = str(response.get("Error", {}).get("Code", ""))
    if code in _MISTAKES:
        return UserError(f"{place}: {_MISTAKES[code]}")
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", "")
    message = response.get("Error", {}).get("Message", "")
    return RemoteFault(f"{place}: the service answered {status} {code}: {_one_line(message)}")


def _of_disk(local: Path | None, error: OSError) -> Exception:
    if error.errno in _FULL:
        return UserError(f"{local}: no space left: choose a larger disk (data_path, output_path, load_path)")
    if error.errno in _READ_ONLY:
        return UserError(f"{local}: {error.strerror}: choose another folder (data_path, output_path, load_path)")
    if error.errno in _IN_THE_WAY:
        return UserError(f"{local}: {error.strerror}: rename it in the bucket, or empty the local folder")
    return error


def _one_line(text: object) -> str:
    return " ".join(str(text).split())
