"use strict";
// The report inside a page that replaces it at each change: the reader's place is told to that page, and given back by it.
(() => {
  if (parent === window) return;
  const marks = () => [...document.querySelectorAll("section[id], details.block[id]")];
  const top = mark => mark.getBoundingClientRect().top;

  // The last section or block that begins above the upper edge, how far above, and what is open.
  const place = () => {
    const mark = marks().filter(m => m.checkVisibility() && top(m) <= 4).at(-1);
    return {mark: mark?.id ?? "", above: mark ? top(mark) : 0,
      open: [...document.querySelectorAll("details[id][open]")].map(block => block.id)};
  };
  let told = 0;
  const tell = () => {
    cancelAnimationFrame(told);
    told = requestAnimationFrame(() => parent.postMessage(place(), "*"));
  };
  addEventListener("message", event => {
    if (event.source !== parent || !Array.isArray(event.data?.open)) return;
    for (const block of document.querySelectorAll("details[id]")) block.open = event.data.open.includes(block.id);
    const mark = marks().find(m => m.id === event.data.mark);
    if (mark) scrollBy({top: top(mark) - event.data.above, behavior: "instant"});
  });
  addEventListener("scroll", tell, {passive: true});
  document.addEventListener("toggle", tell, true);
})();
