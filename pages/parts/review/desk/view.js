// What the desk looks like. Texts of the data come in as text nodes only: no HTML, no Markdown, no script.

const NEIGHBOURS = 5;
const LAST = 20;
const MOST_CLASSES = 200; // buttons of a filter; more would be slow to draw

class View {
  constructor(root, acts) {
    this.acts = acts;
    this.root = root;
    this.frame = new Frame(root, acts);
    this.parts = this.frame.parts;
  }

  fit() {
    this.frame.fit();
  }

  draw(shown) {
    const { parts } = this;
    const row = shown.row;
    parts.card.hidden = !row;
    parts.empty.hidden = Boolean(row);
    this.drawTop(shown);
    if (row) this.drawCard(shown, row);
    else this.drawEmpty(shown);
    parts.card.dataset.example = row ? row.example_id : "";
    this.drawLast(shown);
    this.fit();
  }

  drawTop({ progress, uncounted, saved }) {
    const n = progress?.n_all ?? 0;
    const decided = Math.min(n, (progress?.n_decided ?? 0) + uncounted);
    const share = n ? decided / n : 0;
    this.parts.fill.style.width = `${100 * share}%`;
    this.parts.fill.parentNode.setAttribute("aria-valuenow", Math.round(100 * share));
    const words = progress ? [`${number(decided)} of ${number(n)} decided`, ...progress.words] : [];
    this.parts.progress.textContent = words.join(" · ");
    this.parts.saved.textContent = saved.words;
    this.parts.saved.dataset.state = saved.state;
  }

  drawCard(shown, row) {
    const { parts } = this;
    const { state, isBlind } = shown;
    parts.label.textContent = row.label;
    parts.suggestion.textContent = isBlind
      ? "Hidden"
      : row.suggested_label === null
        ? "–"
        : `${row.suggested_label}  ${row.suggested_probability === null ? "" : percent(row.suggested_probability)}`;
    const own = state.decision ? actionInWords({ action: state.decision, label: state.label }) : "";
    parts.decision.textContent = [own, ...state.by].filter(Boolean).join("; ") || "–";
    const where = row.pos === null ? "Not in this queue" : `${number(row.pos + 1)} of ${number(shown.n)}`;
    parts.place.textContent = where;
    this.drawText(row, shown.search);
    this.drawActs(shown, row);
    this.drawClasses(shown, row);
    if (document.activeElement !== parts.note) parts.note.value = shown.note;
    this.drawWhy(row, isBlind, shown.whyWords);
    this.drawNearest(row, isBlind);
    this.drawFound(shown);
    this.drawHistory(shown);
  }

  drawText(row, search) {
    const paper = this.parts.text;
    const mark = `${row.example_id}\n${search}`;
    if (paper.dataset.shows === mark) return; // the reader may have scrolled, or selected something
    paper.dataset.shows = mark;
    const body = (text) =>
      el("p", { dir: "auto" }, ...hits(text, search).map(([part, isHit]) => (isHit ? el("mark", {}, part) : part)));
    const pair = row.text_pair === null ? [] : [el("small", {}, "Second text"), body(row.text_pair)];
    paper.replaceChildren(body(row.text), ...pair);
    this.showCard();
  }

  // Another example: from its beginning, also where the reader had gone down to the history.
  showCard() {
    const { card, text, side } = this.parts;
    text.scrollTop = side.scrollTop = 0;
    if (card.getBoundingClientRect().top < 0) card.scrollIntoView({ block: "start" });
  }

  showHistory() {
    this.parts.history.scrollIntoView({ block: "nearest" });
  }

  drawActs({ state, isBlind, canUndo, canGoBack, canGoForward }, row) {
    const { parts } = this;
    parts.take.firstChild.textContent = isBlind ? "Show suggestion" : "Take suggestion";
    parts.take.disabled = !isBlind && row.suggested_label === null;
    parts.flag.setAttribute("aria-pressed", String(state.isFlagged));
    parts.flag.firstChild.textContent = state.isFlagged ? "Flagged" : "Flag";
    parts.undo.disabled = !canUndo;
    parts.back.disabled = !canGoBack;
    parts.forward.disabled = !canGoForward;
  }

  drawClasses({ choices, nKeyed, isFiltering, codes, state }, row) {
    const { parts } = this;
    parts.filterRow.hidden = !(isFiltering || nKeyed < row.classes.length);
    const chosen = state.decision === "relabel" ? state.label : null;
    parts.classList.replaceChildren(
      ...choices.slice(0, MOST_CLASSES).map(({ name, prob, shortcut }) => {
        const bar = el("i", { style: `width:${prob === null ? 0 : Math.max(1, 100 * prob)}%`, "aria-hidden": "true" });
        const options = {
          type: "button",
          class: name === chosen ? "desk-chosen" : "",
          disabled: name === row.label,
          title: name,
          "aria-keyshortcuts": shortcut,
          onclick: () => this.acts.relabel(name),
        };
        return el(
          "button",
          options,
          bar,
          shortcut ? key(shortcut) : isFiltering ? el("kbd", {}, codes.get(name)) : null,
          el("span", { class: "desk-class-name", dir: "auto" }, name),
          prob === null ? null : el("span", { class: "desk-prob" }, percent(prob)),
        );
      }),
    );
    const nMore = choices.length - MOST_CLASSES;
    if (nMore > 0) parts.classList.append(el("small", {}, `and ${number(nMore)} more: keep typing`));
    if (isFiltering && !choices.length) parts.classList.append(el("small", {}, "No class has this name or number."));
  }

