-- Goods that became other goods: the document has its lines as every document of stock, those that went in below 0. What was
-- lost on the way has no batch; its lines go on after those of the document. reversed_by is the document that took it back.
CREATE TABLE stock_conversion (
    document_id BIGINT PRIMARY KEY REFERENCES stock_document (id),
    shape       TEXT NOT NULL,
    basis       TEXT NOT NULL,
    caller_key  TEXT NOT NULL,
    reversed_by BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX stock_conversion_key ON stock_conversion (caller_key);

CREATE TABLE stock_conversion_loss (
    document_id BIGINT NOT NULL REFERENCES stock_document (id),
    line_no     BIGINT NOT NULL,
    sku_id      BIGINT NOT NULL REFERENCES catalog_sku (id),
    qty         BIGINT NOT NULL,
    value_fen   BIGINT NOT NULL,
    reason      TEXT NOT NULL,
    PRIMARY KEY (document_id, line_no),
    CONSTRAINT stock_conversion_loss_qty CHECK (qty > 0 AND value_fen >= 0)
);
