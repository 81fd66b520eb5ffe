-- A price change is a document: drafted, approved, in force from a date or an instant on, or cancelled before. Its entries are
-- added when it is approved. valid_at is the instant of the date from which an entry holds, 0: from its beginning.
CREATE TABLE price_document (
  id BIGINT PRIMARY KEY,
  day TEXT NOT NULL,
  day_no BIGINT NOT NULL,
  site_id BIGINT REFERENCES org_site (id),
  valid_from TEXT NOT NULL,
  valid_at BIGINT NOT NULL,
  note TEXT NOT NULL,
  state TEXT NOT NULL,
  revision BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  CONSTRAINT price_document_state CHECK (state IN ('draft', 'approved', 'cancelled'))
);
CREATE UNIQUE INDEX price_document_no ON price_document (day, day_no);

CREATE TABLE price_document_line (
  document_id BIGINT NOT NULL REFERENCES price_document (id),
  line_no BIGINT NOT NULL,
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  unit_id BIGINT NOT NULL REFERENCES catalog_unit (id),
  price_fen BIGINT,
  before_fen BIGINT,
  PRIMARY KEY (document_id, line_no),
  CONSTRAINT price_document_line_not_negative CHECK (price_fen >= 0)
);
CREATE UNIQUE INDEX price_document_line_unit ON price_document_line (document_id, unit_id);

CREATE TABLE price_document_trail (
  id BIGINT PRIMARY KEY,
  document_id BIGINT NOT NULL REFERENCES price_document (id),
  at BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  act TEXT NOT NULL,
  note TEXT NOT NULL
);
CREATE INDEX price_document_trail_of ON price_document_trail (document_id, id);

-- An entry that has not begun can be withdrawn with its document; it never was anybody's price.
ALTER TABLE price_entry ADD COLUMN document_id BIGINT;
ALTER TABLE price_entry ADD COLUMN valid_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE price_entry ADD COLUMN withdrawn SMALLINT NOT NULL DEFAULT 0;
CREATE INDEX price_entry_document ON price_entry (document_id);
