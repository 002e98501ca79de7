// Mathematics: by KaTeX where the server has it, otherwise LaTeX as it is written.

import { el } from "./dom.js";

let ready = Promise.resolve(false);

/** Load KaTeX; formulas shown before it is there are set once it is. */
export function loadMathematics() {
  ready = new Promise((resolve) => {
    document.head.append(
      el("link", { rel: "stylesheet", href: "/katex/katex.min.css" }),
      el("script", { src: "/katex/katex.min.js", onload: () => resolve(true), onerror: () => resolve(false) }));
  });
}

/** Return an element that shows LaTeX. */
export function math(latex, display = false) {
  const place = el("span", { class: display ? "math display" : "math" });
  place.textContent = window.katex ? "" : latex;
  place.dataset.latex = latex;
  if (window.katex) set(place, latex, display);
  else ready.then((there) => there && set(place, latex, display));
  return place;
}

function set(place, latex, display) {
  window.katex.render(latex, place, {
    displayMode: display, throwOnError: false, trust: false, strict: "ignore", maxExpand: 1000, maxSize: 50,
  });
}
