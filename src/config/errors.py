"""The user's mistakes, as one type."""


class UserError(Exception):
    """A mistake of the user: one line that names the thing, where it stands and the remedy. Ends with exit code 2."""
