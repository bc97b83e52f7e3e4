-- What a million examples need: the rank of each score, so that tables, cards and selections read whole numbers
-- instead of sorting; and `position`, the example's place in its data set version (which never changes), by which
-- rows are found and joined without comparing ids.
ALTER TABLE scores ADD COLUMN position INTEGER;
-- 1 = hardest; equal scores in the order of `tie` and example_id; null for a run that lacks the score of an example.
ALTER TABLE scores ADD COLUMN rank_el2n INTEGER;
ALTER TABLE scores ADD COLUMN rank_grand INTEGER;
ALTER TABLE scores ADD COLUMN rank_loss INTEGER;
ALTER TABLE scores ADD COLUMN rank_confidence INTEGER;
ALTER TABLE scores ADD COLUMN rank_variability INTEGER;
ALTER TABLE scores ADD COLUMN rank_correctness INTEGER;
ALTER TABLE scores ADD COLUMN rank_forgetting INTEGER;
ALTER TABLE scores ADD COLUMN rank_aum INTEGER;
ALTER TABLE scores ADD COLUMN rank_self_confidence INTEGER;
ALTER TABLE scores ADD COLUMN rank_label_error INTEGER;
ALTER TABLE scores ADD COLUMN rank_el2n_oof INTEGER;
ALTER TABLE scores ADD COLUMN rank_loss_oof INTEGER;
ALTER TABLE scores ADD COLUMN rank_margin_oof INTEGER;
ALTER TABLE scores ADD COLUMN rank_label_error_oof INTEGER;
-- By which layout a run was loaded: those of older ones get their ranks when the store is next reconciled.
ALTER TABLE runs ADD COLUMN layout INTEGER;

CREATE TEMP TABLE old_scores AS SELECT * FROM scores;
DELETE FROM scores;
INSERT INTO scores
SELECT s.* REPLACE (e.position AS position)
FROM old_scores s LEFT JOIN runs USING (run_id)
LEFT JOIN examples e ON e.dataset_id = runs.dataset_id AND e.example_id = s.example_id;
DROP TABLE old_scores;

-- Positions instead of ids: five seeds of a million examples are five million rows. Predictions and probabilities of
-- the given label stay null for runs that were loaded before and whose folder is gone.
ALTER TABLE seed_scores RENAME TO old_seed_scores;
CREATE TABLE seed_scores (
    run_id VARCHAR NOT NULL,
    seed BIGINT NOT NULL,
    step BIGINT NOT NULL,
    position INTEGER NOT NULL,
    el2n DOUBLE,
    grand DOUBLE,
    predicted SMALLINT,              -- number of the class
    label_probability FLOAT          -- of the given label
);
INSERT INTO seed_scores (run_id, seed, step, position, el2n, grand)
SELECT s.run_id, seed, step, e.position, el2n, grand
FROM old_seed_scores s JOIN runs USING (run_id)
JOIN examples e ON e.dataset_id = runs.dataset_id AND e.example_id = s.example_id;
DROP TABLE old_seed_scores;

-- Which classes the hardest examples are of, at each score step.
CREATE TABLE step_tops (
    run_id VARCHAR NOT NULL,
    step INTEGER NOT NULL,
    epoch DOUBLE NOT NULL,           -- epochs done
    is_reliable BOOLEAN NOT NULL,
    score VARCHAR NOT NULL,          -- which; the mean over seeds at that step
    percent SMALLINT NOT NULL,       -- of the examples, that count as the hardest
    label VARCHAR NOT NULL,
    count BIGINT NOT NULL
);
