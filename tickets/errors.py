"""What an action refuses, and why. Each surface turns these into its own form: form error, problem, fault."""


class ActionRefused(Exception):
    """The action was not done and nothing was changed. `str()` tells a person what to do.

    `code` is stable and part of the APIs' contract.
    """

    code = "refused"


class InvalidInput(ActionRefused):
    """A value is missing, malformed or too large."""

    code = "invalid"


class TransitionRefused(ActionRefused):
    """Not allowed in this phase or status; the text names what is."""

    code = "transition"


class Conflict(ActionRefused):
    """Somebody else changed the record since it was read."""

    code = "conflict"
