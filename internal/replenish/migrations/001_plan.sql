-- The plan of a site for a business date. Its lines are those of its version; 0: none is in force yet. decisions counts
-- what people decided of it; fingerprint tells whether planning again came to the same. Quantities here and below are
-- thousandths of base units.
CREATE TABLE replenish_plan (
  id BIGINT PRIMARY KEY,
  site_id BIGINT NOT NULL REFERENCES org_site (id),
  date TEXT NOT NULL,
  version BIGINT NOT NULL,
  decisions BIGINT NOT NULL,
  fingerprint TEXT NOT NULL,
  run_id BIGINT NOT NULL,
  data_until TEXT NOT NULL,
  made_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX replenish_plan_day ON replenish_plan (site_id, date);

-- What is to be made of a product in a round of the day, from half hour to half hour after midnight; ready is the half
-- hour by which it must be there. proposed is the machine's figure, made what the kitchen has reported. why is JSON.
CREATE TABLE replenish_production (
  id BIGINT PRIMARY KEY,
  plan_id BIGINT NOT NULL REFERENCES replenish_plan (id),
  version BIGINT NOT NULL,
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  round_no BIGINT NOT NULL,
  from_slot BIGINT NOT NULL,
  to_slot BIGINT NOT NULL,
  ready_slot BIGINT NOT NULL,
  mean BIGINT NOT NULL,
  quantile BIGINT NOT NULL,
  on_hand BIGINT NOT NULL,
  proposed BIGINT NOT NULL,
  make BIGINT NOT NULL,
  made BIGINT NOT NULL,
  state TEXT NOT NULL,
  staff_id BIGINT NOT NULL,
  decided_at BIGINT,
  reason TEXT NOT NULL,
  why TEXT NOT NULL,
  CONSTRAINT replenish_production_state CHECK (state IN ('proposed', 'confirmed', 'changed', 'done')),
  CONSTRAINT replenish_production_qty CHECK (make >= 0 AND made >= 0 AND proposed >= 0)
);
CREATE UNIQUE INDEX replenish_production_round ON replenish_production (plan_id, version, product_id, round_no);

-- What is needed of a material, a semi-finished or a bought product on a day. on_hand and in_transit are what there is
-- in date and due by then; net is what is missing; made: it is made here.
CREATE TABLE replenish_requirement (
  id BIGINT PRIMARY KEY,
  plan_id BIGINT NOT NULL REFERENCES replenish_plan (id),
  version BIGINT NOT NULL,
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  date TEXT NOT NULL,
  gross BIGINT NOT NULL,
  loss BIGINT NOT NULL,
  need BIGINT NOT NULL,
  on_hand BIGINT NOT NULL,
  in_transit BIGINT NOT NULL,
  net BIGINT NOT NULL,
  made SMALLINT NOT NULL,
  lacking SMALLINT NOT NULL,
  why TEXT NOT NULL
);
CREATE UNIQUE INDEX replenish_requirement_day ON replenish_requirement (plan_id, version, product_id, date);

-- What is to be ordered: from a supplier (supplier_id, at the terms of the moment) or from a site of the group
-- (source_id). order_by is local, "YYYY-MM-DD HH:MM". Decided: staff_id, decided_at; document_id and document_line are the
-- line of the order or requisition it became, 0 when it was decided that nothing is ordered.
CREATE TABLE replenish_proposal (
  id BIGINT PRIMARY KEY,
  plan_id BIGINT NOT NULL REFERENCES replenish_plan (id),
  version BIGINT NOT NULL,
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  supplier_id BIGINT NOT NULL,
  source_id BIGINT NOT NULL,
  due TEXT NOT NULL,
  order_by TEXT NOT NULL,
  late SMALLINT NOT NULL,
  net BIGINT NOT NULL,
  packs BIGINT NOT NULL,
  proposed BIGINT NOT NULL,
  qty BIGINT NOT NULL,
  amount_fen BIGINT NOT NULL,
  pack BIGINT NOT NULL,
  unit TEXT NOT NULL,
  unit_num BIGINT NOT NULL,
  unit_den BIGINT NOT NULL,
  price_fen4 BIGINT NOT NULL,
  min_packs BIGINT NOT NULL,
  state TEXT NOT NULL,
  staff_id BIGINT NOT NULL,
  decided_at BIGINT,
  reason TEXT NOT NULL,
  document_id BIGINT NOT NULL,
  document_line BIGINT NOT NULL,
  why TEXT NOT NULL,
  CONSTRAINT replenish_proposal_state CHECK (state IN ('proposed', 'confirmed', 'changed')),
  CONSTRAINT replenish_proposal_from CHECK ((supplier_id = 0) <> (source_id = 0)),
  CONSTRAINT replenish_proposal_qty CHECK (qty >= 0 AND proposed >= 0 AND packs >= 0)
);
CREATE INDEX replenish_proposal_plan ON replenish_proposal (plan_id, version, product_id);
CREATE INDEX replenish_proposal_source ON replenish_proposal (source_id, due) WHERE source_id > 0;

-- Which site makes a product for another; product_id 0: all that have a recipe and no rule of their own.
CREATE TABLE replenish_source (
  site_id BIGINT NOT NULL REFERENCES org_site (id),
  product_id BIGINT NOT NULL,
  source_id BIGINT NOT NULL REFERENCES org_site (id),
  lead_h BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (site_id, product_id),
  CONSTRAINT replenish_source_other CHECK (site_id <> source_id AND lead_h >= 0)
);

-- What one site of the group asks of another (要货单).
CREATE TABLE replenish_requisition (
  id BIGINT PRIMARY KEY,
  no TEXT NOT NULL,
  site_id BIGINT NOT NULL REFERENCES org_site (id),
  source_id BIGINT NOT NULL REFERENCES org_site (id),
  due TEXT NOT NULL,
  plan_id BIGINT NOT NULL,
  state TEXT NOT NULL,
  staff_id BIGINT NOT NULL,
  made_at BIGINT NOT NULL,
  lines BIGINT NOT NULL,
  CONSTRAINT replenish_requisition_state CHECK (state IN ('confirmed', 'closed'))
);
CREATE UNIQUE INDEX replenish_requisition_no ON replenish_requisition (no);
CREATE UNIQUE INDEX replenish_requisition_open ON replenish_requisition (plan_id, source_id, due) WHERE state = 'confirmed';
CREATE INDEX replenish_requisition_site ON replenish_requisition (site_id, id);
CREATE INDEX replenish_requisition_source ON replenish_requisition (source_id, due);

CREATE TABLE replenish_requisition_line (
  requisition_id BIGINT NOT NULL REFERENCES replenish_requisition (id),
  line_no BIGINT NOT NULL,
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  qty BIGINT NOT NULL,
  proposal_id BIGINT NOT NULL,
  PRIMARY KEY (requisition_id, line_no),
  CONSTRAINT replenish_requisition_line_qty CHECK (qty > 0)
);
CREATE UNIQUE INDEX replenish_requisition_line_proposal ON replenish_requisition_line (proposal_id);

-- The last number of a site's requisitions on a date.
CREATE TABLE replenish_series (
  site_id BIGINT NOT NULL,
  date TEXT NOT NULL,
  last BIGINT NOT NULL,
  PRIMARY KEY (site_id, date)
);
