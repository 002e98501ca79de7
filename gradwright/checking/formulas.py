"""What was derived, as text, and in the code's own names."""

from __future__ import annotations

import re
from functools import lru_cache

from gradwright.checking.blaming import Root
from gradwright.checking.comparing import Judge
from gradwright.checking.settings import Setting
from symbolic.derivation import Gradient
from symbolic.formats.parts import source
from symbolic.names import text_name
from symbolic.printing import TextPrinter
from symbolic.program import Equation


def _equation(setting: Setting, ours: str) -> Equation | None:
    derivation = setting.reference.derivation
    for program in (derivation.program, setting.reference.split.program):
        for equation in program.equations:
            if equation.name == ours:
                return equation
    return None


def derived(setting: Setting, ours: str) -> str:
    """Return the formula of one of our quantities, as text; empty where there is none."""
    equation = _equation(setting, ours)
    return TextPrinter().equation(equation) if equation is not None else ""


def gradient_of(setting: Setting, ours: str) -> Gradient | None:
    """Return the derivation of a gradient."""
    for derivation in (setting.reference.derivation, setting.reference.split):
        found = derivation.by_name.get(ours.removeprefix("grad_"))
        if found is not None and ours.startswith("grad_"):
            return found
    return None


_RULES = {
    "transpose": ("⟨G, A M B⟩", "Aᵀ"), "operator": ("⟨G, A M B⟩", "Aᵀ"), "missing_sum": ("⟨G, A M B⟩", "1"),
    "activation_derivative": ("⊙",), "missing_factor": ("⊙",), "extra_factor": ("⊙",),
}


def rule_of(setting: Setting, ours: str, kind: str) -> str:
    """Return the step of a derivation that a kind of mistake breaks: its rule, and the line that it leads to."""
    gradient = gradient_of(setting, ours)
    if gradient is None or not gradient.steps:
        return ""
    marks = _RULES.get(kind, ())
    chosen = next((s for s in reversed(gradient.steps) if marks and any(m in s.rule.text for m in marks)),
                  gradient.steps[-1])
    printer = TextPrinter()
    where = source(chosen)
    return f"{printer.line(chosen.after)}, by {chosen.rule.text}" + (f" [{where}]" if where else "")


def said(ours: str) -> str:
    """Return our name of a quantity as text: ∇b₃, ŷ, 𝓛."""
    base = ours.removeprefix("grad_")
    name = {"loss": "𝓛", "y_hat": "ŷ"}.get(base, text_name(base))
    return f"∇{name}" if ours.startswith("grad_") else name


@lru_cache(maxsize=8)
def _code(setting: Setting) -> dict[str, str]:
    """Return the line of NumPy for each quantity."""
    from codegen.module import generate  # as rarely needed as it is large

    text = generate(setting.network, setting.reference.derivation)
    listing = text[text.index("def trace"):]
    return dict(re.findall(r"^    (\w+) = (.+?)(?:  # .*)?$", listing, re.MULTILINE))


def in_code(root: Root, judge: Judge) -> str:
    """Return the derived formula as a line of NumPy in the code's names; empty where one of them is not known."""
    setting = judge.setting
    scales = setting.scales
    if scales.parameters != scales.values or any(leaf.transposed or leaf.classes for leaf in judge.wiring.leaves):
        return ""
    text = _code(setting).get(root.ours, "")
    names = {j.ours: j.event.target for j in judge.judgements.values() if j.event.manner != "return"
             and j.verdict in ("right", "wrong") and j.event.index < root.event.index
             and j.event.index not in judge.partial}
    used = set(_QUANTITY.findall(text))
    free = set(re.findall(r"(?<![.\w])[A-Za-z_]\w*", text)) - used - {"np", "axis", "keepdims", "True"}
    if not text or not used <= set(names) or free or (scales.loss not in (1.0,) and root.ours.startswith("grad_a")):
        return ""
    return f"{root.event.target} = " + _QUANTITY.sub(lambda m: names[m[0]], text)


_QUANTITY = re.compile(r"\b(?:grad_)?(?:[Wabh]\d+|y_hat|[XY])\b")
