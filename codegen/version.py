"""The version of the project, which generated files carry."""

__version__ = "0.1.0"
