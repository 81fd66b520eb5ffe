-- What a line of a return is worth to the supplier: so much of the batch at the price it came in for.
ALTER TABLE stock_document_line ADD COLUMN claim_fen BIGINT NOT NULL DEFAULT 0;

-- Costs that belong to goods that have come in already (freight, duty, handling), shared over the batches of a
-- receipt: what belongs to goods that are still here raises their value, the rest is cost of what has gone.
CREATE TABLE stock_landed (
    id            BIGINT PRIMARY KEY,
    site_id       BIGINT NOT NULL REFERENCES org_site (id),
    business_date TEXT NOT NULL,
    receipt_id    BIGINT NOT NULL REFERENCES stock_document (id),
    basis         TEXT NOT NULL,
    charge_fen    BIGINT NOT NULL,
    ref           TEXT NOT NULL,
    note          TEXT NOT NULL,
    staff_id      BIGINT NOT NULL,
    made_at       BIGINT NOT NULL,
    CONSTRAINT stock_landed_basis CHECK (basis IN ('value', 'weight', 'volume', 'count') AND charge_fen > 0)
);
CREATE INDEX stock_landed_receipt ON stock_landed (receipt_id);

CREATE TABLE stock_landed_line (
    landed_id BIGINT NOT NULL REFERENCES stock_landed (id),
    line_no   BIGINT NOT NULL,
    batch_id  BIGINT NOT NULL REFERENCES stock_batch (id),
    share_fen BIGINT NOT NULL,
    stock_fen BIGINT NOT NULL,
    PRIMARY KEY (landed_id, line_no),
    CONSTRAINT stock_landed_line_share CHECK (share_fen >= 0 AND stock_fen >= 0 AND stock_fen <= share_fen)
);