  drawWhy(row, isBlind, words) {
    const lines = isBlind ? [] : this.whyLines(row);
    const figures = isBlind
      ? []
      : row.scores.map((score) =>
          el("div", {}, el("small", {}, score.title), el("b", {}, score.value === null ? "–" : score.value.toFixed(3))),
        );
    this.parts.why.replaceChildren(
      el("h2", {}, "Why it is here"),
      figures.length ? el("div", { class: "desk-figures" }, ...figures, this.sparkline(row)) : "",
      ...[...words, ...lines].map((line) => el("p", { dir: "auto" }, line)),
    );
  }

  whyLines(row) {
    const [first] = row.scores;
    const lines = [];
    if (first && first.rank !== null) {
      lines.push(`Rank ${number(first.rank)} of ${number(first.n)} by ${first.title.toLowerCase()}`);
      const share = first.percentile_in_class;
      const above = `Above ${(Math.floor(10 * share) / 10).toFixed(1)} % of class ${row.label}`;
      if (share !== null) lines.push(share >= 100 ? `The highest of class ${row.label}` : above);
    }
    if (row.votes) lines.push(`${row.votes.agree} of ${row.votes.n} seeds predict ${row.votes.predicted}`);
    return lines;
  }

  sparkline(row) {
    const values = row.sparkline ?? [];
    if (values.length < 2) return null;
    const top = Math.max(...values, 1e-9);
    const points = values.map((v, i) => `${((100 * i) / (values.length - 1)).toFixed(1)},${(28 - (26 * v) / top).toFixed(1)}`);
    const words = `EL2N over the checkpoints: ${values.map((v) => v.toFixed(2)).join(", ")}`;
    return svg(
      "svg",
      { class: "desk-spark", viewBox: "0 0 100 30", preserveAspectRatio: "none", role: "img", "aria-label": words },
      svg("polyline", { points: points.join(" ") }),
    );
  }

  drawNearest(row, isBlind) {
    const nearest = isBlind ? [] : (row.neighbours ?? []).slice(0, NEIGHBOURS);
    this.parts.nearest.hidden = !nearest.length;
    this.parts.nearest.replaceChildren(
      el("h2", {}, "Nearest examples"),
      ...nearest.map((near) =>
        el(
          "div",
          { class: near.label === row.label ? "desk-near" : "desk-near desk-differs", title: `Similarity ${near.similarity.toFixed(3)}` },
          el("b", { dir: "auto" }, near.label),
          near.is_same_text ? el("small", {}, "same text") : null,
          el("p", { dir: "auto" }, near.text),
          near.text_pair ? el("p", { dir: "auto" }, near.text_pair) : null,
        ),
      ),
    );
  }

  drawFound({ progress }) {
    const curve = progress?.curve ?? [];
    this.parts.found.hidden = curve.length < 2;
    if (curve.length < 2) return;
    const wide = 100 / curve.length;
    const bars = curve.map((block, i) => {
      const share = block.n_confirmed / block.n_decided;
      const title = svg("title", {});
      title.textContent = `${block.from_rank}–${block.to_rank}: ${percent(share)} of ${block.n_decided} decided`;
      return svg(
        "rect",
        { x: i * wide, y: 30 - 29 * share, width: Math.max(0.5, wide - 1), height: Math.max(0.5, 29 * share) },
        title,
      );
    });
    const words = curve.map((b) => `rank ${b.from_rank} to ${b.to_rank}: ${percent(b.n_confirmed / b.n_decided)}`).join("; ");
    this.parts.found.replaceChildren(
      el("h2", {}, "Errors found, by rank"),
      svg("svg", { class: "desk-curve", viewBox: "0 0 100 30", preserveAspectRatio: "none", role: "img", "aria-label": words }, ...bars),
    );
  }

  drawHistory({ history, row }) {
    const { parts } = this;
    const title = el("button", { type: "button", class: "desk-link", onclick: () => this.acts.history() }, "History", key("H"));
    if (!history || history.example_id !== row.example_id) return parts.history.replaceChildren(title);
    const lines = history.events.map((event) =>
      el(
        "p",
        { class: event.is_reverted ? "desk-reverted" : "", dir: "auto" },
        `${inLocalTime(event.decided_at)} ${event.reviewer}: ${actionInWords(event)}`,
        event.note ? ` – ${event.note}` : "",
      ),
    );
    parts.history.replaceChildren(title, ...(lines.length ? lines : [el("p", {}, "Nobody has decided on it yet.")]));
  }

  drawLast({ last }) {
    const items = last.slice(0, LAST).map((event) =>
      el(
        "li",
        {},
        el(
          "button",
          { type: "button", class: "desk-link", onclick: () => this.acts.open(event.example_id) },
          el("b", { dir: "auto" }, event.n > 1 ? `${actionInWords(event)} × ${number(event.n)}` : actionInWords(event)),
          el("span", { dir: "auto" }, event.text ?? ""),
        ),
      ),
    );
    this.parts.last.replaceChildren(
      el("h2", {}, "Your last decisions"),
      items.length ? el("ol", {}, ...items) : el("p", {}, "None yet."),
    );
  }

  drawEmpty({ n, isWaiting, canUndo }) {
    const words = isWaiting
      ? "Loading the next examples …"
      : n
        ? "Every example of this queue is decided."
        : "No example is in this queue. Choose another source or filter.";
    const undo = el("button", { type: "button", onclick: () => this.acts.undo() }, el("span", {}, "Undo"), key("Z"));
    const again = el("button", { type: "button", onclick: () => this.acts.again() }, "Review them again");
    const isDone = !isWaiting && n > 0;
    this.parts.empty.replaceChildren(
      el("h2", {}, words),
      isDone ? el("p", {}, "Undo a decision, review them again, or choose another queue.") : "",
      el("div", { class: "desk-acts" }, canUndo && !isWaiting ? undo : "", isDone ? again : ""),
    );
  }
}
