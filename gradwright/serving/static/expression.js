// The first tab: an expression or a program, what to differentiate by, and the answer.

import { ask } from "./api.js";
import { byId, calm, copyButton, el, keep, say, shapeText } from "./dom.js";
import { math } from "./math.js";
import { derivation } from "./steps.js";

const PREFERRED = ["x", "w", "X", "W", "z", "u", "v", "Q"];
const state = { expression: "", wrt: [], order: 1, convention: "unconstrained", properties: {} };
let table = null;
let words = { properties: [] };
let changed = () => {};

export function beginExpression(vocabulary, examples, onchange) {
  words = vocabulary;
  changed = onchange;
  const area = byId("expression");
  const chooser = byId("expression-example");
  examples.forEach((example, i) => chooser.append(el("option", { value: i }, example.title)));
  chooser.addEventListener("change", () => {
    if (chooser.value === "") return;
    openExpression(examples[Number(chooser.value)]);
    chooser.value = "";
  });
  area.addEventListener("input", () => {
    state.expression = area.value;
    mark(null);
    soon();
  });
  area.addEventListener("scroll", () => { byId("panel-expression").querySelector(".backdrop").scrollTop = area.scrollTop; });
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) now();
  });
  byId("differentiate").addEventListener("click", now);
  for (const name of ["order", "convention"]) {
    for (const radio of document.getElementsByName(name)) {
      radio.addEventListener("change", () => {
        state[name] = name === "order" ? Number(radio.value) : radio.value;
        answer();
      });
    }
  }
}

/** Show an input, of an example or of a link. */
export function openExpression(input) {
  state.expression = String(input.expression ?? "");
  state.wrt = [...(input.wrt ?? [])];
  state.order = Number(input.order) === 2 ? 2 : 1;
  state.convention = input.convention === "symmetric" ? "symmetric" : "unconstrained";
  state.properties = { ...(input.properties ?? {}) };
  byId("expression").value = state.expression;
  for (const name of ["order", "convention"]) {
    for (const radio of document.getElementsByName(name)) radio.checked = radio.value === String(state[name]);
  }
  return now();
}

export const expressionInput = () => ({ ...state });

const properties = () => Object.entries(state.properties)
  .filter(([name, key]) => key && table?.inputs.some((i) => i.name === name)).map(([name, key]) => `${name}=${key}`);

const soon = calm(220, now);

async function now() {
  const text = state.expression;
  if (!text.trim()) {
    mark(null);
    table = null;
    byId("expression-problem").textContent = "";
    byId("expression-answers").replaceChildren();
    showTable();
    changed();
    return;
  }
  try {
    // Properties chosen in the table belong to names that the text may have lost since.
    let found = await ask("read", { expression: text });
    if (found && Object.keys(state.properties).length) {
      table = found;
      found = await ask("read", { expression: text, properties: properties() });
    }
    if (!found) return;
    table = found;
    mark(null);
    byId("expression-problem").textContent = "";
    showTable();
    await answer();
  } catch (error) {
    mark(error.place, error.message);
    fade(true);
    changed();
  }
}

/** Underline the character of an error, and say what it is. */
function mark(place, message = "") {
  const area = byId("expression");
  byId("expression-problem").textContent = message;
  area.setAttribute("aria-invalid", message ? "true" : "false");
  const backdrop = byId("panel-expression").querySelector(".backdrop");
  if (!place) {
    backdrop.replaceChildren();
    return;
  }
  const lines = area.value.split("\n");
  const start = lines.slice(0, place.line - 1).reduce((sum, line) => sum + line.length + 1, 0) + place.character - 1;
  const text = area.value;
  const end = start + (/^\w+/.exec(text.slice(start))?.[0].length ?? 1);
  const under = text.slice(start, end).trim() ? text.slice(start, end) : "\u00a0";
  backdrop.replaceChildren(text.slice(0, start), el("mark", {}, under), `${text.slice(end)}\n`);
}

