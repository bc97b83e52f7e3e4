-- Fifty texts of a million are found by their places, not by reading through all of them.
CREATE INDEX examples_by_position ON examples (position);
-- The rank of each score among the examples of the same label, 1 = hardest; null where the rank is.
ALTER TABLE scores ADD COLUMN class_rank_el2n INTEGER;
ALTER TABLE scores ADD COLUMN class_rank_grand INTEGER;
ALTER TABLE scores ADD COLUMN class_rank_loss INTEGER;
ALTER TABLE scores ADD COLUMN class_rank_confidence INTEGER;
ALTER TABLE scores ADD COLUMN class_rank_variability INTEGER;
ALTER TABLE scores ADD COLUMN class_rank_correctness INTEGER;
ALTER TABLE scores ADD COLUMN class_rank_forgetting INTEGER;
ALTER TABLE scores ADD COLUMN class_rank_aum INTEGER;
ALTER TABLE scores ADD COLUMN class_rank_self_confidence INTEGER;
ALTER TABLE scores ADD COLUMN class_rank_label_error INTEGER;
ALTER TABLE scores ADD COLUMN class_rank_el2n_oof INTEGER;
ALTER TABLE scores ADD COLUMN class_rank_loss_oof INTEGER;
ALTER TABLE scores ADD COLUMN class_rank_margin_oof INTEGER;
ALTER TABLE scores ADD COLUMN class_rank_label_error_oof INTEGER;
