-- What a site orders from a supplier for a day. plan_id 0: ordered by hand. lines is the last line number.
CREATE TABLE purchase_order (
  id BIGINT PRIMARY KEY,
  no TEXT NOT NULL,
  site_id BIGINT NOT NULL REFERENCES org_site (id),
  supplier_id BIGINT NOT NULL REFERENCES party_supplier (id),
  due TEXT NOT NULL,
  order_by TEXT NOT NULL,
  plan_id BIGINT NOT NULL,
  state TEXT NOT NULL,
  note TEXT NOT NULL,
  lines BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  made_at BIGINT NOT NULL,
  sent_by BIGINT NOT NULL,
  sent_at BIGINT,
  closed_by BIGINT NOT NULL,
  closed_at BIGINT,
  CONSTRAINT purchase_order_state CHECK (state IN ('proposed', 'confirmed', 'sent', 'part_received', 'received', 'closed'))
);
CREATE UNIQUE INDEX purchase_order_no ON purchase_order (no);
CREATE INDEX purchase_order_site ON purchase_order (site_id, id);
CREATE INDEX purchase_order_coming ON purchase_order (site_id, due) WHERE state IN ('confirmed', 'sent', 'part_received');
-- Lines of a plan are collected in one order until it is sent.
CREATE UNIQUE INDEX purchase_order_collect ON purchase_order (plan_id, supplier_id, due, order_by) WHERE state = 'confirmed' AND plan_id > 0;

-- pack is thousandths of the unit, which is unit_num/unit_den base units; price_fen4 is of one unit; qty and received
-- are thousandths of the base unit. received and received_fen are the sums of the receipts.
CREATE TABLE purchase_line (
  order_id BIGINT NOT NULL REFERENCES purchase_order (id),
  line_no BIGINT NOT NULL,
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  packs BIGINT NOT NULL,
  pack BIGINT NOT NULL,
  unit TEXT NOT NULL,
  unit_num BIGINT NOT NULL,
  unit_den BIGINT NOT NULL,
  price_fen4 BIGINT NOT NULL,
  qty BIGINT NOT NULL,
  amount_fen BIGINT NOT NULL,
  received BIGINT NOT NULL,
  received_fen BIGINT NOT NULL,
  proposal_id BIGINT NOT NULL,
  PRIMARY KEY (order_id, line_no),
  CONSTRAINT purchase_line_qty CHECK (packs > 0 AND qty > 0 AND amount_fen >= 0 AND received >= 0 AND received_fen >= 0)
);
CREATE UNIQUE INDEX purchase_line_proposal ON purchase_line (proposal_id) WHERE proposal_id > 0;
CREATE INDEX purchase_line_product ON purchase_line (product_id, order_id);

-- A goods receipt against an order; its id is that of the document of stock.
CREATE TABLE purchase_receipt (
  id BIGINT PRIMARY KEY,
  order_id BIGINT NOT NULL REFERENCES purchase_order (id),
  site_id BIGINT NOT NULL,
  business_date TEXT NOT NULL,
  ref TEXT NOT NULL,
  note TEXT NOT NULL,
  staff_id BIGINT NOT NULL,
  received_at BIGINT NOT NULL
);
CREATE INDEX purchase_receipt_order ON purchase_receipt (order_id);

CREATE TABLE purchase_receipt_line (
  receipt_id BIGINT NOT NULL REFERENCES purchase_receipt (id),
  line_no BIGINT NOT NULL,
  order_line BIGINT NOT NULL,
  batch_id BIGINT NOT NULL,
  qty BIGINT NOT NULL,
  cost_fen BIGINT NOT NULL,
  PRIMARY KEY (receipt_id, line_no),
  CONSTRAINT purchase_receipt_line_qty CHECK (qty > 0 AND cost_fen >= 0)
);
CREATE INDEX purchase_receipt_line_batch ON purchase_receipt_line (batch_id);

-- The last number of a site's orders on a date.
CREATE TABLE purchase_series (
  site_id BIGINT NOT NULL,
  date TEXT NOT NULL,
  last BIGINT NOT NULL,
  PRIMARY KEY (site_id, date)
);
