"""What ends a command with one line instead of a traceback."""


class UserError(Exception):
    """A mistake of the user: one line that names the thing, where it stands and the remedy. Ends with exit code 2."""


class Standstill(Exception):
    """Something outside the program does not answer: one line that names it. Ends with exit code 1.

    A thread may still wait for it, so the process ends without waiting for its threads.
    """
