// How the desk says things, and how a class is found by few keys.

const ACTIONS = {
  keep: "Keep",
  drop: "Drop",
  unsure: "Unsure",
  skip: "Skipped",
  flag: "Flagged",
  unflag: "Flag taken off",
  undo: "Undone",
};
const percent = (share) => (share > 0 && share < 0.005 ? "<1 %" : `${Math.round(100 * share)} %`);
const number = (n) => n.toLocaleString("en");

function saidInWords(event) {
  return event.action === "relabel" ? `→ ${event.label}` : (ACTIONS[event.action] ?? event.action);
}

function inLocalTime(iso) {
  return new Date(iso).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

// What is typed to name a class: its number, or its name where the names are numbers themselves.
function classCodes(classes) {
  const areNumbers = classes.every((name) => /^\d+$/.test(name));
  return new Map(classes.map((name, i) => [name, areNumbers ? name : String(i + 1)]));
}

// The classes that a filter leaves, the best match first: same code, same name, beginning of the name, of one
// of its words, anywhere; within each as they come (most likely first).
function matchingClasses(names, codes, typed) {
  const wanted = typed.trim().toLowerCase();
  if (!wanted) return names;
  const place = (name) => {
    const plain = name.toLowerCase();
    if (codes.get(name) === wanted) return 0;
    if (plain === wanted) return 1;
    if (/^\d+$/.test(wanted) && codes.get(name).startsWith(wanted)) return 2;
    if (plain.startsWith(wanted)) return 3;
    if (plain.split(/[\s_\-/.,:;()]+/).some((word) => word.startsWith(wanted))) return 4;
    return plain.includes(wanted) ? 5 : 9;
  };
  const places = new Map(names.map((name) => [name, place(name)]));
  return names.filter((name) => places.get(name) < 9).sort((a, b) => places.get(a) - places.get(b));
}

// The class that a code names beyond doubt: no other code begins with it. Null while more may follow.
function namedBeyondDoubt(classes, codes, typed) {
  if (!/^\d+$/.test(typed)) return null;
  const fitting = classes.filter((name) => codes.get(name).startsWith(typed));
  return fitting.length === 1 && codes.get(fitting[0]) === typed ? fitting[0] : null;
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
