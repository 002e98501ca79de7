"""The exit codes of the command; 0 is fine."""

CHECK_FAILED, WRONG_USAGE, WITHHELD = 1, 2, 3
