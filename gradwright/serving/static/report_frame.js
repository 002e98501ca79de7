// The report of a network, live in a frame. Each change asks for a new page; once that is there it takes the place of
// the old one, at the spot where its reader was.

import { el } from "./dom.js";

let count = 0;
let shown = null;
let spot = null; // what the frame that is shown said last of its reader; it is only ever given back

window.addEventListener("message", (event) => {
  if (shown && event.source === shown.contentWindow) spot = event.data;
});

/** Ask for the report of an architecture, and show it in a box; `ready` is called once it is there. */
export function showReport(box, architecture, ready) {
  for (const coming of box.querySelectorAll(".coming")) coming.remove(); // which gives it up
  const frame = el("iframe", { class: "report coming", name: `report-${++count}`, title: "The report", sandbox: "allow-scripts",
    allow: "clipboard-write" });
  box.append(frame); // an empty page, of which there is a load event at once
  frame.addEventListener("load", () => {
    if (spot) frame.contentWindow.postMessage(spot, "*");
    frame.classList.remove("coming");
    shown?.remove();
    shown = frame;
    ready();
  }, { once: true });
  post(architecture, frame.name);
}

/** Forget the report that is shown. */
export function clearReport(box) {
  box.replaceChildren();
  shown = null;
  spot = null;
}

/** Show the report of an architecture in a tab of its own. */
export const openReport = (architecture) => post(architecture, "_blank");

function post(architecture, target) {
  const form = el("form", { method: "post", action: "/report", target, rel: "noopener", hidden: true },
    el("input", { type: "hidden", name: "architecture", value: architecture }));
  document.body.append(form);
  form.submit();
  form.remove();
}
