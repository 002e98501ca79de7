"""The report: a derivation, its numbers and its code as one page that stands alone."""
