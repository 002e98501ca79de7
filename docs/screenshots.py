"""Take the pictures of the quiz's report that the README shows: `python docs/screenshots.py`.

Needs Playwright's Python package and a Chromium (CHROMIUM names one; Debian's is found). They show the machine's fonts,
so that nothing compares them byte by byte.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from codegen.evaluation import read_parameters, read_samples
from gradwright.examples import example
from gradwright.reporting.page import report_html
from symbolic.architecture import read_architecture

HERE = Path(__file__).resolve().parent
SIZES = {"wide": (1200, 1560, 1), "phone": (390, 844, 1.5)}
"""Width and height of the window, and dots for each of its pixels."""


def quiz() -> str:
    """Return the report of the quiz."""
    network = read_architecture(example("quiz/quiz.toml"))
    parameters, _ = read_parameters(network, example("quiz/parameters.npz"))
    return report_html(network, parameters, read_samples(network, example("quiz/data.npz")),
                       command="gradwright report quiz.toml --params parameters.npz --data data.npz -o quiz.html")


def main(folder: Path) -> None:
    """Write the pictures."""
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        report = Path(place, "report.html")
        report.write_text(quiz(), "utf-8")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for size, (width, height, dots) in SIZES.items():
            for scheme in ("light", "dark"):
                page = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=dots,
                                        color_scheme=scheme)
                page.goto(report.as_uri())
                page.evaluate("document.fonts.ready")
                if size == "phone":  # its first screen has little but the title
                    page.evaluate("document.documentElement.style.scrollBehavior = 'auto'")
                    page.evaluate("document.getElementById('grad-a3').scrollIntoView()")
                page.screenshot(path=folder / f"report-{size}-{scheme}.png")
                page.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "screenshots")
