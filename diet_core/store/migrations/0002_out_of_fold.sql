-- By models that did not train on the example; null where a run was scored without folds.
ALTER TABLE scores ADD COLUMN predicted_label_oof VARCHAR;
ALTER TABLE scores ADD COLUMN suggested_label_oof VARCHAR;
ALTER TABLE scores ADD COLUMN suggested_probability_oof DOUBLE;
ALTER TABLE scores ADD COLUMN el2n_oof DOUBLE;
ALTER TABLE scores ADD COLUMN loss_oof DOUBLE;
ALTER TABLE scores ADD COLUMN margin_oof DOUBLE;
ALTER TABLE scores ADD COLUMN label_error_oof DOUBLE;
