-- 1: every step is taken when its time has come; 0: one that would earn less than the price in force waits for the next look.
ALTER TABLE clear_rule ADD COLUMN at_once SMALLINT NOT NULL DEFAULT 0;
