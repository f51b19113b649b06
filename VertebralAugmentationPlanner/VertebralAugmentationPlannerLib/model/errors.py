"""What can stop a plan."""


class InputError(ValueError):
    """The input cannot be used. The message is one sentence: what is wrong and what to do."""


class PlanningCancelled(Exception):
    """The caller's ``should_cancel`` answered true; nothing was written."""
