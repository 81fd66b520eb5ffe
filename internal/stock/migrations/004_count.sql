-- A count of a site: open (people count), review (nobody counts any more), posting (a job brings the books to what was
-- counted), posted; or cancelled. limit_fen: a difference worth more needs the consent of somebody who did not count it.
CREATE TABLE stock_count (
    id         BIGINT PRIMARY KEY,
    site_id    BIGINT NOT NULL REFERENCES org_site (id),
    kind       TEXT NOT NULL,
    by_batch   SMALLINT NOT NULL,
    blind      SMALLINT NOT NULL,
    limit_fen  BIGINT NOT NULL,
    state      TEXT NOT NULL,
    note       TEXT NOT NULL,
    made_at    BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    CONSTRAINT stock_count_state CHECK (state IN ('open', 'review', 'posting', 'posted', 'cancelled') AND kind IN ('full', 'cycle')),
    CONSTRAINT stock_count_limit CHECK (limit_fen >= 0 AND by_batch IN (0, 1) AND blind IN (0, 1))
);
CREATE INDEX stock_count_site ON stock_count (site_id, id);

-- A line is a product (batch_id 0) or a batch. book is what the books said at the moment it was counted, so that sales go on
-- meanwhile; diff = counted - book at that moment. entries: how often it was counted. state: 1 not counted, 2 counted,
-- 3 to be counted again, 4 approved, 5 posted, 6 could not be posted.
CREATE TABLE stock_count_line (
    count_id    BIGINT NOT NULL REFERENCES stock_count (id),
    line_no     BIGINT NOT NULL,
    sku_id      BIGINT NOT NULL REFERENCES catalog_sku (id),
    batch_id    BIGINT NOT NULL,
    state       SMALLINT NOT NULL,
    entries     BIGINT NOT NULL,
    book        BIGINT NOT NULL,
    counted     BIGINT NOT NULL,
    value_fen   BIGINT NOT NULL,
    decided_by  BIGINT NOT NULL,
    document_id BIGINT NOT NULL,
    PRIMARY KEY (count_id, line_no),
    CONSTRAINT stock_count_line_state CHECK (state BETWEEN 1 AND 6 AND counted >= 0 AND (state <> 1 OR entries = 0) AND (state IN (1, 3) OR entries > 0))
);
CREATE UNIQUE INDEX stock_count_line_goods ON stock_count_line (count_id, sku_id, batch_id);

-- Every time somebody counted a line.
CREATE TABLE stock_count_entry (
    count_id BIGINT NOT NULL,
    line_no  BIGINT NOT NULL,
    entry_no BIGINT NOT NULL,
    counted  BIGINT NOT NULL,
    book     BIGINT NOT NULL,
    staff_id BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (count_id, line_no, entry_no),
    CONSTRAINT stock_count_entry_line FOREIGN KEY (count_id, line_no) REFERENCES stock_count_line (count_id, line_no)
);
