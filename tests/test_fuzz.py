"""Random expressions of the language against autograd; tests/fuzz.py runs longer."""

from __future__ import annotations

import fuzz
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_random_expressions(data: st.DataObject) -> None:
    asked = fuzz.question(lambda options: data.draw(st.sampled_from(list(options))))
    assert fuzz.outcome(asked) in ("right", "withheld", "refused", "not finite here", "singular")
