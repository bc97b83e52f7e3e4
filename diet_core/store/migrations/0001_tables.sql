-- Data sets are immutable: a new import of the same name is a new version.
CREATE TABLE datasets (
    dataset_id VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    source VARCHAR NOT NULL,
    source_format VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    roles VARCHAR NOT NULL,          -- JSON
    classes VARCHAR NOT NULL,        -- JSON list, in the order of the class numbers
    label_values VARCHAR NOT NULL,   -- JSON: class name -> the source file's own value
    test_source VARCHAR,
    has_source BOOLEAN NOT NULL,     -- whether the source's own rows are kept beside the database
    imported_at TIMESTAMP NOT NULL   -- UTC, as all times here
);

-- Bulk tables have no keys: an index costs more than the load, and ids are checked when they come in.
CREATE TABLE examples (
    dataset_id VARCHAR NOT NULL,
    position BIGINT NOT NULL,        -- the order of the source; never identity
    example_id VARCHAR NOT NULL,
    source_row BIGINT NOT NULL,
    text VARCHAR NOT NULL,
    text_pair VARCHAR,
    label VARCHAR NOT NULL,
    split VARCHAR NOT NULL
);

CREATE TABLE runs (
    run_id VARCHAR PRIMARY KEY,
    dataset_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    config VARCHAR NOT NULL,         -- JSON
    state VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP
);

CREATE TABLE scores (
    run_id VARCHAR NOT NULL,
    example_id VARCHAR NOT NULL,
    tie UBIGINT NOT NULL,            -- first 8 bytes of blake2b(example_id): the order of equal scores
    label VARCHAR NOT NULL,
    predicted_label VARCHAR,
    suggested_label VARCHAR,
    suggested_probability DOUBLE,
    el2n DOUBLE,
    el2n_std DOUBLE,
    grand DOUBLE,
    grand_std DOUBLE,
    loss DOUBLE,
    confidence DOUBLE,
    variability DOUBLE,
    correctness DOUBLE,
    forgetting DOUBLE,
    never_learned BOOLEAN,
    aum DOUBLE,
    label_error DOUBLE
);

CREATE TABLE seed_scores (
    run_id VARCHAR NOT NULL,
    seed BIGINT NOT NULL,
    step BIGINT NOT NULL,
    example_id VARCHAR NOT NULL,
    el2n DOUBLE,
    grand DOUBLE
);

CREATE TABLE metrics (
    run_id VARCHAR NOT NULL,
    arm VARCHAR,
    seed BIGINT,
    epoch BIGINT,
    accuracy DOUBLE,
    loss DOUBLE,
    n_train BIGINT,
    per_class_recall VARCHAR         -- JSON: class name -> recall
);

-- Append-only: undo is an event that names the event it reverts.
CREATE SEQUENCE decision_ids;
CREATE TABLE decisions (
    decision_id BIGINT PRIMARY KEY DEFAULT nextval('decision_ids'),
    dataset_id VARCHAR NOT NULL,
    example_id VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    old_label VARCHAR NOT NULL,
    label VARCHAR,
    note VARCHAR NOT NULL,
    reviewer VARCHAR NOT NULL,
    decided_at TIMESTAMP NOT NULL,
    run_id VARCHAR,
    queue_id VARCHAR,
    batch_id VARCHAR,
    reverts BIGINT,
    client_event_id VARCHAR UNIQUE
);

CREATE TABLE queues (
    queue_id VARCHAR PRIMARY KEY,
    definition VARCHAR NOT NULL,     -- JSON
    example_ids VARCHAR[] NOT NULL   -- frozen, in the order of review
);

CREATE TABLE selections (
    selection_id VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,           -- JSON
    run_id VARCHAR NOT NULL,
    example_id VARCHAR NOT NULL,
    is_kept BOOLEAN NOT NULL
);

-- What each reviewer last said of an example and has not taken back.
CREATE VIEW standing_decisions AS
SELECT decision_id, dataset_id, example_id, action, old_label, label, note, reviewer, decided_at
FROM decisions
WHERE reverts IS NULL
  AND decision_id NOT IN (SELECT reverts FROM decisions WHERE reverts IS NOT NULL)
QUALIFY row_number() OVER (
    PARTITION BY dataset_id, example_id, reviewer ORDER BY decision_id DESC
) = 1;

-- One row per decided example: n_opinions = 1 where the reviewers agree on action and label.
CREATE VIEW judged_examples AS
SELECT dataset_id,
       example_id,
       count(DISTINCT (action, coalesce(label, ''))) AS n_opinions,
       arg_max(action, decision_id) AS action,
       arg_max(label, decision_id) AS label,
       arg_max(note, decision_id) AS note,
       string_agg(reviewer, ', ' ORDER BY decision_id) AS reviewer,
       max(decided_at) AS decided_at,
       max(decision_id) AS decision_id,
       any_value(old_label) AS old_label
FROM standing_decisions
GROUP BY dataset_id, example_id;
