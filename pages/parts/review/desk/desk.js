// The review desk: one key decides, saves and shows the next example, without waiting for the server.

const BOUNCE = 30; // milliseconds; no finger presses a key again that fast
const TYPED_IN = "input, textarea, select, [contenteditable=true], [role=dialog], dialog[open]";
const REFRESH_AFTER = 1200; // milliseconds after the last decision until the figures are asked for again

class Desk {
  constructor(root, data) {
    this.outbox = new Outbox(data.place);
    this.post = new Post(this.outbox);
    this.post.session = freshId();
    this.post.message = () => this.message();
    this.post.onTick = () => (root.isConnected ? this.drawSaved() : this.stop());
    this.drafts = new Map(); // notes that no decision has taken along yet
    this.view = new View(root, this.acts());
    this.onKey = (event) => this.pressed(event);
    document.addEventListener("keydown", this.onKey);
    this.onResize = () => this.view.fit();
    window.addEventListener("resize", this.onResize);
    this.begin(data);
  }

  // Another run, queue or reviewer: what is on its way stays on its way.
  begin(data) {
    this.place = new Place();
    this.place.adopt(this.undelivered(data));
    this.isNew = true;
    this.begun = { queue_id: data.queue_id, reviewer: data.reviewer, revision: data.revision };
    this.painted = null;
    this.early = []; // keys that were pressed before the example was on the screen: they wait for it
    this.last = { key: null, at: 0 }; // press
    this.opinionOn = null;
    this.choice = new Choice(data.classes);
    this.history = null;
    this.wantsHistory = null;
    this.refusals = [];
  }

  // Decisions of this reviewer that an earlier visit could not deliver, or that this answer does not know.
  undelivered({ dataset_id, reviewer, accepted, refused }) {
    const settled = new Set([...accepted, ...Object.keys(refused)]);
    const isOurs = (event) => event.dataset_id === dataset_id && event.reviewer === reviewer;
    return this.outbox.events.filter((event) => isOurs(event) && !settled.has(event.client_event_id));
  }

  message() {
    const { place } = this;
    for (const event of this.outbox.first()) {
      const known = place.log.find((e) => e.client_event_id === event.client_event_id);
      if (known && !known.seq) known.seq = this.post.seq;
    }
    told.add(place.at);
    return {
      queue_id: this.begun.queue_id,
      revision: this.begun.revision,
      at: place.at,
      needs_rows: place.needsMore(),
      have: [...place.rows.keys()],
      history: this.wantsHistory,
    };
  }

  // ---- from the server

  receive(component) {
    const { data, setStateValue } = component;
    this.post.write = (message) => setStateValue("outbox", message);
    const isOther = ["queue_id", "reviewer", "revision"].some((name) => data[name] !== this.begun[name]);
    if (isOther) this.begin(data);
    this.data = data;
    this.place.receive({ ...data, is_fresh: this.isNew });
    if (this.isNew) this.returnToPlace(data);
    this.isNew = false;
    this.refusals.push(...Object.values(data.refused));
    const isOpening = data.history && !this.history;
    if (data.history) this.history = data.history;
    this.post.answered(data);
    this.draw();
    if (isOpening) this.view.showHistory();
    this.askForMore();
  }

  // After a refresh: where this tab was, also when the server has not heard of it. An address that somebody
  // typed or followed says more than that.
  returnToPlace(data) {
    const was = this.kept("place");
    const isReload = !hasLived && performance.getEntriesByType("navigation")[0]?.type === "reload";
    hasLived = true;
    const isOurs = isReload || !data.is_named || told.has(data.start);
    if (was?.queue_id === data.queue_id && was.example_id !== null && isOurs) this.place.at = was.example_id;
  }

  askForMore() {
    clearTimeout(this.refresh);
    if (this.post.isWaiting) return;
    if (this.place.needsMore() || this.outbox.events.length) this.post.send();
    else if (this.data.is_stale) this.refresh = setTimeout(() => this.post.send(), REFRESH_AFTER);
  }

  // ---- what the reviewer does

