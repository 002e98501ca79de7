"""The page and its API: expressions, architectures and hand-written code, answered in worker processes."""
