-- Views and a table by plain names.
DROP VIEW skipped_examples;
DROP VIEW flagged_examples;
DROP VIEW judged_examples;
DROP VIEW standing_decisions;
DROP VIEW standing_events;

-- Events that nobody has taken back.
CREATE VIEW active_events AS
SELECT decision_id, dataset_id, example_id, action, old_label, label, note, reviewer, decided_at, run_id,
       queue_id, batch_id, client_event_id
FROM decisions
WHERE reverts IS NULL
  AND decision_id NOT IN (SELECT reverts FROM decisions WHERE reverts IS NOT NULL);

-- What each reviewer last said of an example and has not taken back.
CREATE VIEW active_decisions AS
SELECT decision_id, dataset_id, example_id, action, old_label, label, note, reviewer, decided_at
FROM active_events
WHERE action IN ('keep', 'drop', 'relabel', 'unsure')
QUALIFY row_number() OVER (
    PARTITION BY dataset_id, example_id, reviewer ORDER BY decision_id DESC
) = 1;

-- One row per decided example: n_opinions = 1 where the reviewers agree on action and label.
CREATE VIEW consensus AS
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
FROM active_decisions
GROUP BY dataset_id, example_id;

-- A flag belongs to the example: the last flag or unflag counts, whoever set it.
CREATE VIEW flagged_examples AS
SELECT dataset_id, example_id
FROM active_events
WHERE action IN ('flag', 'unflag')
QUALIFY row_number() OVER (PARTITION BY dataset_id, example_id ORDER BY decision_id DESC) = 1
    AND action = 'flag';

-- A skip belongs to its reviewer, and ends with the next decision, whoever takes it.
CREATE VIEW skipped_examples AS
SELECT dataset_id, example_id, skips.reviewer
FROM (SELECT * FROM active_events WHERE action = 'skip') skips
LEFT JOIN (
    SELECT dataset_id, example_id, max(decision_id) AS last_id FROM active_events
    WHERE action IN ('keep', 'drop', 'relabel', 'unsure') GROUP BY dataset_id, example_id
) decided USING (dataset_id, example_id)
GROUP BY dataset_id, example_id, skips.reviewer
HAVING max(skips.decision_id) > coalesce(max(decided.last_id), 0);

-- How many of the hardest examples are of each class, at each score step.
ALTER TABLE step_tops RENAME TO top_class_counts;

-- Searches read the texts: an index of their words was not worth what it cost.
DROP TABLE word_places;
DROP TABLE words;

-- Ranks within classes are counted when an example is opened.
ALTER TABLE scores DROP COLUMN class_rank_el2n;
ALTER TABLE scores DROP COLUMN class_rank_grand;
ALTER TABLE scores DROP COLUMN class_rank_loss;
ALTER TABLE scores DROP COLUMN class_rank_confidence;
ALTER TABLE scores DROP COLUMN class_rank_variability;
ALTER TABLE scores DROP COLUMN class_rank_correctness;
ALTER TABLE scores DROP COLUMN class_rank_forgetting;
ALTER TABLE scores DROP COLUMN class_rank_aum;
ALTER TABLE scores DROP COLUMN class_rank_self_confidence;
ALTER TABLE scores DROP COLUMN class_rank_label_error;
ALTER TABLE scores DROP COLUMN class_rank_el2n_oof;
ALTER TABLE scores DROP COLUMN class_rank_loss_oof;
ALTER TABLE scores DROP COLUMN class_rank_margin_oof;
ALTER TABLE scores DROP COLUMN class_rank_label_error_oof;
