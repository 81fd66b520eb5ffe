-- by_hand: somebody set the factor; otherwise what was learned of the festival counts, drawn to the set one. festival is which
-- of the year's it is, '': told from name and dates; 'none': none of them.
ALTER TABLE replenish_event ADD COLUMN by_hand SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE replenish_event ADD COLUMN festival TEXT NOT NULL DEFAULT '';
UPDATE replenish_event SET by_hand = 1 WHERE factor <> 1500;