  acts() {
    const decide = (action) => () => this.decide(action);
    return {
      keep: decide("keep"),
      drop: decide("drop"),
      unsure: decide("unsure"),
      skip: decide("skip"),
      take: () => this.take(),
      flag: () => this.decide(this.state().isFlagged ? "unflag" : "flag"),
      relabel: (name) => this.relabel(name),
      back: () => this.goTo(this.place.beside(-1)),
      forward: () => this.goTo(this.place.beside(1)),
      undo: () => this.undo(),
      open: (id) => this.goTo(id),
      again: () => this.goTo(this.data.first),
      help: () => this.view.parts.keys.showModal(),
      history: () => this.askHistory(),
      filter: (typed) => this.filter(typed),
      inFilter: (event) => this.inFilter(event),
      noted: (text) => this.noted(text),
      inNote: (event) => this.inNote(event),
    };
  }

  keys() {
    const acts = this.view.acts;
    return {
      k: acts.keep,
      s: acts.take,
      d: acts.drop,
      u: acts.unsure,
      n: acts.skip,
      f: acts.flag,
      b: acts.back,
      arrowleft: acts.back,
      v: acts.forward,
      arrowright: acts.forward,
      z: acts.undo,
      h: acts.history,
      e: () => this.view.parts.note.focus(),
      "/": () => this.openFilter(),
      "?": acts.help,
    };
  }

  pressed(event) {
    if (!this.view.root.isConnected) return this.stop();
    // A closed dialog keeps the focus until the next frame: keys that go there are for the desk.
    const isTyping = event.target.closest?.(TYPED_IN);
    const isOurs = !event.ctrlKey && !event.metaKey && !event.altKey && !event.defaultPrevented && !event.repeat;
    if (isTyping || !isOurs || document.querySelector("dialog[open], [role=dialog][aria-modal=true]")) return;
    const name = event.key.toLowerCase();
    const act = /^[1-9]$/.test(name) ? () => this.relabelByDigit(Number(name)) : this.keys()[name];
    // What follows a "/" that waits for its example is text for the filter, not a key of its own.
    const isText = this.early.some((one) => one.key === "/") && (name.length === 1 || name === "enter");
    if (!act && !isText) return;
    event.preventDefault();
    const isBounce = event.key === this.last.key && event.timeStamp - this.last.at < BOUNCE;
    this.last = { key: event.key, at: event.timeStamp };
    if (this.painted === (this.place.row()?.example_id ?? null)) act?.();
    else if (isText || !isBounce) this.early.push({ key: event.key, act });
  }

  state() {
    return this.place.state(this.place.at);
  }

  get isBlind() {
    return this.data.is_blind && this.opinionOn !== this.place.at;
  }

  decide(action, label = null) {
    const row = this.place.row();
    if (!row) return;
    const note = this.noteOf(row.example_id);
    const event = this.event({ example_id: row.example_id, action, label, note, text: row.text.slice(0, 80) });
    this.outbox.add(this.outgoing(event));
    this.place.did(event);
    if (DECISIONS.has(action)) this.drafts.delete(row.example_id);
    this.moved();
  }

  event(what) {
    return { client_event_id: freshId(), ...what };
  }

  outgoing({ text, ...event }) {
    const { dataset_id, run_id, queue_id, reviewer } = this.data;
    return { reverts: null, ...event, dataset_id, run_id, queue_id, reviewer };
  }

  moved() {
    this.choice.typed = null;
    this.keep("place", { queue_id: this.begun.queue_id, example_id: this.place.at });
    this.draw();
    this.post.send();
  }

  take() {
    const row = this.place.row();
    if (!row) return;
    if (this.isBlind) {
      this.opinionOn = row.example_id;
      this.draw();
    } else if (row.suggested_label !== null) this.decide("relabel", row.suggested_label);
  }

  relabel(name) {
    if (this.place.row() && name !== this.place.row().label) this.decide("relabel", name);
  }

  relabelByDigit(digit) {
    const choice = this.choices().find((c) => c.shortcut === String(digit));
    if (choice) this.relabel(choice.name);
  }

  goTo(id) {
    if (id === null || id === undefined) return;
    this.place.at = id;
    this.place.waitsForNext = false;
    this.moved();
  }

  undo() {
    const undone = this.place.undo();
    if (!undone) return;
    const event = this.event(undone.event);
    this.outbox.add(this.outgoing(event));
    this.place.undid(event);
    if (undone.isBatch) this.place.reload();
    this.moved();
  }

  askHistory() {
    const { at } = this.place;
    const isOpen = this.wantsHistory === at;
    this.wantsHistory = isOpen ? null : at;
    this.history = null;
    if (isOpen) this.draw();
    else this.post.send();
  }

