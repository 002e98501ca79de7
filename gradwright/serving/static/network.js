// The second tab: an architecture, in a small editor and as TOML, both ways; its report and its module.

import { ask } from "./api.js";
import { byId, calm, copy, el, keep, say, sizeText } from "./dom.js";
import { clearReport, openReport, showReport } from "./report_frame.js";
import { listing } from "./steps.js";

const state = { toml: "", target: "numpy" };
let net = null;
let words = { losses: {}, activations: [], targets: [] };
let changed = () => {};

export function beginNetwork(vocabulary, examples, onchange) {
  words = vocabulary;
  changed = onchange;
  const chooser = byId("network-example");
  examples.forEach((example, i) => chooser.append(el("option", { value: i }, example.title)));
  chooser.addEventListener("change", () => {
    if (chooser.value === "") return;
    openNetwork(examples[Number(chooser.value)]);
    chooser.value = "";
  });
  byId("net-loss").append(...Object.keys(words.losses).map((l) => el("option", { value: l }, l.replaceAll("_", " "))));
  byId("activations").append(...words.activations.map((a) => el("option", { value: a })));
  for (const [id, field] of [["net-inputs", "inputs"], ["net-name", "name"], ["net-loss", "loss"],
    ["net-reduction", "reduction"], ["net-samples", "samples"], ["net-decay", "weight_decay"]]) {
    const control = byId(id);
    control.addEventListener(control.tagName === "SELECT" ? "change" : "input", () => edit((n) => { n[field] = control.value; }));
  }
  byId("add-layer").addEventListener("click", addLayer);
  byId("toml").addEventListener("input", () => { state.toml = byId("toml").value; soon(true); });
  byId("toml-copy").addEventListener("click", (event) => copy(byId("toml").value, event.currentTarget));
}

export function openNetwork(input) {
  state.toml = String(input.architecture ?? "");
  state.target = words.targets.includes(input.target) ? input.target : "numpy";
  byId("toml").value = state.toml;
  return read(true, true);
}

export const networkInput = () => ({ architecture: net?.compact && !byId("network-problem").textContent ? net.compact : state.toml,
  target: state.target });

const soon = calm(300, (typed) => read(typed));

/** Ask what a text says; where it was typed, the editor follows, otherwise the text already follows the editor. */
async function read(typed, canonical = false) {
  if (!state.toml.trim()) {
    byId("network-problem").textContent = "";
    for (const part of ["layers", "network-head"]) byId(part).replaceChildren();
    for (const field of ["net-inputs", "net-name"]) byId(field).value = "";
    byId("network-module").replaceChildren();
    clearReport(byId("network-report"));
    byId("network-answers").hidden = true;
    net = null;
    changed();
    return;
  }
  try {
    const found = await ask("architecture", { architecture: state.toml });
    if (!found) return;
    net = found;
    problem("");
    if (canonical) {
      state.toml = found.toml;
      byId("toml").value = found.toml;
    }
    if (typed) showEditor();
    changed();
    await answer();
  } catch (error) {
    problem(error.message);
    byId("network-answers").classList.add("stale");
    changed();
  }
}

function problem(text) {
  byId("network-problem").textContent = text;
  byId("toml").setAttribute("aria-invalid", text ? "true" : "false");
}

const quoted = (value) => JSON.stringify(String(value));
const width = (value) => (/^\d+$/.test(String(value).trim()) ? String(value).trim() : quoted(String(value).trim()));

