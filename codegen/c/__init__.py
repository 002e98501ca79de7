"""Networks in C: one file for devices, and an extension of CPython."""
