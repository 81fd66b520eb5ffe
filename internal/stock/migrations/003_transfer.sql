-- The batch at another site that this one was shipped from; 0: it came from outside, or was made.
ALTER TABLE stock_batch ADD COLUMN source_id BIGINT NOT NULL DEFAULT 0;
CREATE INDEX stock_batch_source ON stock_batch (source_id) WHERE source_id > 0;

-- Goods from one site to another: requested -> shipped -> received -> settled, or cancelled before they are shipped.
-- received: what came was counted, and something is still missing. cause_id is the requisition that it delivers.
CREATE TABLE stock_transfer (
    id         BIGINT PRIMARY KEY,
    from_site  BIGINT NOT NULL REFERENCES org_site (id),
    to_site    BIGINT NOT NULL REFERENCES org_site (id),
    state      TEXT NOT NULL,
    due        TEXT NOT NULL,
    note       TEXT NOT NULL,
    cause_id   BIGINT NOT NULL,
    made_at    BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    CONSTRAINT stock_transfer_sites CHECK (from_site <> to_site),
    CONSTRAINT stock_transfer_state CHECK (state IN ('requested', 'shipped', 'received', 'settled', 'cancelled'))
);
CREATE INDEX stock_transfer_from ON stock_transfer (from_site, id);
CREATE INDEX stock_transfer_to ON stock_transfer (to_site, id);
CREATE UNIQUE INDEX stock_transfer_cause ON stock_transfer (cause_id) WHERE cause_id > 0 AND state <> 'cancelled';

CREATE TABLE stock_transfer_line (
    transfer_id BIGINT NOT NULL REFERENCES stock_transfer (id),
    line_no     BIGINT NOT NULL,
    sku_id      BIGINT NOT NULL REFERENCES catalog_sku (id),
    asked       BIGINT NOT NULL,
    PRIMARY KEY (transfer_id, line_no),
    CONSTRAINT stock_transfer_line_asked CHECK (asked > 0)
);

-- Goods of a batch on their way, with an account of goods (id) and one of their value. What was shipped is received,
-- lost, or back; over is what came beyond it. to_batch is what they became at the other site.
CREATE TABLE stock_transit (
    id          BIGINT PRIMARY KEY,
    value_id    BIGINT NOT NULL REFERENCES ledger_account (id),
    transfer_id BIGINT NOT NULL REFERENCES stock_transfer (id),
    line_no     BIGINT NOT NULL,
    batch_id    BIGINT NOT NULL REFERENCES stock_batch (id),
    sku_id      BIGINT NOT NULL REFERENCES catalog_sku (id),
    to_site     BIGINT NOT NULL REFERENCES org_site (id),
    to_batch    BIGINT NOT NULL,
    shipped     BIGINT NOT NULL,
    received    BIGINT NOT NULL,
    over        BIGINT NOT NULL,
    lost        BIGINT NOT NULL,
    back        BIGINT NOT NULL,
    CONSTRAINT stock_transit_account FOREIGN KEY (id) REFERENCES ledger_account (id),
    CONSTRAINT stock_transit_sums CHECK (shipped > 0 AND received >= 0 AND over >= 0 AND lost >= 0 AND back >= 0 AND received + lost + back <= shipped)
);
CREATE INDEX stock_transit_transfer ON stock_transit (transfer_id, line_no);
CREATE INDEX stock_transit_open ON stock_transit (to_site, sku_id) WHERE received + lost + back < shipped;

-- Who did what to a transfer or a count, and which document came of it (0: none).
CREATE TABLE stock_trail (
    id          BIGINT PRIMARY KEY,
    subject_id  BIGINT NOT NULL,
    act         TEXT NOT NULL,
    staff_id    BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    document_id BIGINT NOT NULL,
    note        TEXT NOT NULL
);
CREATE INDEX stock_trail_subject ON stock_trail (subject_id, id);

-- The transfer or count that a document came of; 0: none.
ALTER TABLE stock_document ADD COLUMN cause_id BIGINT NOT NULL DEFAULT 0;
CREATE INDEX stock_document_cause ON stock_document (cause_id) WHERE cause_id > 0;
