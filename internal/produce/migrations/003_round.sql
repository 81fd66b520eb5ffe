-- The round of a day's plan that a requisition is for: its business date, which is another than that of the requisition when
-- the evening's round is made after the new day has begun, and its number; '' and 0: for none.
ALTER TABLE produce_requisition ADD COLUMN for_date TEXT NOT NULL DEFAULT '';
ALTER TABLE produce_requisition ADD COLUMN for_round BIGINT NOT NULL DEFAULT 0;
