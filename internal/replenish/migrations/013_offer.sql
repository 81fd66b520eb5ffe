-- What a store has to spare of a product that sells far below its forecast, and offers to stores that it is in reach of. spare may still
-- be taken, taken is; until is when the store closes or the last of it is over its time. One that is not ended per store and product.
CREATE TABLE replenish_offer (
  id BIGINT PRIMARY KEY,
  site_id BIGINT NOT NULL REFERENCES org_site (id),
  date TEXT NOT NULL,
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  state TEXT NOT NULL,
  execution TEXT NOT NULL,
  spare BIGINT NOT NULL,
  taken BIGINT NOT NULL,
  until BIGINT NOT NULL,
  made_at BIGINT NOT NULL,
  opened_by BIGINT NOT NULL,
  ended_at BIGINT,
  ended_by BIGINT NOT NULL,
  ended_why TEXT NOT NULL,
  reason TEXT NOT NULL,
  CONSTRAINT replenish_offer_state CHECK (state IN ('proposed', 'open', 'ended')),
  CONSTRAINT replenish_offer_why CHECK ((state = 'ended') = (ended_why IN ('taken', 'sold', 'faster', 'expired', 'withdrawn'))),
  CONSTRAINT replenish_offer_qty CHECK (spare >= 0 AND taken >= 0)
);
CREATE UNIQUE INDEX replenish_offer_one ON replenish_offer (site_id, product_id) WHERE state <> 'ended';
CREATE INDEX replenish_offer_day ON replenish_offer (site_id, date, id);

-- Who took so much of it, and the transfer by which it comes.
CREATE TABLE replenish_take (
  id BIGINT PRIMARY KEY,
  offer_id BIGINT NOT NULL REFERENCES replenish_offer (id),
  site_id BIGINT NOT NULL REFERENCES org_site (id),
  qty BIGINT NOT NULL,
  transfer_id BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  taken_at BIGINT NOT NULL,
  CONSTRAINT replenish_take_qty CHECK (qty > 0)
);
CREATE INDEX replenish_take_offer ON replenish_take (offer_id, id);
CREATE UNIQUE INDEX replenish_take_transfer ON replenish_take (transfer_id);