  noteOf(id) {
    return this.drafts.get(id) ?? this.kept(`note ${id}`) ?? this.place.state(id).note ?? "";
  }

  noted(text) {
    this.drafts.set(this.place.at, text);
    this.keep(`note ${this.place.at}`, text);
  }

  inNote(event) {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    this.view.parts.text.focus();
  }

  openFilter() {
    this.choice.typed = "";
    this.draw();
    this.view.parts.filter.value = "";
    this.view.parts.filter.focus();
  }

  typeInFilter(key) {
    const field = this.view.parts.filter;
    if (key === "Enter") return this.inFilter({ key, preventDefault() {} });
    field.value += key;
    this.filter(field.value);
  }

  filter(typed) {
    this.choice.typed = typed;
    const row = this.place.row();
    const name = this.choice.named();
    if (name !== null && row && name !== row.label) {
      this.closeFilter();
      this.relabel(name);
    } else this.draw();
  }

  inFilter(event) {
    if (event.key === "Escape") this.closeFilter();
    else if (event.key === "Enter") {
      const choice = this.choices().find((c) => c.name !== this.place.row()?.label);
      this.closeFilter();
      if (choice) this.relabel(choice.name);
    } else return;
    event.preventDefault();
  }

  closeFilter() {
    this.choice.typed = null;
    this.view.parts.filter.value = "";
    this.view.parts.text.focus({ preventScroll: true });
    this.draw();
  }

  // ---- what is shown

  choices() {
    const row = this.place.row();
    return row ? this.choice.of(row, this.isBlind) : [];
  }

  shown() {
    const { data, place } = this;
    const row = place.row();
    return {
      row,
      state: this.state(),
      isBlind: this.isBlind,
      n: data.n,
      search: data.search,
      codes: this.choice.codes,
      choices: this.choices(),
      nKeyed: DIGITS,
      isFiltering: this.choice.isFiltering,
      note: row ? this.noteOf(row.example_id) : "",
      whyWords: data.why,
      progress: place.progress,
      uncounted: place.uncounted(),
      saved: savedInWords(this.outbox, this.post, this.refusals),
      history: this.wantsHistory === place.at ? this.history : null,
      last: place.lastDecisions(LAST),
      canUndo: place.lastDecisions(1).length > 0,
      canGoBack: place.beside(-1) !== null,
      canGoForward: place.beside(1) !== null,
      isWaiting: !place.isLoaded || place.waitsForNext || (place.at !== null && !row),
    };
  }

  drawSaved() {
    if (this.data) this.view.drawTop(this.shown());
  }

  draw() {
    this.view.draw(this.shown());
    const at = this.place.row()?.example_id ?? null;
    if (this.painted === at) return;
    this.painted = null;
    // This runs right before the frame that shows it, and no key comes between.
    requestAnimationFrame(() => this.isPainted(at));
  }

  isPainted(at) {
    if ((this.place.row()?.example_id ?? null) !== at) return;
    this.painted = at;
    const early = this.early.splice(0);
    early.shift()?.act?.();
    while (early.length && this.choice.isFiltering) this.typeInFilter(early.shift().key);
    // All others show another example: the next one waits for its frame too.
    this.early.push(...early);
  }

  // ---- kept in this tab

  keep(name, value) {
    try {
      sessionStorage.setItem(`data-diet ${this.data.place} ${name}`, JSON.stringify(value));
    } catch {
      // Only the place and unsent notes of this tab; decisions are in the outbox.
    }
  }

  kept(name) {
    try {
      return JSON.parse(sessionStorage.getItem(`data-diet ${this.data.place} ${name}`));
    } catch {
      return null;
    }
  }

  stop() {
    document.removeEventListener("keydown", this.onKey);
    window.removeEventListener("resize", this.onResize);
    clearTimeout(this.refresh);
    this.post.stop();
  }
}

const desks = new WeakMap();
const told = new Set(); // examples that the server knows this page by, and puts into its address
let hasLived = false;

export default function reviewDesk(component) {
  const { parentElement, data } = component;
  let desk = desks.get(parentElement);
  if (!desk) {
    const root = document.createElement("div");
    parentElement.append(root);
    desk = new Desk(root, data);
    desks.set(parentElement, desk);
  }
  desk.receive(component);
  // Streamlit also calls this when two updates overtake each other.
  return () => {
    if (parentElement.isConnected) return;
    desk.stop();
    desks.delete(parentElement);
  };
}
