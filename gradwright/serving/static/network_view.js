// What is shown of a network: its layers, a picture of them, and the derivation of each gradient.

import { el, shapeText } from "./dom.js";
import { math } from "./math.js";
import { derivation } from "./steps.js";

const SVG = "http://www.w3.org/2000/svg";
const FOLDED = 40;

export function summary(net, derived) {
  const rows = net.layers.map((layer, i) => el("tr", {},
    el("th", { scope: "row" }, i + 1),
    el("td", {}, `${i ? net.layers[i - 1].units : net.inputs} → ${layer.units}`), el("td", {}, layer.activation),
    el("td", {}, Object.entries(layer.parameters).map(([n, s]) => `${n[0]}${lowered(n.slice(1))} ${s.join("×")}`).join(", ")),
    el("td", { class: "count" }, count(layer))));
  const shown = rows.length > FOLDED ? [...rows.slice(0, 20), el("tr", {}, el("td", { colspan: 5 },
    `${rows.length - 21} layers between`)), rows.at(-1)] : rows;
  return el("article", { class: "card" },
    el("div", { class: "line wrap" }, el("h2", {}, net.name), el("span", { class: "badge" }, `${net.parameters} parameters`)),
    el("div", { class: "scrolled", tabindex: "0", role: "group", "aria-label": "Layers" }, el("table", { class: "wide" },
      el("thead", {}, el("tr", {}, ["layer", "units", "activation", "parameters"].map((h) => el("th", { scope: "col" }, h)),
        el("th", { scope: "col", class: "count" }, "count"))),
      el("tbody", {}, shown))),
    el("p", { class: "verified" }, el("span", { "aria-hidden": "true" }, "✓ "),
      `every gradient verified at random values by ${derived.verified.method}: largest relative error `
      + derived.verified.max_relative_error.toExponential(1)),
    derived.assumptions.length ? el("p", { class: "assumed" }, "assuming ", derived.assumptions.join("; ")) : null);
}

function count(layer) {
  const sizes = Object.values(layer.parameters);
  if (sizes.some((s) => s.some((d) => typeof d === "string"))) return sizes.map((s) => s.filter((d) => d !== 1).join("·")).join(" + ");
  return sizes.reduce((sum, [m, n]) => sum + m * n, 0).toLocaleString("en");
}

/** Draw the layers from left to right, with what flows between them and back. */
export function picture(net) {
  const units = [net.inputs, ...net.layers.map((l) => l.units)];
  const names = ["X", ...net.layers.map((l) => l.activation)];
  const kept = units.length > 9 ? [0, 1, 2, 3, -1, units.length - 3, units.length - 2, units.length - 1] : units.map((_, i) => i);
  const step = 150;
  const width = (kept.length + 1) * step - 38;
  const drawing = svg("svg", { viewBox: `0 0 ${width} 150`, role: "img", class: kept.length < 7 ? "picture few" : "picture", width, height: 150,
    "aria-label": `${units.join(" to ")} units, activations ${names.slice(1).join(", ")}, loss ${net.loss}` });
  const rows = net.samples === "rows";
  const flow = (i) => (rows ? `N×${units[i]}` : `${units[i]}×N`);
  const flowing = (i) => (i === 0 ? "X" : i === units.length - 1 ? "ŷ" : `h${lowered(i)}`);
  const boxes = [...kept.map((i) => (i < 0 ? ["…", "", "", ""]
    : [short(names[i]), i ? `layer ${i}` : "input", flow(i), flowing(i)])), ["𝓛", net.loss.replaceAll("_", " "), "", ""]];
  boxes.forEach(([name, under, shape, value], k) => {
    const x = 10 + k * step;
    const last = k === boxes.length - 1;
    if (!last) {
      const y = name === "…" ? [62, 62] : [52, 78];
      drawing.append(svg("path", { class: "forward", d: `M${x + 92} ${y[0]}H${x + step - 7}m-7 -4l7 4l-7 4` }));
      drawing.append(svg("path", { class: "backward", d: `M${x + step} ${y[1]}H${x + 99}m7 -4l-7 4l7 4` }));
      if (value) {
        drawing.append(svg("text", { class: "edge", x: x + 121, y: 24 }, value), svg("text", { class: "edge", x: x + 121, y: 41 }, shape));
        drawing.append(svg("text", { class: "edge back", x: x + 121, y: 98 }, `∇${value}`));
      }
    }
    if (name !== "…") drawing.append(svg("rect", { class: last ? "node loss" : "node", x, y: 36, width: 92, height: 58, rx: 8 }));
    drawing.append(svg("text", { class: "name", x: x + 46, y: 70 }, name));
    drawing.append(svg("text", { class: "under", x: x + 46, y: 116 }, under));
  });
  return el("article", { class: "card" }, el("div", { class: "scrolled", tabindex: "0", role: "group", "aria-label": "Picture of the network" },
    drawing), el("p", { class: "quiet legend" }, el("span", { class: "key forward" }), "values forward, with their shapes  ",
    el("span", { class: "key backward" }), "gradients back, of the same shapes"));
}

const lowered = (number) => String(number).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);

const short = (text) => (text.length > 11 ? `${text.slice(0, 10)}…` : text);

function svg(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

export function gradients(derived, open) {
  const forward = derived.forward.map((e) => el("tr", {}, el("td", {}, math(e.latex)), el("td", { class: "shape" }, shapeText(e.shape))));
  const own = new Set(derived.parameters.map((p) => p.name));
  const blocks = derived.gradients.map((g, i) => {
    const place = el("div", {});
    const details = el("details", { class: "gradient", "data-name": g.wrt, open: open.size ? open.has(g.wrt) : i === 0,
      ontoggle: () => { if (details.open && !place.hasChildNodes()) place.append(derivation(g.steps, `Steps to ${g.text}`)); } },
    el("summary", {}, el("span", { class: own.has(g.wrt) ? "boxed inline" : "inline" }, math(g.latex)),
      el("span", { class: "badge" }, shapeText(g.shape))), place);
    if (details.open) place.append(derivation(g.steps, `Steps to ${g.text}`));
    return details;
  });
  const all = el("button", { "aria-expanded": "false", onclick: () => {
    const shows = blocks.some((b) => !b.open);
    for (const block of blocks) block.open = shows;
    all.textContent = shows ? "Fold all" : "Unfold all";
    all.setAttribute("aria-expanded", String(shows));
  } }, "Unfold all");
  return el("article", { class: "card" },
    el("h2", {}, "Forward"),
    el("div", { class: "scrolled", tabindex: "0", role: "group", "aria-label": "Forward equations" },
      el("table", { class: "wide equations" }, el("tbody", {}, forward,
        derived.functions.map((f) => el("tr", { class: "derived" }, el("td", {}, math(f.latex)), el("td", {})))))),
    el("div", { class: "line" }, el("h2", {}, "Backward"), all),
    blocks,
    el("details", { class: "unfold" }, el("summary", {}, "Notes"), el("ul", {}, derived.notes.map((n) => el("li", {}, n)))));
}
