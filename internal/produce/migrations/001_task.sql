-- What a workshop asks for to make so much of a product. Quantities are thousandths of base units.
CREATE TABLE produce_requisition (
  id BIGINT PRIMARY KEY,
  site_id BIGINT NOT NULL REFERENCES org_site (id),
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  qty BIGINT NOT NULL,
  state TEXT NOT NULL,
  business_date TEXT NOT NULL,
  note TEXT NOT NULL,
  staff_id BIGINT NOT NULL,
  made_at BIGINT NOT NULL,
  CONSTRAINT produce_requisition_state CHECK (state IN ('open', 'completed')),
  CONSTRAINT produce_requisition_qty CHECK (qty > 0)
);
CREATE INDEX produce_requisition_site ON produce_requisition (site_id, id);

-- The materials that the whole quantity takes by its recipe, losses of the recipe included.
CREATE TABLE produce_need (
  requisition_id BIGINT NOT NULL REFERENCES produce_requisition (id),
  line_no BIGINT NOT NULL,
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  qty BIGINT NOT NULL,
  PRIMARY KEY (requisition_id, line_no),
  CONSTRAINT produce_need_qty CHECK (qty > 0)
);
CREATE UNIQUE INDEX produce_need_product ON produce_need (requisition_id, product_id);

-- Made by completing a requisition. Its id is that of its work order, the account with the value of what was taken.
CREATE TABLE produce_task (
  id BIGINT PRIMARY KEY,
  requisition_id BIGINT NOT NULL REFERENCES produce_requisition (id),
  site_id BIGINT NOT NULL REFERENCES org_site (id),
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  planned BIGINT NOT NULL,
  state TEXT NOT NULL,
  business_date TEXT NOT NULL,
  cost_fen BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  made_at BIGINT NOT NULL,
  CONSTRAINT produce_task_state CHECK (state IN ('open', 'done')),
  CONSTRAINT produce_task_order FOREIGN KEY (id) REFERENCES ledger_account (id)
);
CREATE UNIQUE INDEX produce_task_requisition ON produce_task (requisition_id);
CREATE INDEX produce_task_site ON produce_task (site_id, id);

-- What was taken of which batch; the i-th is the legs 2i-1 and 2i of the requisition.
CREATE TABLE produce_issue (
  task_id BIGINT NOT NULL REFERENCES produce_task (id),
  line_no BIGINT NOT NULL,
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  sku_id BIGINT NOT NULL REFERENCES catalog_sku (id),
  batch_id BIGINT NOT NULL,
  qty BIGINT NOT NULL,
  cost_fen BIGINT NOT NULL,
  PRIMARY KEY (task_id, line_no),
  CONSTRAINT produce_issue_qty CHECK (qty > 0 AND cost_fen >= 0)
);
CREATE INDEX produce_issue_batch ON produce_issue (batch_id);

-- What came of a task: its legs 1 and 2. batch_id is 0 when all was lost.
CREATE TABLE produce_output (
  id BIGINT PRIMARY KEY,
  task_id BIGINT NOT NULL REFERENCES produce_task (id),
  site_id BIGINT NOT NULL REFERENCES org_site (id),
  business_date TEXT NOT NULL,
  batch_id BIGINT NOT NULL,
  sku_id BIGINT NOT NULL REFERENCES catalog_sku (id),
  qty BIGINT NOT NULL,
  cost_fen BIGINT NOT NULL,
  reason TEXT NOT NULL,
  made_at BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  posted_at BIGINT NOT NULL,
  CONSTRAINT produce_output_qty CHECK (qty >= 0 AND cost_fen >= 0 AND (qty > 0) = (batch_id > 0))
);
CREATE UNIQUE INDEX produce_output_task ON produce_output (task_id);
CREATE UNIQUE INDEX produce_output_batch ON produce_output (batch_id) WHERE batch_id > 0;

-- Material beyond what the recipe takes for what came out; the i-th is the legs 2i+1 and 2i+2 of the output.
CREATE TABLE produce_loss (
  output_id BIGINT NOT NULL REFERENCES produce_output (id),
  line_no BIGINT NOT NULL,
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  sku_id BIGINT NOT NULL REFERENCES catalog_sku (id),
  qty BIGINT NOT NULL,
  cost_fen BIGINT NOT NULL,
  PRIMARY KEY (output_id, line_no),
  CONSTRAINT produce_loss_qty CHECK (qty > 0 AND cost_fen >= 0)
);
