-- A line of goods that were marked down keeps the price of the book in price_fen, names the decision that lowered it,
-- and says what that took off: price × quantity, less off_fen, is amount_fen.
ALTER TABLE till_line ADD COLUMN markdown_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE till_line ADD COLUMN off_fen BIGINT NOT NULL DEFAULT 0 CONSTRAINT till_line_off CHECK (off_fen >= 0);
CREATE INDEX till_line_markdown ON till_line (markdown_id) WHERE markdown_id > 0;
