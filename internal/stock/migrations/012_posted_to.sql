-- How far the posting of a count has come: lines up to here are done.
ALTER TABLE stock_count ADD COLUMN posted_to BIGINT NOT NULL DEFAULT 0;
