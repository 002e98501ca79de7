"""Names that people give to inputs, labels and weights."""

from __future__ import annotations

import re

_BEFORE, _AFTER = r"(?:^|[._'\"])", r"(?:$|['\"\]\[])"
INPUT = re.compile(_BEFORE + r"(?:x|xs|inputs?|data|features|x_?(?:train|batch|b|mb|data|in|norm)|a0|h0|z0|images?|"
                   r"samples)"
                   + _AFTER, re.IGNORECASE)
LABEL = re.compile(_BEFORE + r"(?:y|ys|t|targets?|labels?|truth|y_?(?:train|batch|b|mb|true|onehot|one_hot|enc|oh)|"
                   r"one_?hot\w*|e_?y|d)" + _AFTER, re.IGNORECASE)
WEIGHT = re.compile(_BEFORE + r"(?:w|ws|weights?|theta|kernel|u|v)(?:_?\d+)?"
                    r"(?:_?(?!al(?:id)?\b|est\b)[a-z]{1,3})?" + _AFTER, re.IGNORECASE)


def called_input(name: str) -> bool:
    """Say whether a name is one that people give to inputs."""
    return bool(INPUT.search(name) or re.fullmatch(r"[xX]_?(?:te|tr|test|val|valid|dev|te?st)\w*", name))


def called_label(name: str) -> bool:
    """Say whether a name is one that people give to labels."""
    return name != "d" and bool(LABEL.search(name) or re.fullmatch(r"[yYtT]_?(?:te|tr|test|val|valid|dev)\w*", name))
