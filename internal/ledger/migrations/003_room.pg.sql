-- Room in every page for the next version of a row: the totals of an account change with every posting, and a
-- version beside the old one needs no new entry in the index.
ALTER TABLE ledger_account SET (fillfactor = 80);
