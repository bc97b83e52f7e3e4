-- Which texts have a word: a search of a million texts looks here first. Words are what spaces part.
CREATE TABLE words (
    dataset_id VARCHAR NOT NULL,
    word_id INTEGER NOT NULL,        -- from 1 in each data set version, in the order of the words
    word VARCHAR NOT NULL,           -- in small letters, of either text of a pair
    n INTEGER NOT NULL               -- how often it stands in them
);
CREATE TABLE word_places (
    dataset_id VARCHAR NOT NULL,
    word_id INTEGER NOT NULL,        -- rows lie in this order
    position INTEGER NOT NULL        -- of the text among the version's examples, for each time it stands there
);
INSERT INTO words
SELECT dataset_id, row_number() OVER (PARTITION BY dataset_id ORDER BY word), word, count(*)
FROM (
    SELECT dataset_id, unnest(string_split(lower(concat_ws(' ', text, text_pair)), ' ')) AS word
    FROM examples
)
WHERE word <> '' GROUP BY dataset_id, word ORDER BY dataset_id, word;
INSERT INTO word_places
SELECT dataset_id, word_id, position
FROM (
    SELECT dataset_id, position,
           unnest(string_split(lower(concat_ws(' ', text, text_pair)), ' ')) AS word
    FROM examples
)
JOIN words USING (dataset_id, word) ORDER BY dataset_id, word_id, position;
