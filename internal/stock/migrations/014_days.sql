-- Lists of documents begin where they are asked for, whatever a site has beside it: by kind, by day, newest first.
CREATE INDEX stock_document_kind ON stock_document (site_id, kind, business_date, id);
CREATE INDEX stock_document_day ON stock_document (site_id, business_date, id);
DROP INDEX stock_document_site;
CREATE INDEX stock_landed_day ON stock_landed (site_id, business_date, id);
-- Those in a state are few but the settled ones.
CREATE INDEX stock_transfer_state ON stock_transfer (state, id);
