-- Training texts that are nearly the same, found once per data set version (which never changes).
CREATE TABLE near_duplicates (
    dataset_id VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    group_id INTEGER NOT NULL        -- from 0 in the order of the groups' first examples; two or more rows each
);

-- Which versions were searched: one without near-duplicates has no rows above.
CREATE TABLE near_duplicate_searches (
    dataset_id VARCHAR PRIMARY KEY,
    threshold DOUBLE NOT NULL,       -- smallest Jaccard index of two texts' sets of words
    n_groups INTEGER NOT NULL,
    searched_at TIMESTAMP NOT NULL
);
