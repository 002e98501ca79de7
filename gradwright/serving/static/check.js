// The third tab: code of one's own, and what is wrong with it.

import { ask } from "./api.js";
import { byId, el, keep, say } from "./dom.js";

const state = { code: "", name: "pasted.py", parameters: "", network: "", mapping: "" };
const LARGEST = 2_000_000;
let changed = () => {};

export function beginCheck(examples, onchange) {
  changed = onchange;
  const chooser = byId("check-example");
  examples.forEach((example, i) => chooser.append(el("option", { value: i }, example.title)));
  chooser.addEventListener("change", () => {
    if (chooser.value === "") return;
    openCheck({ ...examples[Number(chooser.value)], network: "", mapping: "" });
    chooser.value = "";
  });
  byId("code").addEventListener("input", () => {
    const text = byId("code").value;
    const kind = isNotebook(text) ? ".ipynb" : ".py";
    if (!state.code || !state.name.endsWith(kind)) state.name = `pasted${kind}`;
    state.code = text;
    if (kind === ".ipynb") show();
    named();
    changed();
  });
  byId("code").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
  });
  byId("code-file").addEventListener("change", async (event) => take(event.target.files[0]));
  byId("arrays-file").addEventListener("change", async (event) => arrays(event.target.files[0]));
  for (const [id, field] of [["check-network", "network"], ["check-mapping", "mapping"]]) {
    byId(id).addEventListener("input", (event) => { state[field] = event.target.value; changed(); });
  }
  byId("check").addEventListener("click", run);
  byId("clear").addEventListener("click", () => {
    Object.assign(state, { code: "", name: "pasted.py", parameters: "" });
    show();
    byId("code").focus();
    changed();
  });
  const panel = byId("panel-check");
  panel.addEventListener("dragover", (event) => event.preventDefault());
  panel.addEventListener("drop", (event) => {
    const file = event.dataTransfer.files[0];
    if (!file) return;
    event.preventDefault();
    if (file.name.endsWith(".npz")) arrays(file);
    else take(file);
  });
}

export function openCheck(input) {
  state.code = slim(String(input.code ?? ""));
  state.name = String(input.name ?? "pasted.py");
  state.parameters = String(input.parameters ?? "");
  state.network = String(input.network ?? "");
  state.mapping = String(input.mapping ?? "");
  show();
  return state.code ? run() : null;
}

export const checkInput = () => ({ code: state.code, name: state.name, parameters: state.parameters, network: state.network,
  mapping: state.mapping });

const isNotebook = (text) => /^\s*\{/.test(text) && /"(cells|worksheets)"\s*:/.test(text);

/** Return a notebook without its outputs and pictures, which have nothing to do with the check and can be large. */
function slim(text) {
  if (!isNotebook(text)) return text;
  try {
    const book = JSON.parse(text);
    for (const sheet of [book, ...(book.worksheets ?? [])]) {
      for (const cell of sheet.cells ?? []) {
        delete cell.outputs;
        delete cell.attachments;
        if (cell.cell_type !== "code") cell.source = "";
      }
    }
    return JSON.stringify(book, null, 1);
  } catch {
    return text; // the server says what is wrong with it
  }
}

/** Return what a notebook's cells hold, as it is read rather than as it is stored; nothing where it cannot be. */
function cells(text) {
  try {
    const book = JSON.parse(text);
    const found = (book.cells ?? book.worksheets.flatMap((sheet) => sheet.cells)).filter((cell) => cell.cell_type === "code")
      .map((cell) => [cell.source ?? cell.input ?? ""].flat().join("")).filter((source) => source.trim());
    return found.map((source, i) => `# In [${i + 1}]\n${source}`).join("\n\n");
  } catch {
    return "";
  }
}

function show() {
  const book = isNotebook(state.code) ? cells(state.code) : "";
  byId("code").value = book || state.code;
  byId("code").readOnly = Boolean(book);
  byId("clear").hidden = !book;
  byId("check-network").value = state.network;
  byId("check-mapping").value = state.mapping;
  named();
}

function named() {
  byId("code-name").textContent = [state.code ? state.name : "", state.parameters ? "with arrays of an npz file" : ""]
    .filter(Boolean).join(", ");
}

const problem = (text) => {
  byId("check-problem").textContent = text;
  byId("code").setAttribute("aria-invalid", text ? "true" : "false");
};

async function take(file) {
  if (!file) return;
  if (file.size > 10_000_000) {
    problem(`${file.name} is larger than 10 MB`);
    return;
  }
  await openCheck({ ...state, code: await file.text(), name: file.name });
}

async function arrays(file) {
  if (!file) return;
  if (file.size > 1_400_000) {
    problem(`${file.name} is larger than 1.4 MB; the command has no such limit`);
    return;
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  state.parameters = btoa(text);
  named();
  if (state.code) await run();
}

async function run() {
  const place = byId("check-answers");
  changed();
  if (!state.code.trim()) {
    problem("Paste some code first, or choose an example.");
    return;
  }
  if (state.code.length > LARGEST) {
    problem(`The code has ${state.code.length} characters, ${LARGEST} are allowed.`);
    return;
  }
  place.setAttribute("aria-busy", "true");
  byId("check").disabled = true;
  try {
    const found = await ask("check", { code: state.code, name: state.name, parameters: state.parameters, format: "html",
      architecture: state.network.trim(), mapping: state.mapping.split(",").map((m) => m.trim()).filter(Boolean) });
    if (!found) return;
    problem("");
    place.replaceChildren(page(found));
    place.classList.remove("stale");
  } catch (error) {
    problem(error.message);
    place.classList.add("stale");
  } finally {
    place.setAttribute("aria-busy", "false");
    byId("check").disabled = false;
  }
}

/** Show the page of a check in a frame of its own, where it runs nothing, as high as it is. */
function page(found) {
  const frame = el("iframe", { title: "The check", class: "checked", sandbox: "allow-same-origin",
    srcdoc: found.text.replaceAll('href="#', 'href="about:srcdoc#') });
  const fit = () => {
    const root = frame.contentDocument?.documentElement;
    if (root) frame.height = Math.ceil(root.getBoundingClientRect().height) + 2;
  };
  frame.addEventListener("load", () => {
    fit();
    new ResizeObserver(fit).observe(frame.contentDocument.body);
    say(frame.contentDocument.querySelector(".summary")?.textContent ?? "checked");
  });
  return el("article", { class: "card framed" }, frame, el("div", { class: "line wrap downloads" }, el("span", { class: "buttons" },
    el("button", { onclick: () => keep(found.file, found.text) }, "Download this page"))));
}
