"""Reads hand-written backpropagation, compares it line by line with what is derived, and names the wrong line."""
