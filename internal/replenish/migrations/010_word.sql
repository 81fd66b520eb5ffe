-- Suppliers are taken at their word for a product, whatever their record.
ALTER TABLE replenish_policy ADD COLUMN at_word SMALLINT NOT NULL DEFAULT 0;
