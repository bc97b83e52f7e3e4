// Where the reviewer is in the queue: rows that are here, what comes next, what was said. No DOM, no network.

const ENOUGH_AHEAD = 35; // undecided examples that should be here beyond the one on the screen
const MOST_ROWS = 300; // kept in memory
const DECISIONS = new Set(["keep", "drop", "relabel", "unsure"]);
const FLAGS = new Set(["flag", "unflag"]);
const NOTHING = { decision: null, label: null, note: "", by: [], isFlagged: false };

class Place {
  constructor() {
    this.rows = new Map(); // example_id -> what the server sent of it
    this.states = new Map(); // example_id -> what was said of it, as far as it is known here
    this.upcoming = []; // undecided example_ids in the order of review, skipped ones last
    this.remaining = 0; // undecided in the whole queue
    this.at = null; // the example on the screen
    this.log = []; // events of this visit, the oldest first; `seq` = the message that carried it
    this.last = []; // the server's list of the last decisions, the newest first
    this.undone = new Set(); // names of events that were taken back: client_event_id or decision_id
    this.progress = null;
    this.isLoaded = false;
    this.waitsForNext = false;
  }

  receive(data) {
    const late = new Set(this.unknownTo(data.seq).map((e) => e.example_id));
    for (const row of data.rows) {
      this.rows.set(row.example_id, row);
      if (!late.has(row.example_id)) this.states.set(row.example_id, { ...NOTHING, ...row.state, isFlagged: Boolean(row.state?.flagged) });
    }
    if (data.last) this.last = data.last;
    if (data.progress) this.progress = data.progress;
    if (data.upcoming) this.receiveUpcoming(data);
    if (data.is_fresh) this.at = data.is_named ? data.start : (this.upcoming[0] ?? data.start);
    if (this.waitsForNext || (this.at === null && this.upcoming.length)) this.goOn();
    this.forget();
  }

  // The server's list does not know yet what was done while it was on its way.
  receiveUpcoming(data) {
    this.upcoming = data.upcoming;
    this.remaining = data.remaining;
    this.isLoaded = true;
    for (const event of this.unknownTo(data.seq)) this.moveInQueue(event);
  }

  // What was done before this visit and is not delivered yet: the server's lists do not know of it.
  adopt(events) {
    for (const event of events) {
      this.log.push({ ...event, before: this.state(event.example_id) });
      if (event.action === "undo") this.undone.add(event.reverts);
      this.noteState(event);
    }
  }

  unknownTo(seq) {
    return this.log.filter((event) => !event.seq || event.seq > seq);
  }

  moveInQueue(event) {
    if (FLAGS.has(event.action)) return;
    const isThere = this.upcoming.includes(event.example_id);
    this.upcoming = this.upcoming.filter((id) => id !== event.example_id);
    if (event.action === "undo") this.upcoming.unshift(event.example_id);
    if (event.action === "skip") this.upcoming.push(event.example_id);
    if (isThere && DECISIONS.has(event.action)) this.remaining -= 1;
    if (!isThere && event.action === "undo") this.remaining += 1;
  }

  state(id) {
    return this.states.get(id) ?? NOTHING;
  }

  row() {
    return this.rows.get(this.at) ?? null;
  }

  needsMore() {
    const here = this.upcoming.filter((id) => this.rows.has(id)).length;
    const isShort = here < ENOUGH_AHEAD && here < this.remaining;
    return !this.isLoaded || isShort || (this.at !== null && !this.rows.has(this.at));
  }

  did(event) {
    const before = this.state(event.example_id);
    this.log.push({ ...event, before });
    this.noteState(event);
    if (FLAGS.has(event.action)) return;
    this.moveInQueue(event);
    this.goOn();
  }

  noteState({ example_id, action, label, note }) {
    const before = this.state(example_id);
    if (FLAGS.has(action)) this.states.set(example_id, { ...before, isFlagged: action === "flag" });
    else if (DECISIONS.has(action)) this.states.set(example_id, { ...before, decision: action, label, note });
    else if (action === "undo") this.states.set(example_id, { ...before, decision: null, label: null });
  }

  goOn() {
    const next = this.upcoming[0];
    this.at = next ?? null;
    this.waitsForNext = next === undefined && this.remaining > 0;
  }

  // The neighbour in the queue, decided or not; null where it is not here.
  beside(step) {
    const pos = this.row()?.pos ?? null;
    if (pos === null) return null;
    for (const row of this.rows.values()) if (row.pos === pos + step) return row.example_id;
    return null;
  }

  isUndone(event) {
    return this.undone.has(event.client_event_id) || this.undone.has(event.decision_id);
  }

  // Decisions and skips that stand, the newest first: those of this visit, then what the server knew.
  lastDecisions(most) {
    const told = new Map(this.last.map((e) => [e.client_event_id, e]));
    const own = this.log.filter((e) => e.action !== "undo").map((e) => ({ ...told.get(e.client_event_id), ...e })).reverse();
    const known = new Set(own.map((e) => e.client_event_id));
    const old = this.last.filter((e) => !known.has(e.client_event_id));
    return [...own, ...old].filter((e) => !this.isUndone(e) && !FLAGS.has(e.action)).slice(0, most);
  }

  // Returns the event that takes back the last decision, or null.
  undo() {
    const [was] = this.lastDecisions(1);
    if (!was) return null;
    const name = was.client_event_id ?? was.decision_id;
    this.undone.add(name);
    if (was.before) this.states.set(was.example_id, was.before);
    else this.states.set(was.example_id, { ...this.state(was.example_id), decision: null, label: null });
    const event = { example_id: was.example_id, action: "undo", label: null, note: "", reverts: name };
    return { event, isBatch: was.n > 1 };
  }

  undid(event) {
    this.log.push(event);
    this.moveInQueue(event);
    this.at = event.example_id;
    this.waitsForNext = false;
  }

  // Much has changed elsewhere: everything but the example on the screen is asked for again.
  reload() {
    for (const id of this.rows.keys()) if (id !== this.at) this.rows.delete(id);
    this.isLoaded = false;
  }

  // Examples decided here that the server's count does not know yet.
  uncounted() {
    const uncounted = this.unknownTo(this.progress?.seq ?? 0);
    return uncounted.filter((e) => DECISIONS.has(e.action) && !e.before.decision && !this.isUndone(e)).length;
  }

  forget() {
    const wanted = new Set([this.at, ...this.upcoming.slice(0, MOST_ROWS / 2)]);
    for (const id of this.rows.keys()) {
      if (this.rows.size <= MOST_ROWS) return;
      if (!wanted.has(id)) this.rows.delete(id);
    }
  }
}
