// Which classes are offered, under which keys, and what a filter leaves of them.

const DIGITS = 9;

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

class Choice {
  constructor(classes) {
    this.classes = classes;
    this.codes = classCodes(classes);
    this.typed = null; // in the filter; null = closed
  }

  get isFiltering() {
    return this.typed !== null;
  }

  // Few classes keep the digit of their place in the data set; of many, the most likely nine have one.
  of(row, isBlind) {
    const { classes } = this;
    const probs = new Map(isBlind ? [] : row.classes);
    const byLikelihood = isBlind ? classes : row.classes.map(([name]) => name);
    const names = [...byLikelihood, ...classes.filter((name) => !probs.has(name) && !isBlind)];
    const isFew = classes.length <= DIGITS;
    const likeliest = names.filter((name) => name !== row.label).slice(0, DIGITS);
    const shortcuts = new Map((isFew ? classes : likeliest).map((name, i) => [name, String(i + 1)]));
    const unfiltered = isFew ? names : likeliest;
    const chosen = this.isFiltering ? matchingClasses(names, this.codes, this.typed) : unfiltered;
    return chosen.map((name) => ({
      name,
      prob: probs.get(name) ?? null,
      shortcut: this.isFiltering ? null : (shortcuts.get(name) ?? null),
    }));
  }

  // The class that has been typed beyond doubt, null while more may follow.
  named() {
    return namedBeyondDoubt(this.classes, this.codes, this.typed);
  }
}