/** Return what the editor holds as TOML. A decay that is no number is left for the server to refuse. */
function written(n) {
  const decay = String(n.weight_decay).trim() || "0";
  const number = /^[+-]?(\d+\.\d+|\d+)([eE][+-]?\d+)?$/.test(decay) ? decay : quoted(decay);
  const lines = [...(n.name ? [`name = ${quoted(n.name)}`] : []), `inputs = ${width(n.inputs)}`, `loss = ${quoted(n.loss)}`,
    `reduction = ${quoted(n.reduction)}`, `samples = ${quoted(n.samples)}`, `weight_decay = ${number}`];
  for (const layer of n.layers) {
    lines.push("", "[[layers]]", `units = ${width(layer.units)}`, `activation = ${quoted(layer.activation)}`,
      `bias = ${layer.bias ? "true" : "false"}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Change the network by a function, and write it anew. */
function edit(change, redraw = false) {
  net ??= { name: "", inputs: 3, layers: [], loss: "mean_squared_error", reduction: "sum", samples: "columns", weight_decay: 0 };
  const named = net.name;
  change(net);
  if (net.name === named && /^net_/.test(named)) net.name = ""; // a name that was made of the widths is made anew
  settleLoss();
  state.toml = written(net);
  byId("toml").value = state.toml;
  if (redraw) showEditor();
  soon(false);
}

/** Choose the usual loss where the last activation no longer goes with the one that was. */
function settleLoss() {
  const last = net.layers.at(-1)?.activation;
  const needed = words.losses[net.loss];
  const usual = { softmax: "cross_entropy", sigmoid: "binary_cross_entropy" };
  if (needed && needed !== last) net.loss = usual[last] ?? "mean_squared_error";
  else if (net.lastWas && net.lastWas !== last && net.loss === (usual[net.lastWas] ?? "mean_squared_error")) {
    net.loss = usual[last] ?? net.loss;
  }
  net.lastWas = last;
  byId("net-loss").value = net.loss;
}

function addLayer() {
  edit((n) => {
    const last = n.layers.at(-1);
    // Before the last one, whose units and activation belong to the labels.
    n.layers.splice(Math.max(0, n.layers.length - 1), 0, { units: last?.units ?? 3, activation: "tanh", bias: true });
    if (!last) n.layers[0].activation = "identity";
  }, true);
  const index = Math.max(0, net.layers.length - 2);
  byId("layers").children[index]?.querySelector("input")?.focus();
  say(`layer ${index + 1} added`);
}

function showEditor() {
  const values = { "net-inputs": net.inputs, "net-name": net.name, "net-loss": net.loss, "net-reduction": net.reduction,
    "net-samples": net.samples, "net-decay": net.weight_decay };
  for (const [id, value] of Object.entries(values)) if (document.activeElement !== byId(id)) byId(id).value = value;
  net.lastWas = net.layers.at(-1)?.activation;
  const shown = net.layers.slice(0, 60);
  byId("layers").replaceChildren(...shown.map((layer, i) => row(layer, i)),
    ...(net.layers.length > 60 ? [el("li", { class: "quiet" }, `and ${net.layers.length - 60} more, in the text below`)] : []));
}

function row(layer, i) {
  const k = i + 1;
  const count = net.layers.length;
  const move = (to, which) => () => {
    edit((n) => n.layers.splice(to, 0, ...n.layers.splice(i, 1)), true);
    const buttons = byId("layers").children[to].querySelectorAll("button");
    (buttons[which].disabled ? buttons[1 - which] : buttons[which]).focus();
    say(`layer ${k} is now layer ${to + 1}`);
  };
  const set = (field) => (event) => edit((n) => {
    n.layers[i][field] = field === "bias" ? event.target.checked : event.target.value;
  });
  return el("li", { class: "layer" },
    el("span", { class: "number", "aria-hidden": "true" }, k),
    el("input", { class: "narrow", value: layer.units, "aria-label": `Units of layer ${k}`, autocomplete: "off", maxlength: 32,
      oninput: set("units") }),
    el("input", { class: "activation", list: "activations", value: layer.activation, "aria-label": `Activation of layer ${k}, a name or a formula in x`,
      autocomplete: "off", maxlength: 500, oninput: set("activation"), onfocus: (event) => event.target.select() }),
    el("label", { class: "bias" }, el("input", { type: "checkbox", checked: layer.bias, onchange: set("bias"),
      "aria-label": `Bias of layer ${k}` }), "bias"),
    el("span", { class: "buttons" },
      el("button", { class: "icon", "aria-label": `Move layer ${k} up`, disabled: i === 0, onclick: move(i - 1, 0) }, "↑"),
      el("button", { class: "icon", "aria-label": `Move layer ${k} down`, disabled: i === count - 1, onclick: move(i + 1, 1) }, "↓"),
      el("button", { class: "icon", "aria-label": `Remove layer ${k}`, disabled: count === 1, onclick: () => {
        edit((n) => n.layers.splice(i, 1), true);
        byId("add-layer").focus();
        say(`layer ${k} removed`);
      } }, "×")));
}

async function answer() {
  const place = byId("network-answers");
  const question = { architecture: state.toml };
  const about = `the report of ${net.name}, ${count(net.parameters)} parameters`;
  place.hidden = false;
  place.setAttribute("aria-busy", "true");
  byId("network-head").replaceChildren(...head(question));
  showReport(byId("network-report"), state.toml, () => {
    place.setAttribute("aria-busy", "false");
    say(about);
  });
  place.classList.remove("stale");
  const module = net.symbolic ? null : await generated(question);
  if (module || net.symbolic) byId("network-module").replaceChildren(...code(module, question));
}

const generated = (question) => ask("generate", { ...question, target: state.target });

const count = (parameters) => (typeof parameters === "number" ? parameters.toLocaleString("en") : sizeText(parameters));

function code(module, question) {
  if (!module) return [el("p", { class: "quiet" }, "A module needs widths that are numbers; the formulas hold for all.")];
  const shown = el("div", {}, listing(module.text, `The module ${module.file}`));
  const title = el("h2", {}, module.file);
  const chooser = el("select", { "aria-label": "The language of the module", onchange: async () => {
    state.target = chooser.value;
    try {
      const other = await generated(question);
      if (!other) return;
      module = other;
      title.textContent = other.file;
      shown.replaceChildren(listing(other.text, `The module ${other.file}`));
      changed();
    } catch (error) {
      problem(error.message);
    }
  } }, words.targets.map((t) => el("option", { value: t, selected: t === state.target }, t)));
  const buttons = el("span", { class: "buttons" }, chooser,
    el("button", { "aria-label": "Copy the module", onclick: (event) => copy(module.text, event.currentTarget) }, "Copy"),
    el("button", { "aria-label": "Download the module", onclick: () => keep(module.file, module.text) }, "Download"));
  return [el("div", { class: "line wrap" }, title, buttons), shown];
}

function head(question) {
  const fetched = (format, name = "derive") => async () => {
    try {
      const file = await ask(name, format ? { ...question, format } : question, `file-${format ?? name}`);
      if (file) keep(file.file, file.text);
    } catch (error) {
      problem(error.message);
    }
  };
  return [el("div", { class: "line wrap" }, el("h2", {}, net.name), el("span", { class: "badge" }, `${count(net.parameters)} parameters`)),
    el("div", { class: "line wrap downloads" },
      el("span", { class: "buttons" },
        el("button", { onclick: fetched(null, "report"), "aria-label": "Download the report, one page that opens offline" }, "Download the report"),
        el("button", { onclick: () => openReport(question.architecture) }, "Open it in a tab of its own")),
      el("span", { class: "buttons" }, el("span", { class: "quiet" }, "Derivation as"),
        el("button", { onclick: fetched("latex") }, "LaTeX"), el("button", { onclick: fetched("markdown") }, "Markdown"),
        el("button", { onclick: fetched("text") }, "Text")),
      el("span", { class: "buttons" }, el("span", { class: "quiet" }, "Architecture as"),
        el("button", { onclick: () => keep(`${net.name}.toml`, state.toml) }, "TOML")))];
}
