// Elements, made without ever reading a text as HTML; and what one does with texts: copy them, keep them as files.

export const byId = (id) => document.getElementById(id);

/** Return an element with attributes and children; a text becomes a text node, nothing is left out. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "class") element.className = value;
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Say something to those who hear the page. */
export function say(text) {
  byId("said").textContent = "";
  setTimeout(() => { byId("said").textContent = text; }, 50);
}

export async function copy(text, button) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    done = copyBySelection(text); // the clipboard is there only for pages of this machine or under TLS
  }
  const label = button.dataset.label ??= button.textContent;
  button.textContent = done ? "Copied" : "Cannot copy";
  say(button.textContent);
  clearTimeout(button.timer);
  button.timer = setTimeout(() => { button.textContent = label; }, 1500);
}

function copyBySelection(text) {
  const area = el("textarea", { class: "heard", readonly: true });
  const focused = document.activeElement;
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return done;
}

export function keep(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  const link = el("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export const copyButton = (label, text, about) =>
  el("button", { class: "plain", "aria-label": about ?? null, onclick: (event) => copy(text, event.currentTarget) }, label);

/** Return a function that waits until it was not called for a while. */
export function calm(milliseconds, act) {
  let timer;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...given), milliseconds);
  };
}

/** Return a dimension as it is written: n² for n**2, and mn for m*n. */
export const sizeText = (dimension) => String(dimension).replace(/\*\*(\d+)/g, (_, power) => power.replace(/\d/g, (d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]))
  .replaceAll("*", "·");

export const shapeText = (shape) => (shape.length ? shape.map(sizeText).join(" × ") : "scalar");
