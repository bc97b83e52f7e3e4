-- How the scores of a run go together: worked out once, when it is loaded.
CREATE TABLE score_correlations (
    run_id VARCHAR NOT NULL,
    x VARCHAR NOT NULL,              -- a score that every example has
    y VARCHAR NOT NULL,              -- another one, or the same
    spearman DOUBLE NOT NULL         -- of the values, tied ones sharing a rank; NaN where one of both is constant
);
