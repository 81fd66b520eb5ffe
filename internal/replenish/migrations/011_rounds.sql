-- Why and how a round is made, as of lines to be ordered; act: it is confirmed by nobody, as the plan is made.
ALTER TABLE replenish_production ADD COLUMN level TEXT NOT NULL DEFAULT 'automatic';
ALTER TABLE replenish_production ADD COLUMN execution TEXT NOT NULL DEFAULT 'suggest';
