-- Where goods of a batch are that are not simply there to be sold: their account of goods is id, that of their
-- value value_id. slot_id 0 is the site itself, owner_id 0 is us, channel '' is for everybody. status: 1 available,
-- 2 frozen, 3 inspecting, 4 damaged. What is available, ours, at the site itself and for everybody has no row here:
-- it is on the accounts of the batch, which are all that a sale looks at. open: something is in it.
CREATE TABLE stock_place (
    id       BIGINT PRIMARY KEY,
    value_id BIGINT NOT NULL REFERENCES ledger_account (id),
    batch_id BIGINT NOT NULL REFERENCES stock_batch (id),
    site_id  BIGINT NOT NULL REFERENCES org_site (id),
    sku_id   BIGINT NOT NULL REFERENCES catalog_sku (id),
    slot_id  BIGINT NOT NULL,
    status   SMALLINT NOT NULL,
    owner_id BIGINT NOT NULL,
    channel  TEXT NOT NULL,
    open     SMALLINT NOT NULL,
    CONSTRAINT stock_place_account FOREIGN KEY (id) REFERENCES ledger_account (id),
    CONSTRAINT stock_place_status CHECK (status IN (1, 2, 3, 4) AND open IN (0, 1)),
    CONSTRAINT stock_place_elsewhere CHECK (slot_id <> 0 OR status <> 1 OR owner_id <> 0 OR channel <> '')
);
CREATE UNIQUE INDEX stock_place_spot ON stock_place (batch_id, slot_id, status, owner_id, channel);
CREATE INDEX stock_place_open ON stock_place (site_id, sku_id) WHERE open = 1;

-- A line is about the place place_id of its batch, or about the batch itself when it is 0. to_id is the account at
-- the other end when that is kept too (a place, the batch, goods in transit), 0 for a flow.
ALTER TABLE stock_document_line ADD COLUMN place_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE stock_document_line ADD COLUMN to_id BIGINT NOT NULL DEFAULT 0;
