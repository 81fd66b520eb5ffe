package main

import (
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"
)

// Each package below testdata/src shows what a rule refuses (marked "want") and what it lets pass.

func TestFloatsStayWhereFiguresAreEstimates(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), floatRule,
		"zhanggui/internal/till", "zhanggui/internal/forecast", "zhanggui/internal/platform/money")
}

func TestStatementsAreConstants(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), sqlRule, "zhanggui/internal/stock", "zhanggui/internal/flow/sell")
}

func TestThereAreOnlyTwoClocks(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), clockRule, "zhanggui/internal/wait", "zhanggui/internal/platform/clock")
}

func TestTestsNeitherSleepNorSkip(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), testRule, "zhanggui/internal/lazy")
}
