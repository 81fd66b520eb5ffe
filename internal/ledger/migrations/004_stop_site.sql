-- Where the kind is stopped: 0 is everywhere.
ALTER TABLE ledger_stop ADD COLUMN site_id BIGINT NOT NULL DEFAULT 0;
DROP INDEX ledger_stop_open;
CREATE UNIQUE INDEX ledger_stop_open ON ledger_stop (proof, doc_kind, site_id) WHERE state < 3;
