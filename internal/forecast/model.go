package forecast

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"math"
	"slices"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/gbm"
)

// Training is weekly, the night is prediction: Learn leaves a Model of a panel and a Memory of each of its
// series, and Predict forecasts from them, on a later day and in a smaller panel, without training anything.

// Model is what all series of a panel learned together.
type Model struct {
	Cutoff   cal.Date // nothing after it was known
	Features []string // the columns of the trees, in order
	Lunar    bool     // Chinese festivals were told apart
	Horizon  int      // days ahead it speaks of
	Yearly   bool     // the time of year is among the features
	Trees    []byte   // of member (c), as gbm stores them; empty when there was too little to learn from
	Blend    [memberCount]float64
	Factor   float64    // of the gated correction
	Pool     [][]ratios // by size of the series, per week ahead
	Events   []eventFactor
	Ranks    [ranks]float64

	trees *gbm.Model
}

// eventFactor is what a day's place in a festival does to demand, over all series.
type eventFactor struct {
	Key    int32
	Factor float64
}

// Memory is what is remembered of one series beside the model.
type Memory struct {
	Fit    *regressFit // member (b); nil where there was too little
	Spread []ratios    // actual ÷ forecast, per week ahead
}

// ErrModel says that a stored model does not fit: it knows other features, speaks of fewer days, or can't be read.
var ErrModel = errors.New("forecast: the stored model does not fit")

// ErrFuture refuses a model that knows more than the forecast may.
var ErrFuture = errs.Define("forecast_future", errs.Invalid,
	"模型用到了 {cutoff} 的数据,不能用来预测 {origin} 之后的日子", "The model knows the data up to {cutoff}; it can't forecast from {origin}")

// Learn trains on everything up to column o: the model of the panel, and a memory for each series in its order.
func (e *Engine) Learn(o int) (*Model, []Memory, error) {
	e.lookBack(o)
	b := e.blend(o)
	s := e.spread(o, b)
	ev := e.learnEvents(o)
	l := e.train(o)
	m := &Model{Cutoff: e.p.First.AddDays(o), Features: boostFeatures, Lunar: e.p.Lunar, Horizon: e.o.Horizon, Yearly: l.yearly,
		Blend: b, Factor: e.gate(o, b), Pool: s.pool, Ranks: ev.rank, trees: l.trees}
	for _, k := range e.events {
		if f, ok := ev.key[k.key]; ok {
			m.Events = append(m.Events, eventFactor{k.key, f})
		}
	}
	if l.trees != nil {
		var err error
		if m.Trees, err = l.trees.Encode(); err != nil {
			return nil, nil, err
		}
	}
	all := make([]Memory, len(e.p.Series))
	for i := range all {
		all[i] = Memory{Fit: l.fits[i], Spread: s.series[i]}
	}
	return m, all, nil
}

// Predict forecasts every series for the days o+1 … o+Horizon, as Forecast does, from a model and what is
// remembered of the series (nil: nothing, as it is new). It trains nothing, and what it says of a shop's
// series is the same whatever other shops are in the panel.
func (e *Engine) Predict(o int, m *Model, memory []*Memory) ([][]Day, error) {
	if origin := e.p.First.AddDays(o); m.Cutoff > origin {
		return nil, ErrFuture.With("cutoff", m.Cutoff, "origin", origin)
	}
	if !slices.Equal(m.Features, boostFeatures) || m.Lunar != e.p.Lunar || m.Horizon < e.o.Horizon {
		return nil, ErrModel
	}
	n := len(e.p.Series)
	ev := &eventFactors{key: make(map[int32]float64, len(m.Events)), rank: m.Ranks, own: e.ownEvents(o)}
	for _, f := range m.Events {
		ev.key[f.Key] = f.Factor
	}
	l := &learnt{yearly: m.Yearly, trees: m.trees, fits: make([]*regressFit, n)}
	weeks := (e.o.Horizon + 6) / 7
	s := &spread{series: make([][]ratios, n), pool: m.Pool, class: make([]int, n)}
	for i := range n {
		s.series[i] = make([]ratios, weeks)
		if x := memory[i]; x != nil {
			l.fits[i] = x.Fit
			copy(s.series[i], x.Spread)
		}
		if e.p.Series[i].Start <= o {
			s.class[i] = sizeClass(e.runs[i].level(o))
		}
	}
	return e.finish(o, e.ask(o, ev, l), ev, l, m.Blend, s, m.Factor), nil
}

// encode writes a model or memories for storage.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(v)
	return b.Bytes(), err
}

func decode(b []byte, into any) error {
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(into); err != nil {
		return fmt.Errorf("%w: %w", ErrModel, err)
	}
	return nil
}

// decodeModel reads a stored model, and refuses one that could not be predicted from.
func decodeModel(b []byte) (*Model, error) {
	m := &Model{}
	if err := decode(b, m); err != nil {
		return nil, err
	}
	if len(m.Pool) != len(sizeClasses)+2 || !(m.Factor > 0) || math.IsInf(m.Factor, 0) {
		return nil, ErrModel
	}
	for _, p := range m.Pool {
		if len(p) != (m.Horizon+6)/7 {
			return nil, ErrModel
		}
	}
	if len(m.Trees) > 0 {
		var err error
		if m.trees, err = gbm.Decode(m.Trees); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrModel, err)
		}
		for _, t := range m.trees.Trees {
			for _, x := range t {
				if int(x.Feature) >= len(m.Features) {
					return nil, ErrModel
				}
			}
		}
	}
	return m, nil
}

// sound tells whether a stored fit can be asked.
func (f *regressFit) sound() bool {
	l := &f.Layout
	if l.N != len(f.Beta) || l.N > 40 {
		return false
	}
	for _, at := range [...][2]int{{l.Weekday, 7}, {l.Year, 4}, {l.Off, 4}, {l.Level, len(smoothRates)}} {
		if at[0] < 0 || at[0]+at[1] > l.N {
			return false
		}
	}
	for _, at := range [...][2]int{{l.Spring, len(springDays)}, {l.Weather, 2}, {l.Promo, 1}} {
		if at[0] >= 0 && at[0]+at[1] > l.N {
			return false
		}
	}
	return true
}
