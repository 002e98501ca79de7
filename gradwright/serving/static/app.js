// The page: its tabs, and the link that holds what is in the open one.

import { told } from "./api.js";
import { beginCheck, checkInput, openCheck } from "./check.js";
import { byId, calm, copy } from "./dom.js";
import { beginExpression, expressionInput, openExpression } from "./expression.js";
import { fromFragment, toFragment } from "./link.js";
import { loadMathematics } from "./math.js";
import { beginNetwork, networkInput, openNetwork } from "./network.js";

const TABS = ["expression", "network", "check"];
const INPUTS = { expression: expressionInput, network: networkInput, check: checkInput };
const OPEN = { expression: openExpression, network: openNetwork, check: openCheck };
const begun = new Set();
let examples;
let current = "expression";
let ours = null; // the fragment that this page has written itself

function show(tab, focus = false) {
  current = tab;
  for (const name of TABS) {
    const button = byId(`tab-${name}`);
    button.setAttribute("aria-selected", String(name === tab));
    button.tabIndex = name === tab ? 0 : -1;
    byId(`panel-${name}`).hidden = name !== tab;
  }
  if (focus) byId(`tab-${tab}`).focus();
}

/** Open a tab by hand: with its first example where nothing was put into it yet. */
function choose(tab, focus) {
  show(tab, focus);
  if (!begun.has(tab)) {
    begun.add(tab);
    OPEN[tab](examples[tab][0]);
  } else remember();
}

const remember = calm(150, async () => {
  const fragment = await toFragment(current, INPUTS[current]());
  ours = fragment || `#${current}`;
  history.replaceState(null, "", ours);
});

async function follow() {
  if (location.hash === ours) return;
  const found = await fromFragment(location.hash);
  const tab = found?.tab ?? (TABS.includes(location.hash.slice(1)) ? location.hash.slice(1) : "expression");
  if (!found) {
    choose(tab);
    return;
  }
  begun.add(tab);
  show(tab);
  OPEN[tab](found.input);
}

async function begin() {
  const [words, found] = await Promise.all([told("vocabulary"), told("examples")]);
  examples = found;
  if (words.mathematics) loadMathematics();
  byId("version").textContent = `gradwright ${words.version}`;
  const changed = (tab) => () => tab === current && remember();
  beginExpression(words, examples.expression, changed("expression"));
  beginNetwork(words, examples.network, changed("network"));
  beginCheck(examples.check, changed("check"));
  for (const tab of TABS) byId(`tab-${tab}`).addEventListener("click", () => choose(tab));
  document.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
    const at = TABS.indexOf(current);
    const to = { ArrowRight: (at + 1) % 3, ArrowLeft: (at + 2) % 3, Home: 0, End: 2 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(TABS[to], true);
  });
  byId("link").addEventListener("click", async (event) => {
    const button = event.currentTarget;
    const fragment = await toFragment(current, INPUTS[current]());
    if (!fragment) {
      button.textContent = "Too long for a link";
      return;
    }
    await copy(location.origin + location.pathname + fragment, button);
  });
  window.addEventListener("hashchange", follow);
  await follow();
}

begin();
