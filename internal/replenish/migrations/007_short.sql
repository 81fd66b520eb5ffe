-- What of a round does not fit its equipment, in thousandths of the base unit.
ALTER TABLE replenish_production ADD COLUMN short BIGINT NOT NULL DEFAULT 0;
