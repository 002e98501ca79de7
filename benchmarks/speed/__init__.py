"""How fast the generated code is, beside its peers and the limit: `python -m benchmarks.speed`.

A workload is one row of `workloads.py`, a peer one class of `peers/` and its entry there, an aim one row of
`aims.py`. The command starts one process for each number of threads (`running.py`); in it (`child.py`) every
contender is checked against `reference.py` and then timed in turn (`measuring.py`).
"""
