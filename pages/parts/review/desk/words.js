// What the desk writes, in words.

const ACTIONS = {
  keep: "Keep",
  drop: "Drop",
  unsure: "Unsure",
  skip: "Skipped",
  flag: "Flagged",
  unflag: "Flag removed",
  undo: "Undone",
};
const percent = (share) => (share > 0 && share < 0.005 ? "<1 %" : `${Math.round(100 * share)} %`);
const number = (n) => n.toLocaleString("en");

function actionInWords(event) {
  return event.action === "relabel" ? `→ ${event.label}` : (ACTIONS[event.action] ?? event.action);
}

function inLocalTime(iso) {
  return new Date(iso).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

// The parts of a text that a search hits, as [part, isHit]; the text itself is never changed.
function hits(text, search) {
  if (!search) return [[text, false]];
  const pattern = new RegExp(search.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "giu");
  const parts = [];
  let end = 0;
  for (const hit of text.matchAll(pattern)) {
    if (hit.index > end) parts.push([text.slice(end, hit.index), false]);
    parts.push([hit[0], true]);
    end = hit.index + hit[0].length;
  }
  if (end < text.length) parts.push([text.slice(end), false]);
  return parts;
}
