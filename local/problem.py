"""Problems of the command line, as sentences."""


class Problem(Exception):
    """Something that the user can act on: printed without a traceback, with exit status 1."""


class Misused(Problem):
    """The command line is wrong: exit status 2."""
