-- What a requisition by a recipe is made from, frozen with it: the mix that was in force (0: the shares that the recipe says), the
-- yield of the recipe, and of each need the component in whose line it is (0: it was asked for before recipes had a choice), what the
-- line takes for one yield in thousandths of that component's base unit, the share of the line in millionths, and the ratio: num
-- of the material do what den of the component do.
ALTER TABLE produce_requisition ADD COLUMN mix_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE produce_requisition ADD COLUMN yield_qty BIGINT NOT NULL DEFAULT 0;
ALTER TABLE produce_need ADD COLUMN of_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE produce_need ADD COLUMN per_qty BIGINT NOT NULL DEFAULT 0;
ALTER TABLE produce_need ADD COLUMN share BIGINT NOT NULL DEFAULT 1000000;
ALTER TABLE produce_need ADD COLUMN num BIGINT NOT NULL DEFAULT 1;
ALTER TABLE produce_need ADD COLUMN den BIGINT NOT NULL DEFAULT 1;
