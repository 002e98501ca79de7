"""The two ways in which the tool refuses."""


class InputError(ValueError):
    """Input that cannot be used: one line saying what was expected, what came, and what to do."""


class VerificationError(ArithmeticError):
    """A result that disagrees with numbers, and is therefore withheld."""
