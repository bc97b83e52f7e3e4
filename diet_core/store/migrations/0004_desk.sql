-- Besides decisions there are marks (skip, flag, unflag): events too, but nobody's opinion of an example.
CREATE VIEW standing_events AS
SELECT decision_id, dataset_id, example_id, action, old_label, label, note, reviewer, decided_at, run_id,
       queue_id, batch_id, client_event_id
FROM decisions
WHERE reverts IS NULL
  AND decision_id NOT IN (SELECT reverts FROM decisions WHERE reverts IS NOT NULL);

-- What each reviewer last said of an example and has not taken back.
CREATE OR REPLACE VIEW standing_decisions AS
SELECT decision_id, dataset_id, example_id, action, old_label, label, note, reviewer, decided_at
FROM standing_events
WHERE action IN ('keep', 'drop', 'relabel', 'unsure')
QUALIFY row_number() OVER (
    PARTITION BY dataset_id, example_id, reviewer ORDER BY decision_id DESC
) = 1;

-- A flag belongs to the example: whoever flags or unflags it last has the say.
CREATE VIEW flagged_examples AS
SELECT dataset_id, example_id
FROM standing_events
WHERE action IN ('flag', 'unflag')
QUALIFY row_number() OVER (PARTITION BY dataset_id, example_id ORDER BY decision_id DESC) = 1
    AND action = 'flag';

-- A skip belongs to its reviewer, and ends with the next decision, whoever takes it.
CREATE VIEW skipped_examples AS
SELECT dataset_id, example_id, skips.reviewer
FROM (SELECT * FROM standing_events WHERE action = 'skip') skips
LEFT JOIN (
    SELECT dataset_id, example_id, max(decision_id) AS last_id FROM standing_events
    WHERE action IN ('keep', 'drop', 'relabel', 'unsure') GROUP BY dataset_id, example_id
) decided USING (dataset_id, example_id)
GROUP BY dataset_id, example_id, skips.reviewer
HAVING max(skips.decision_id) > coalesce(max(decided.last_id), 0);

-- How a data set (all its versions) is to be labelled: the last edit holds, the others stay.
CREATE SEQUENCE guideline_ids;
CREATE TABLE guidelines (
    guideline_id BIGINT PRIMARY KEY DEFAULT nextval('guideline_ids'),
    dataset VARCHAR NOT NULL,        -- its name
    text VARCHAR NOT NULL,           -- Markdown
    editor VARCHAR NOT NULL,
    edited_at TIMESTAMP NOT NULL
);
