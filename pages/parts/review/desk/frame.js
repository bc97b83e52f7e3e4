// What is always on the desk: buttons, fields and the places of everything else.

const SUGGESTION = "The most likely other class and the probability that it is correct";
const BARS = "The probability that each class is correct";
const WIDE = 760; // pixels; desk.css has the same
const MOST_TEXT = 480; // pixels: the buttons stay near the text, and do not jump from one to the next
const LEAST_TEXT = 110; // pixels
const LEAST_SIDE = 320;
const MARGIN = 14;

function el(tag, options = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// How far the page is scrolled: Streamlit scrolls a box of its own.
function scrollTop(node) {
  let top = 0;
  for (let box = node.parentElement; box; box = box.parentElement) top += box.scrollTop;
  return top;
}

const key = (name) => el("kbd", { "aria-hidden": "true" }, name);

class Frame {
  // `acts` holds what the buttons do; see desk.js.
  constructor(root, acts) {
    this.acts = acts;
    this.root = root;
    root.classList.add("desk");
    this.parts = {};
    root.replaceChildren(this.top(), el("div", { class: "desk-columns" }, this.main(), this.side()), this.help());
  }

  part(name, node) {
    this.parts[name] = node;
    return node;
  }

  button(name, title, keys, act, options = {}) {
    const node = el(
      "button",
      { type: "button", "aria-keyshortcuts": keys[0], ...options, onclick: () => act() },
      el("span", {}, title),
      ...keys.slice(0, 1).map(key),
    );
    return this.part(name, node);
  }

  top() {
    return el(
      "div",
      { class: "desk-top" },
      el(
        "div",
        { class: "desk-bar", role: "progressbar", "aria-label": "Decided", "aria-valuemin": 0, "aria-valuemax": 100 },
        this.part("fill", el("div")),
      ),
      this.part("progress", el("span", { class: "desk-progress" })),
      this.part("saved", el("span", { class: "desk-saved", role: "status" })),
      this.button("help", "Keys", ["?"], this.acts.help),
    );
  }

  main() {
    const { acts } = this;
    this.part("card", el("section", { class: "desk-card", "aria-label": "Example" }));
    this.parts.card.append(
      el(
        "div",
        { class: "desk-head" },
        this.fact("label", "Label"),
        this.fact("suggestion", "Suggestion", SUGGESTION),
        this.fact("decision", "Decision"),
        this.part("place", el("span", { class: "desk-place", role: "status" })),
      ),
      this.part("text", el("div", { class: "desk-text", tabindex: "0", role: "group", "aria-label": "Text" })),
      el(
        "div",
        { class: "desk-acts" },
        this.button("keep", "Keep", ["K"], acts.keep),
        this.button("take", "Take suggestion", ["S"], acts.take, { class: "desk-main" }),
        this.button("drop", "Drop", ["D"], acts.drop),
        this.button("unsure", "Unsure", ["U"], acts.unsure),
        this.button("skip", "Skip", ["N"], acts.skip),
        this.button("flag", "Flag", ["F"], acts.flag, { "aria-pressed": "false" }),
        el("span", { class: "desk-gap" }),
        this.button("back", "Back", ["B"], acts.back),
        this.button("forward", "Forward", ["V"], acts.forward),
        this.button("undo", "Undo", ["Z"], acts.undo),
      ),
      this.classes(),
      this.note(),
    );
    this.part("empty", el("section", { class: "desk-empty", hidden: true, role: "status" }));
    return el("div", { class: "desk-left" }, this.parts.card, this.parts.empty);
  }

  fact(name, title, explained = null) {
    return el("span", { class: `desk-fact desk-${name}`, title: explained }, el("small", {}, title), this.part(name, el("b", { dir: "auto" })));
  }

  classes() {
    const field = this.part(
      "filter",
      el("input", {
        type: "text",
        class: "desk-filter",
        placeholder: "Find a class: its number or name",
        "aria-label": "Find a class",
        autocomplete: "off",
        spellcheck: "false",
      }),
    );
    field.addEventListener("input", () => this.acts.filter(field.value));
    field.addEventListener("keydown", (event) => this.acts.inFilter(event));
    return el(
      "div",
      { class: "desk-classes" },
      this.part("classList", el("div", { class: "desk-class-list", role: "group", "aria-label": `Relabel to. ${BARS}`, title: BARS })),
      this.part("filterRow", el("label", { class: "desk-filter-row" }, field, key("/"))),
    );
  }

  note() {
    const field = this.part(
      "note",
      el("input", { type: "text", placeholder: "Note, saved with your decision", "aria-label": "Note", dir: "auto" }),
    );
    field.addEventListener("input", () => this.acts.noted(field.value));
    field.addEventListener("keydown", (event) => this.acts.inNote(event));
    return el("label", { class: "desk-note" }, field, key("E"));
  }

  side() {
    const side = el(
      "aside",
      { class: "desk-side", "aria-label": "About this example", tabindex: "0" },
      this.part("why", el("section", { class: "desk-why" })),
      this.part("nearest", el("section", { class: "desk-nearest" })),
      this.part("found", el("section", { class: "desk-found" })),
      this.part("history", el("section", { class: "desk-history" })),
      this.part("last", el("section", { class: "desk-last" })),
    );
    return this.part("side", side);
  }

  help() {
    const keys = [
      ["K", "Keep the label"],
      ["S", "Take the suggestion (in the audit: show it first)"],
      ["1 – 9", "Relabel to the class with that key"],
      ["/", "Find another class by number or name, Enter takes the first"],
      ["D", "Drop the example"],
      ["U", "Unsure"],
      ["N", "Skip: it returns at the end"],
      ["F", "Flag for a second reviewer, or remove the flag"],
      ["B  ←", "The previous example, decided or not"],
      ["V  →", "The next example, decided or not"],
      ["Z", "Undo, as often as you like"],
      ["E", "Write a note; Enter or Esc ends it"],
      ["H", "History of this example"],
      ["?", "This list"],
    ];
    const rows = keys.flatMap(([name, what]) => [el("dt", {}, el("kbd", {}, name)), el("dd", {}, what)]);
    const close = el("button", { type: "button", onclick: () => this.parts.keys.close() }, "Close");
    return this.part(
      "keys",
      el("dialog", { class: "desk-keys", "aria-label": "Keys" }, el("h2", {}, "Keys"), el("dl", {}, ...rows), close),
    );
  }

  // All buttons stay on the screen; the text gets the height that is left, and scrolls.
  fit() {
    const { card, text, side } = this.parts;
    if (card.hidden) return;
    const isWide = this.root.clientWidth >= WIDE;
    const top = card.getBoundingClientRect().top + scrollTop(card);
    const rest = card.offsetHeight - text.offsetHeight;
    const left = innerHeight - top - MARGIN;
    text.style.height = `${Math.min(MOST_TEXT, Math.max(LEAST_TEXT, left - rest))}px`;
    side.style.maxHeight = isWide ? `${Math.max(LEAST_SIDE, left)}px` : "";
  }
}
