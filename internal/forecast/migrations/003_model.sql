-- What a weekly training left: the model of a panel (trees, weights, pooled spread and calendar; gob). ready = 0: being
-- written. cutoff is the last business date it knows; features are the columns of its trees.
CREATE TABLE forecast_model (
	id BIGINT PRIMARY KEY,
	cutoff TEXT NOT NULL,
	features TEXT NOT NULL,
	lunar SMALLINT NOT NULL,
	series BIGINT NOT NULL,
	made_at BIGINT NOT NULL,
	ready SMALLINT NOT NULL,
	body BYTEA NOT NULL
);

-- What the training remembers of one site's products: regressions, own spread, past errors (gob). seen counts the product
-- days with a sale in the year up to the cut-off: history that grew since wants another training.
CREATE TABLE forecast_memory (
	site_id BIGINT NOT NULL,
	model_id BIGINT NOT NULL REFERENCES forecast_model (id),
	series BIGINT NOT NULL,
	seen BIGINT NOT NULL,
	body BYTEA NOT NULL,
	PRIMARY KEY (site_id, model_id)
);
CREATE INDEX forecast_memory_model ON forecast_memory (model_id);

-- Which model a forecast is from, and a digest of all it says: the same again is not written again.
ALTER TABLE forecast_run ADD COLUMN model_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE forecast_run ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';
