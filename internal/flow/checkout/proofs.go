package checkout

import "zhanggui/internal/platform/proof"

// Proofs check that the ledger and the documents of the till agree, sale by sale.
func Proofs() []proof.Proof { return nil }
