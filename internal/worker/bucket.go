package worker

import "time"

// bucket is a token bucket that holds two seconds' worth and begins full.
// The zero bucket never gives.
type bucket struct {
	rate   float64 // tokens a second
	tokens float64
	filled time.Time
}

func newBucket(rate float64) bucket {
	return bucket{rate: rate, tokens: 2 * rate, filled: time.Now()}
}

func (b *bucket) fill(now time.Time) {
	b.tokens = min(b.tokens+now.Sub(b.filled).Seconds()*b.rate, 2*b.rate)
	b.filled = now
}

// owe uses up n tokens, and returns how long it is until those are there. The
// rate is not 0.
func (b *bucket) owe(n float64, now time.Time) time.Duration {
	b.fill(now)
	b.tokens -= n
	return max(time.Duration(-b.tokens/b.rate*float64(time.Second)), 0)
}

// take uses up one token, if there is one.
func (b *bucket) take(now time.Time) bool {
	b.fill(now)
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
