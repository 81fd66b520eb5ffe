-- What is held of a material beyond what is needed of it, in thousandths of its base unit: net covers both.
ALTER TABLE replenish_requirement ADD COLUMN safety BIGINT NOT NULL DEFAULT 0;
