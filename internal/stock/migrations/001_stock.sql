-- A batch at a site. Its id is the id of the account that counts it; value_id is the account of its value.
-- expires_at is UTC ms; what keeps for ever expires at the end of the year 9999. open: there is something left.
CREATE TABLE stock_batch (
    id          BIGINT PRIMARY KEY,
    value_id    BIGINT NOT NULL REFERENCES ledger_account (id),
    site_id     BIGINT NOT NULL REFERENCES org_site (id),
    sku_id      BIGINT NOT NULL REFERENCES catalog_sku (id),
    code        TEXT NOT NULL,
    made_on     TEXT NOT NULL,
    expires_at  BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    document_id BIGINT NOT NULL,
    open        SMALLINT NOT NULL,
    CONSTRAINT stock_batch_open_flag CHECK (open IN (0, 1)),
    CONSTRAINT stock_batch_account FOREIGN KEY (id) REFERENCES ledger_account (id)
);
CREATE UNIQUE INDEX stock_batch_code ON stock_batch (site_id, sku_id, code);
-- Used-up batches are no longer in it, so that the earliest expiry is found at once for ever.
CREATE INDEX stock_batch_open ON stock_batch (site_id, sku_id, expires_at, id) WHERE open = 1;
CREATE INDEX stock_batch_document ON stock_batch (document_id);

-- Goods received, written off, adjusted. Sales and refunds are documents of the till.
CREATE TABLE stock_document (
    id            BIGINT PRIMARY KEY,
    kind          SMALLINT NOT NULL,
    site_id       BIGINT NOT NULL REFERENCES org_site (id),
    business_date TEXT NOT NULL,
    reason        TEXT NOT NULL,
    ref           TEXT NOT NULL,
    note          TEXT NOT NULL,
    staff_id      BIGINT NOT NULL,
    made_at       BIGINT NOT NULL
);
CREATE INDEX stock_document_site ON stock_document (site_id, id);

-- qty in thousandths of the base unit and value in fen, into the batch above 0, out of it below.
CREATE TABLE stock_document_line (
    document_id BIGINT NOT NULL REFERENCES stock_document (id),
    line_no     BIGINT NOT NULL,
    batch_id    BIGINT NOT NULL REFERENCES stock_batch (id),
    qty         BIGINT NOT NULL,
    value_fen   BIGINT NOT NULL,
    PRIMARY KEY (document_id, line_no),
    CONSTRAINT stock_document_line_qty CHECK (qty <> 0 AND (value_fen = 0 OR (qty > 0) = (value_fen > 0)))
);
CREATE INDEX stock_document_line_batch ON stock_document_line (batch_id);
