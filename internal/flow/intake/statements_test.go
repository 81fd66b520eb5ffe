package intake

import (
	"testing"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
)

func TestEveryStatementIsUnderstoodByBothEngines(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		texts := append([]string{oneImport, openImports, applyingNow, listImports, saveCounters, clearRefused, clearChunks, stagedLine, stagedSales, settledSales,
			nextMissing, doneMissing, stagedRow, stagedPage, dropRow}, clearStages...)
		if d.Engine() == db.Postgres {
			texts = append(texts, planAnew)
		}
		for _, many := range []*db.Many{stageDays, stageTimes, addMissing, addRefusals, setCells, stageRows, byCode, byBarcode, byName, unitsOf,
			idsOfCodes, barcodesOf, openedBatches} {
			texts = append(texts, many.Texts()...)
		}
		dbtest.PrepareAll(t, d, texts...)
	}, dbtest.With(schema...))
}