function showTable() {
  const inputs = table?.inputs ?? [];
  const names = inputs.map((i) => i.name);
  const kept = state.wrt.filter((name) => names.includes(name));
  state.wrt = kept.length ? kept : names.length ? [PREFERRED.find((n) => names.includes(n)) ?? names.at(-1)] : [];
  keepFocus(byId("variables"), () => inputs.map((input) => el("label", { class: "chip" },
    el("input", { type: "checkbox", value: input.name, "data-key": `by-${input.name}`, checked: state.wrt.includes(input.name),
      onchange: (event) => choose(input.name, event.currentTarget) }), el("span", {}, input.name))));
  const named = (table?.equations ?? []).slice(0, -1);
  keepFocus(byId("shapes").tBodies[0], () => [
    ...inputs.map((input) => el("tr", {}, heading(input),
      el("td", {}, shapeText(input.shape)), el("td", {}, assumed(input)))),
    ...named.map((e) => el("tr", { class: "derived" }, heading(e),
      el("td", {}, shapeText(e.shape)), el("td", {}, "computed"))),
    ...(table ? [el("tr", { class: "derived" }, el("th", { scope: "row" }, "result"),
      el("td", {}, shapeText(table.result.shape)), el("td", {}))] : [])]);
  const symmetric = inputs.some((i) => state.wrt.includes(i.name)
    && i.properties.some((p) => ["symmetric", "psd", "diagonal"].includes(p)));
  byId("convention-choice").hidden = !symmetric || state.order === 2;
}

/** Return the head of a row: a formula, and its name for those who hear the table. */
const heading = (row) => el("th", { scope: "row" }, el("span", { "aria-hidden": "true" }, math(row.latex)),
  el("span", { class: "heard" }, row.name));

/** Replace what is in an element, and give the focus back to the control that had it. */
function keepFocus(element, make) {
  const key = element.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  element.replaceChildren(...make());
  if (key) [...element.querySelectorAll("[data-key]")].find((e) => e.dataset.key === key)?.focus();
}

function assumed(input) {
  const own = state.properties[input.name];
  const declared = input.properties.filter((p) => p !== own);
  if (declared.length) return declared.join(", ");
  const square = input.shape.length && String(input.shape[0]) === String(input.shape[1]);
  const fits = words.properties.filter((p) => square || !["symmetric", "psd", "diagonal", "invertible"].includes(p))
    .filter((p) => input.shape.length || p === "positive");
  return el("select", { "aria-label": `Assumed of ${input.name}`, "data-key": `of-${input.name}`, onchange: (event) => {
    if (event.currentTarget.value) state.properties[input.name] = event.currentTarget.value;
    else delete state.properties[input.name];
    now();
  } }, el("option", { value: "" }, "—"), fits.map((p) => el("option", { value: p, selected: p === own }, p)));
}

function choose(name, box) {
  const others = state.wrt.filter((n) => n !== name);
  if (!box.checked && !others.length) {
    box.checked = true; // at least one
    return;
  }
  state.wrt = box.checked ? [...others, name] : others;
  showTable();
  answer();
}

const fade = (on) => byId("expression-answers").classList.toggle("stale", on);

async function answer() {
  if (!table) return;
  const place = byId("expression-answers");
  const free = !byId("convention-choice").hidden && state.convention === "symmetric";
  const question = { expression: state.expression, wrt: state.wrt, order: state.order, properties: properties(),
    convention: free ? "symmetric" : "unconstrained" };
  showTable();
  changed();
  if (!state.wrt.length) {
    place.replaceChildren(el("p", { class: "card quiet" }, "The expression holds no name to differentiate by."));
    return;
  }
  place.setAttribute("aria-busy", "true");
  try {
    const found = await ask("differentiate", question);
    if (!found) return;
    const answers = found.answers ?? [found];
    place.replaceChildren(...answers.map((a) => card(a, question)), downloads(question, answers[0].python));
    byId("expression-problem").textContent = "";
    fade(false);
    say(answers.map((a) => `${a.kind} by ${a.wrt}: ${a.text}`).join("; "));
  } catch (error) {
    byId("expression-problem").textContent = error.message;
    fade(true);
  }
  place.setAttribute("aria-busy", "false");
}

