// Decisions on their way to the server. They stay in this browser's localStorage until the server says that it
// has them, so neither a refresh nor a dead server nor a closed tab loses one. The server knows each by its
// client_event_id: what is sent twice is stored once.

const RESEND_AFTER = 1500; // milliseconds without an answer
const MOST_AT_ONCE = 500;

function freshId() {
  if (globalThis.crypto?.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // plain http on another machine's address
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

class Outbox {
  constructor(place) {
    this.prefix = `data-diet outbox ${place} `;
    this.key = this.prefix + freshId();
    this.isKept = true; // whether the browser lets us keep anything
    this.events = this.adopted();
    this.save();
  }

  // What an earlier visit, or a tab that was closed, could not deliver.
  adopted() {
    const found = new Map();
    for (const key of this.keys()) {
      for (const event of JSON.parse(localStorage.getItem(key) ?? "[]")) found.set(event.client_event_id, event);
    }
    return [...found.values()].sort((a, b) => a.at - b.at);
  }

  keys() {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith(this.prefix));
    } catch {
      this.isKept = false;
      return [];
    }
  }

  save() {
    try {
      if (this.events.length) localStorage.setItem(this.key, JSON.stringify(this.events));
      else localStorage.removeItem(this.key);
      this.isKept = true;
    } catch {
      this.isKept = false;
    }
  }

  add(event) {
    this.events.push({ ...event, at: Date.now() });
    this.save();
  }

  // The server has these, or will never take them.
  settle(ids) {
    if (!ids.length) return;
    const settled = new Set(ids);
    const left = (events) => events.filter((event) => !settled.has(event.client_event_id));
    this.events = left(this.events);
    this.save();
    for (const key of this.keys()) {
      if (key === this.key) continue;
      const others = left(JSON.parse(localStorage.getItem(key) ?? "[]"));
      if (others.length) localStorage.setItem(key, JSON.stringify(others));
      else localStorage.removeItem(key);
    }
  }

  first() {
    return this.events.slice(0, MOST_AT_ONCE);
  }
}

// One message at a time: the next one leaves when the server has answered, or does not.
class Post {
  constructor(outbox) {
    this.outbox = outbox;
    this.seq = 0;
    this.sentAt = 0;
    this.isWaiting = false;
    this.timer = setInterval(() => this.retry(), 500);
  }

  get isLate() {
    return this.isWaiting && Date.now() - this.firstSentAt > 2 * RESEND_AFTER;
  }

  retry() {
    const isDue = this.isWaiting && Date.now() - this.sentAt > RESEND_AFTER;
    if (isDue) this.deliver();
    this.onTick?.();
  }

  // `message` returns what else the server is told; it is asked for at the moment of sending.
  send() {
    if (!this.isWaiting) this.deliver();
    else this.hasMore = true;
  }

  deliver() {
    if (!this.isWaiting) this.firstSentAt = Date.now();
    this.isWaiting = true;
    this.hasMore = false;
    this.sentAt = Date.now();
    this.seq += 1;
    this.write?.({ ...this.message(), seq: this.seq, session: this.session, events: this.outbox.first() });
  }

  answered(data) {
    this.outbox.settle([...data.accepted, ...Object.keys(data.refused)]);
    if (data.session !== this.session || data.seq < this.seq) return;
    this.isWaiting = false;
    if (this.hasMore || this.outbox.events.length) this.deliver();
  }

  stop() {
    clearInterval(this.timer);
  }
}

// How far the decisions have come, for the line above the card.
function savedInWords(outbox, post, refusals) {
  const waiting = outbox.events.length;
  if (refusals.length) return { state: "refused", words: refusals.at(-1) };
  if (!outbox.isKept) {
    return { state: "late", words: "This browser cannot store decisions: wait for “Saved” before you close the page." };
  }
  if (waiting && post.isLate) {
    return { state: "late", words: `Not connected. ${waiting} unsaved, kept in this browser until the app answers.` };
  }
  return waiting ? { state: "sending", words: "Saving …" } : { state: "saved", words: "Saved" };
}
