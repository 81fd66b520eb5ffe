-- A batch is found by its code at whatever site: a label is read where it lies.
CREATE INDEX stock_batch_by_code ON stock_batch (code, id);