const nameOf = (name) => table.inputs.find((i) => i.name === name)?.latex ?? name;

/** Return the left side of an answer. */
function left(answer) {
  const [x, y = x] = answer.wrt.split(", ").map(nameOf);
  const f = table.result.latex;
  if (answer.kind === "gradient") return `\\nabla_{${x}} ${f}`;
  if (answer.kind === "hessian") return x === y ? `\\nabla_{${x}}^2 ${f}` : `\\nabla_{${x},\\,${y}} ${f}`;
  const columns = (table.inputs.find((i) => i.name === answer.wrt)?.shape ?? [])[1];
  const wide = (shape) => shape.length && shape[1] !== 1;
  const vec = (word, flat) => (flat ? `\\operatorname{vec} ${word}` : word);
  if (columns === undefined) return `\\frac{\\partial ${f}}{\\partial ${x}}`;
  const by = columns === 1 ? `${x}^{\\top}` : `(\\operatorname{vec} ${x})^{\\top}`;
  return `\\frac{\\partial ${vec(f, wide(table.result.shape))}}{\\partial ${by}}`;
}

function card(answer, question) {
  const verified = answer.verified;
  const map = answer.map;
  const title = `${answer.kind} by ${answer.wrt}`;
  const formula = map
    ? [el("div", { class: "boxed", tabindex: "0", role: "group", "aria-label": title }, map.latex.map((l) => math(l, true))),
       el("p", { class: "quiet" }, "on vec"),
       el("div", { class: "boxed minor", tabindex: "0", role: "group", "aria-label": `${title} on vec` },
         math(`${left(answer)} = ${answer.latex}`, true))]
    : [el("div", { class: "boxed", tabindex: "0", role: "group", "aria-label": title },
         math(`${left(answer)} = ${answer.latex}`, true))];
  const text = map ? map.text : answer.text;
  return el("article", { class: "card answer" },
    el("div", { class: "line" }, el("h2", {}, title), el("span", { class: "badge" }, shapeText(answer.shape))),
    formula,
    el("div", { class: "line wrap" }, el("code", { class: "typed" }, text || "(too long for the language)"),
      el("span", { class: "buttons" }, copyButton("Text", text, `Copy ${title} as text`),
        copyButton("LaTeX", map ? map.latex.join(" \\\\\n") : answer.latex, `Copy ${title} as LaTeX`),
        copyButton("Python", answer.python, `Copy ${title} as Python`))),
    el("p", { class: "verified" }, el("span", { "aria-hidden": "true" }, "✓ "),
      `verified at random values by ${verified.method}: largest relative error ${verified.max_relative_error.toExponential(1)}`),
    answer.assumptions.length ? el("p", { class: "assumed" }, "assuming ", answer.assumptions.join("; ")) : null,
    answer.steps.length ? el("details", { class: "unfold", open: true }, el("summary", {}, `${answer.steps.length} steps`),
      derivation(answer.steps, `Steps to the ${title}`)) : null,
    el("details", { class: "unfold" }, el("summary", {}, "Notes"),
      el("ul", {}, answer.notes.map((note) => el("li", {}, note)))));
}

function downloads(question, python) {
  const fetched = (format) => async () => {
    try {
      const file = await ask("differentiate", { ...question, format }, `file-${format}`);
      if (file) keep(file.file, file.text);
    } catch (error) {
      byId("expression-problem").textContent = error.message;
    }
  };
  return el("div", { class: "card line wrap downloads" }, el("h2", {}, "Download"), el("span", { class: "buttons" },
    el("button", { onclick: () => keep("derivative.py", python) }, "NumPy module"),
    el("button", { onclick: fetched("latex") }, "LaTeX"), el("button", { onclick: fetched("markdown") }, "Markdown"),
    el("button", { onclick: fetched("text") }, "Text")));
}
