"""What can go wrong on the command line, as a sentence."""


class Problem(Exception):
    """Something that the user can act on: printed alone, with exit status 1."""


class Misused(Problem):
    """The words of a command make no sense: exit status 2."""
