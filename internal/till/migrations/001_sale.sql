-- A place where sales are rung up. The prefix is printed on slips and never changes.
CREATE TABLE till_register (
  id BIGINT PRIMARY KEY,
  site_id BIGINT NOT NULL REFERENCES org_site (id),
  code TEXT NOT NULL,
  name TEXT NOT NULL,
  prefix TEXT NOT NULL,
  closed SMALLINT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX till_register_code ON till_register (site_id, code);
CREATE UNIQUE INDEX till_register_prefix ON till_register (prefix);

-- A register on a business date: its drawer (a ledger account) and the last numbers given out, one series for
-- sales and one for refunds. The row is locked by whoever takes a number, so only one register waits for itself.
CREATE TABLE till_shift (
  register_id BIGINT NOT NULL REFERENCES till_register (id),
  business_date TEXT NOT NULL,
  drawer_id BIGINT NOT NULL,
  last_sale BIGINT NOT NULL,
  last_refund BIGINT NOT NULL,
  PRIMARY KEY (register_id, business_date)
);

-- What a payment provider owes a site: a ledger account.
CREATE TABLE till_clearing (
  site_id BIGINT NOT NULL REFERENCES org_site (id),
  provider TEXT NOT NULL,
  account_id BIGINT NOT NULL,
  PRIMARY KEY (site_id, provider)
);

-- Amounts are fen, VAT included. The rows of a sale carry no foreign keys: a sale writes some thirty rows, each check
-- would cost as much as its row, and the proofs look for rows without their sale. Every number of a series has its row, also when the payment failed.
CREATE TABLE till_sale (
  id BIGINT PRIMARY KEY,
  site_id BIGINT NOT NULL,
  register_id BIGINT NOT NULL,
  business_date TEXT NOT NULL,
  slip_no BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  sold_at BIGINT NOT NULL,
  state TEXT NOT NULL,
  total_fen BIGINT NOT NULL,
  tax_fen BIGINT NOT NULL,
  refunded_fen BIGINT NOT NULL,
  caller_key TEXT NOT NULL,
  CONSTRAINT till_sale_state CHECK (state IN ('paid', 'awaiting_payment', 'failed', 'voided')),
  CONSTRAINT till_sale_refunded CHECK (refunded_fen >= 0 AND refunded_fen <= total_fen)
);
CREATE UNIQUE INDEX till_sale_slip ON till_sale (register_id, business_date, slip_no);
CREATE UNIQUE INDEX till_sale_key ON till_sale (staff_id, caller_key);
CREATE INDEX till_sale_site ON till_sale (site_id, id);
CREATE INDEX till_sale_awaiting ON till_sale (id) WHERE state = 'awaiting_payment';

-- qty is thousandths of the sales unit, base_qty of the base unit. The name is the one that was printed.
CREATE TABLE till_line (
  sale_id BIGINT NOT NULL,
  line_no BIGINT NOT NULL,
  product_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  name TEXT NOT NULL,
  qty BIGINT NOT NULL,
  base_qty BIGINT NOT NULL,
  price_fen BIGINT NOT NULL,
  amount_fen BIGINT NOT NULL,
  tax_fen BIGINT NOT NULL,
  tax_bp BIGINT NOT NULL,
  PRIMARY KEY (sale_id, line_no),
  CONSTRAINT till_line_sold CHECK (qty > 0 AND base_qty > 0)
);

-- What a line took from which batch, in thousandths of the base unit and fen of cost. While a payment is
-- awaited, and when it fails, it is what is or was held, and costs 0.
-- leg is the number of the leg in the ledger that moved, or will move, the goods.
CREATE TABLE till_line_batch (
  sale_id BIGINT NOT NULL,
  leg BIGINT NOT NULL,
  line_no BIGINT NOT NULL,
  batch_id BIGINT NOT NULL,
  base_qty BIGINT NOT NULL,
  cost_fen BIGINT NOT NULL,
  PRIMARY KEY (sale_id, leg)
);

-- kind 1 cash, 2 mobile. given_fen is what the customer handed over in cash, 0 for mobile.
CREATE TABLE till_tender (
  sale_id BIGINT NOT NULL,
  tender_no BIGINT NOT NULL,
  kind SMALLINT NOT NULL,
  amount_fen BIGINT NOT NULL,
  given_fen BIGINT NOT NULL,
  PRIMARY KEY (sale_id, tender_no),
  CONSTRAINT till_tender_amount CHECK (amount_fen >= 0)
);

-- A request to a payment provider: kind 1 takes money, 2 gives back what of_id took, for a refund or (refund_id 0)
-- because it came too late. The id is the key we send; the row
-- is stored before the request. dropped says that nobody wants the money any more.
CREATE TABLE till_payment (
  id BIGINT PRIMARY KEY,
  sale_id BIGINT NOT NULL REFERENCES till_sale (id),
  refund_id BIGINT NOT NULL,
  of_id BIGINT NOT NULL,
  tender_no BIGINT NOT NULL,
  kind SMALLINT NOT NULL,
  provider TEXT NOT NULL,
  amount_fen BIGINT NOT NULL,
  code TEXT NOT NULL,
  state TEXT NOT NULL,
  dropped SMALLINT NOT NULL,
  sent_at BIGINT NOT NULL,
  asked_at BIGINT NOT NULL,
  settled_at BIGINT NOT NULL,
  ref TEXT NOT NULL,
  reason TEXT NOT NULL,
  CONSTRAINT till_payment_state CHECK (state IN ('unknown', 'pending', 'done', 'failed')),
  CONSTRAINT till_payment_amount CHECK (amount_fen > 0)
);
CREATE INDEX till_payment_sale ON till_payment (sale_id);
CREATE INDEX till_payment_open ON till_payment (id) WHERE state IN ('unknown', 'pending');

CREATE TABLE till_refund (
  id BIGINT PRIMARY KEY,
  sale_id BIGINT NOT NULL REFERENCES till_sale (id),
  site_id BIGINT NOT NULL,
  register_id BIGINT NOT NULL REFERENCES till_register (id),
  business_date TEXT NOT NULL,
  slip_no BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  refunded_at BIGINT NOT NULL,
  reason TEXT NOT NULL,
  amount_fen BIGINT NOT NULL,
  tax_fen BIGINT NOT NULL,
  caller_key TEXT NOT NULL
);
CREATE UNIQUE INDEX till_refund_slip ON till_refund (register_id, business_date, slip_no);
CREATE UNIQUE INDEX till_refund_key ON till_refund (staff_id, caller_key);
CREATE INDEX till_refund_sale ON till_refund (sale_id);
CREATE INDEX till_refund_site ON till_refund (site_id, business_date);

-- back 1 into its batch, 2 discarded.
CREATE TABLE till_refund_line (
  refund_id BIGINT NOT NULL REFERENCES till_refund (id),
  line_no BIGINT NOT NULL,
  qty BIGINT NOT NULL,
  base_qty BIGINT NOT NULL,
  amount_fen BIGINT NOT NULL,
  tax_fen BIGINT NOT NULL,
  back SMALLINT NOT NULL,
  PRIMARY KEY (refund_id, line_no),
  CONSTRAINT till_refund_line_qty CHECK (qty > 0 AND base_qty > 0)
);

-- leg is that of the sale which is taken back.
CREATE TABLE till_refund_batch (
  refund_id BIGINT NOT NULL REFERENCES till_refund (id),
  leg BIGINT NOT NULL,
  line_no BIGINT NOT NULL,
  batch_id BIGINT NOT NULL,
  base_qty BIGINT NOT NULL,
  cost_fen BIGINT NOT NULL,
  PRIMARY KEY (refund_id, leg)
);

-- How the money went back: kind as in till_tender; tender_no is the tender of the sale it answers to.
CREATE TABLE till_refund_tender (
  refund_id BIGINT NOT NULL REFERENCES till_refund (id),
  tender_no BIGINT NOT NULL,
  kind SMALLINT NOT NULL,
  amount_fen BIGINT NOT NULL,
  PRIMARY KEY (refund_id, tender_no, kind)
);

-- Cash from a drawer in place of money that the provider refused to give back (till_payment kind 2, failed).
CREATE TABLE till_pay_out (
  payment_id BIGINT PRIMARY KEY REFERENCES till_payment (id),
  sale_id BIGINT NOT NULL REFERENCES till_sale (id),
  site_id BIGINT NOT NULL,
  register_id BIGINT NOT NULL REFERENCES till_register (id),
  business_date TEXT NOT NULL,
  staff_id BIGINT NOT NULL,
  paid_at BIGINT NOT NULL,
  amount_fen BIGINT NOT NULL
);
CREATE INDEX till_pay_out_sale ON till_pay_out (sale_id);
CREATE INDEX till_pay_out_site ON till_pay_out (site_id, business_date);

-- What happened to a sale after it was rung up.
CREATE TABLE till_trail (
  id BIGINT PRIMARY KEY,
  sale_id BIGINT NOT NULL REFERENCES till_sale (id),
  at BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  act TEXT NOT NULL,
  note TEXT NOT NULL
);
CREATE INDEX till_trail_sale ON till_trail (sale_id, id);
