-- The receipts of a site that came against an order, newest first.
CREATE INDEX purchase_receipt_day ON purchase_receipt (site_id, business_date, id);
