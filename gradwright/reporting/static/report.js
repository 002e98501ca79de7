"use strict";
// What the page does beyond reading. It listens on the document, so that it serves fragments that come later too.
(() => {
  const katex = window.katex, id = name => document.getElementById(name);

  // Formulas, where they were not set ahead of time.
  const set = root => {
    if (!katex) return;
    for (const span of root.querySelectorAll(".tex")) {
      katex.render(window.gradwrightMacros + span.dataset.tex, span, window.gradwrightKatex);
      span.classList.remove("tex");
    }
  };
  set(document);
  window.gradwrightSet = set;

  // The formula of a place: an equation's, a gradient's result or a rule's statement, with its source.
  const copyOf = place => {
    const formula = place.querySelector(".result, .formula");
    const parts = document.createDocumentFragment();
    if (formula) {
      const copy = document.createElement("span");
      copy.append(...[...formula.childNodes].map(node => node.cloneNode(true)));
      parts.append(copy);
    }
    const source = place.querySelector(":scope > dd > .source");
    if (source) parts.append(source.cloneNode(true));
    return parts;
  };

  // The equation of the edge that is pointed at or has the focus.
  const point = event => {
    const edge = event.target.closest?.(".edge"), panel = id("equation-panel");
    if (!edge || !panel) return;
    const place = id(edge.getAttribute("href").slice(1));
    const formula = place?.matches("li, .block") ? place.matches(".block") ? place.querySelector(".result") :
      place.querySelector(".formula") : null;
    panel.replaceChildren();
    if (formula) panel.append(...[...formula.childNodes].map(node => node.cloneNode(true)));
    else panel.append(edge.querySelector("title").textContent + ", " + edge.querySelector(".size").textContent);
  };
  document.addEventListener("mouseover", point);
  document.addEventListener("focusin", point);

  // A rule: its statement and source below the step; the link goes to the list of rules where there is no script.
  const toggleRule = (link, event) => {
    const name = link.getAttribute("href").slice(1);
    const step = link.closest(".steps > li"), place = id(name) ?? id(name.replace(/--\d+$/, ""));
    if (!step || !place) return;
    event.preventDefault();
    const shown = step.querySelector(".rule-shown");
    link.setAttribute("aria-expanded", String(!shown));
    if (shown) return shown.remove();
    const box = document.createElement("div");
    box.className = "rule-shown";
    box.append(copyOf(place));
    step.append(box);
  };

  // One step at a time, for a class.
  const addStepper = block => {
    if (block.querySelector(".stepper")) return;
    const steps = [...block.querySelectorAll(".steps > li"), block.querySelector(".result")];
    const bar = document.createElement("p"), start = document.createElement("button"), next = document.createElement("button");
    bar.className = "stepper";
    start.type = next.type = "button";
    start.textContent = "One step at a time";
    next.textContent = "Next step";
    next.disabled = true;
    start.onclick = () => {
      const single = next.disabled && !steps.some(s => s.classList.contains("later"));
      steps.forEach((s, i) => s.classList.toggle("later", single && i > 0));
      next.disabled = !single;
      start.textContent = single ? "All steps" : "One step at a time";
      if (single) next.focus();
    };
    next.onclick = () => {
      const later = steps.filter(s => s.classList.contains("later"));
      later[0]?.classList.remove("later");
      if (later.length <= 1) {
        start.textContent = "One step at a time";
        start.focus();
        next.disabled = true;
      }
    };
    bar.append(start, next);
    block.querySelector(".steps").before(bar);
  };
  document.addEventListener("toggle", event => {
    if (event.target.matches?.("details.block[open]")) addStepper(event.target);
  }, true);
  document.querySelectorAll("details.block[open]").forEach(addStepper);

  // Equal layers: copies of the one that is shown, the number in place of the index.
  const numbered = (root, letter, number) => {
    for (const node of root.querySelectorAll("*")) {
      if (!node.isConnected && node.textContent === letter && !node.children.length) {
        let value = number;
        const less = node.nextElementSibling, one = less?.nextElementSibling;
        if (/^[−-]$/.test(less?.textContent ?? "") && one?.textContent === "1") {
          value -= 1;
          less.remove();
          one.remove();
        }
        if (node.localName === "mi") node.replaceWith(Object.assign(document.createElementNS(node.namespaceURI, "mn"), {textContent: value}));
        else {
          node.textContent = value;
          node.classList.remove("mathnormal");  // italic digits hang below the line
        }
      }
    }
  };
  const subscripts = number => String(number).replace(/\d/g, digit => "₀₁₂₃₄₅₆₇₈₉"[digit]);
  const inWords = (text, letter, number) => {
    const small = {k: "ₖ", j: "ⱼ", l: "ₗ", m: "ₘ", p: "ₚ"}[letter];
    return text.replace(new RegExp(`^Layers ${letter} = .*|^${letter} = .*`), match => /^L/.test(match) ? `Layer ${number}` : number)
      .replace(/([0-9,]+) each, .*/, "$1")
      .replaceAll(`${small}₋₁`, subscripts(number - 1)).replaceAll(`_${letter}-1`, subscripts(number - 1))
      .replaceAll(small, subscripts(number)).replaceAll(`_${letter}`, subscripts(number));
  };
  const unfoldLayers = open => {
    document.querySelectorAll("[data-copied]").forEach(copy => copy.remove());
    for (const one of document.querySelectorAll("[data-fold]")) {
      one.hidden = open;
      if (!open) continue;
      const {fold, first, last} = one.dataset, copies = [];
      for (let k = +first; k <= +last; k++) {
        const copy = one.cloneNode(true);
        copy.hidden = false;
        copy.dataset.copied = "";
        delete copy.dataset.fold;
        for (const node of [copy, ...copy.querySelectorAll("*")]) {
          if (node.id) node.id += `--${k}`;
          for (const name of ["aria-label", "title"]) {
            const text = node.getAttribute(name);
            if (text) node.setAttribute(name, inWords(text, fold, k));
          }
        }
        for (const link of copy.querySelectorAll("a[href^='#']")) {
          if (id(link.getAttribute("href").slice(1))?.closest("[data-fold]")) link.setAttribute("href", `${link.getAttribute("href")}--${k}`);
        }
        copy.querySelectorAll(".katex").forEach(formula => numbered(formula, fold, k));
        const words = document.createTreeWalker(copy, NodeFilter.SHOW_TEXT);
        for (let node; (node = words.nextNode());) {
          if (!node.parentElement.closest(".katex")) node.textContent = inWords(node.textContent, fold, k);
        }
        copies.push(copy);
      }
      // The backward pass runs from the last layer to the first.
      one.after(...(one.closest(".blocks, .boxes") ? copies.reverse() : copies));
    }
  };

  const press = (button, pressed) => button.setAttribute("aria-pressed", String(pressed));
  document.addEventListener("click", event => {
    const rule = event.target.closest(".rule"), button = event.target.closest("button");
    if (rule) return toggleRule(rule, event);
    const edge = event.target.closest(".edge");
    if (edge) {
      const name = edge.getAttribute("href").slice(1), one = id(name)?.closest("[data-fold]");
      const place = one?.hidden ? id(`${name}--${one.dataset.first}`) : id(name);
      if (place?.matches("details")) place.open = true;
      if (one?.hidden && place) {
        event.preventDefault();
        place.scrollIntoView();
      }
    }
    if (!button) return;
    const pressed = button.getAttribute("aria-pressed") !== "true";
    if (button.matches("[data-open-all]")) {
      document.querySelectorAll("details.block").forEach(block => { block.open = pressed; });
      press(button, pressed);
    } else if (button.matches("[data-unfold-all]")) {
      unfoldLayers(pressed);
      press(button, pressed);
      button.textContent = pressed ? "Fold equal layers" : "Unfold all layers";
    } else if (button.matches("[data-copy]")) {
      copyText(id(button.dataset.copy), button.parentElement.querySelector("[data-said]"));
    }
  });

  const copyText = async (place, said) => {
    let done = true;
    try {
      await navigator.clipboard.writeText(place.textContent);
    } catch {  // a page from a file may have no clipboard: select, and let the browser copy
      const range = document.createRange();
      range.selectNodeContents(place);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      done = document.execCommand("copy");
    }
    said.textContent = done ? "copied" : "selected: copy it with the keyboard";
    setTimeout(() => { said.textContent = ""; }, 4000);
  };

  // A link to a closed block opens it; on paper all are open.
  const openTarget = () => {
    const place = location.hash && id(decodeURIComponent(location.hash.slice(1)));
    const closed = place && place.closest("details");
    if (closed) closed.open = true;
  };
  addEventListener("hashchange", openTarget);
  openTarget();
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    opened.forEach(block => { block.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach(block => { block.open = false; }));
  document.querySelectorAll("[data-controls], [data-copy]").forEach(control => { control.hidden = false; });
})();
