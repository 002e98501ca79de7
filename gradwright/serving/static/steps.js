// A derivation: lines, each with the rule that led to it, and the rule's source on demand.

import { el } from "./dom.js";
import { math } from "./math.js";

/** Return the steps in groups: a new one begins where a line is not the one before. */
function grouped(steps) {
  const groups = [];
  for (const step of steps) {
    const last = groups.at(-1)?.at(-1);
    if (last && last.after === step.before && last.of === step.of) groups.at(-1).push(step);
    else groups.push([step]);
  }
  return groups;
}

export function derivation(steps, about) {
  const sources = new Map();
  const number = (source) => {
    if (!sources.has(source)) sources.set(source, sources.size + 1);
    return sources.get(source);
  };
  const lists = grouped(steps).map((group) => el("ol", { class: "steps" },
    el("li", { class: "start" }, el("div", { class: "formula" }, math(group[0].of || group[0].before))),
    group.map((step) => el("li", {},
      el("div", { class: "formula" }, math(`{} = ${step.after}`)),
      el("div", { class: "rule" }, math(step.statement), " ",
        step.source === "the program" ? null : el("span", { class: "cite", title: step.source }, `[${number(step.source)}]`))))));
  const cited = sources.size ? el("details", { class: "cited" }, el("summary", {}, "Sources"),
    el("ol", {}, [...sources.keys()].map((source) => el("li", {}, source)))) : "";
  return el("div", { class: "derivation", tabindex: "0", role: "group", "aria-label": about }, lists, cited);
}

const KEYWORDS = new Set(("False None True and as assert class def del elif else except finally for from if import in is "
  + "lambda not or pass raise return try while with yield const double float int void static struct for").split(" "));
const TOKEN = /("""[\s\S]*?"""|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(#[^\n]*|\/\*[\s\S]*?\*\/)|\b(\d[\w.]*)|([A-Za-z_]\w*)/g;

/** Return code with its words coloured; what a colour says is never needed to read it. */
export function highlighted(text) {
  const code = el("code");
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    const kind = match[1] ? "string" : match[2] ? "comment" : match[3] ? "number" : KEYWORDS.has(match[4]) ? "keyword" : "";
    if (!kind) continue;
    code.append(text.slice(end, match.index), el("span", { class: kind }, match[0]));
    end = match.index + match[0].length;
  }
  code.append(text.slice(end));
  return code;
}

export const listing = (text, about) =>
  el("pre", { class: "listing", tabindex: "0", role: "group", "aria-label": about }, highlighted(text));
