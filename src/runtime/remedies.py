"""Remedies for what a process or its machine lacks: space, open files, memory."""

from __future__ import annotations

import errno

_OF_MEMORY = "lower --batch_size or --eval_batch_size, or end other programs"
_OF_ERRNO = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free some space"),
    errno.EFBIG: "allow larger files (ulimit -f), or use another drive",
    errno.ENAMETOOLONG: "give a shorter name",
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "allow more open files (ulimit -n)"),
    errno.ENOMEM: _OF_MEMORY,
}
# Words of the framework's RuntimeErrors, in lower case, and all that one says, the framework's or Python's, when no
# thread can be started, which needs memory.
_OUT_OF_MEMORY = ("memory isn't enough", "memory not enough", "allocate memory failed", "out of memory")
_NO_THREAD = ("resource temporarily unavailable", "can't start new thread")


def remedy_for(error: Exception) -> str | None:
    """What the user can do about the lack of which an error tells; None if it tells of none."""
    if isinstance(error, OSError):
        return _OF_ERRNO.get(error.errno)
    return _OF_MEMORY if _lacks_memory(error) else None


def _lacks_memory(error: Exception) -> bool:
    """Whether the memory of the machine or of the device is full."""
    if isinstance(error, RuntimeError):
        text = str(error).strip().lower()
        return text in _NO_THREAD or any(words in text for words in _OUT_OF_MEMORY)
    return isinstance(error, MemoryError)
