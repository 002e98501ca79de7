"""The numpy-workspace target: NumPy without an allocation in a step."""
