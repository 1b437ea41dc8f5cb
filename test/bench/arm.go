package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// arm is one way of doing the same thing. Once does it one time and gives the
// sample (in the row's unit) and the processor time that it took.
type arm struct {
	name string
	once func(context.Context) (float64, time.Duration, error)
}

// measured are an arm's samples.
type measured struct {
	samples []float64
	cpu     time.Duration
}

func (m measured) stats() Stats { return summarize(m.samples, m.cpu) }

// race runs every arm once a round, in an order shuffled anew in each, so that
// whatever else the machine does meets all of them alike. The first rounds
// warm up and do not count.
func race(ctx context.Context, rounds int, arms ...arm) (map[string]measured, error) {
	const warmup = 2
	out := make(map[string]measured, len(arms))
	for round := range warmup + rounds {
		for _, i := range rand.Perm(len(arms)) {
			a := arms[i]
			sample, cpu, err := a.once(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", a.name, err)
			}
			if round < warmup {
				continue
			}
			m := out[a.name]
			m.samples = append(m.samples, sample)
			m.cpu += cpu
			out[a.name] = m
		}
	}
	return out, nil
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
