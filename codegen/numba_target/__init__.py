"""The numba target: loops that numba compiles when they are first called, for those without a C compiler."""
