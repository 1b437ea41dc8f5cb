package native

import "time"

// bucket is a token bucket that holds a second's worth and begins full.
type bucket struct {
	rate   float64 // tokens a second; above 0
	tokens float64
	filled time.Time
}

func newBucket(rate int) *bucket {
	return &bucket{rate: float64(rate), tokens: float64(rate), filled: time.Now()}
}

// take uses up one token, and returns for how long to wait until it is there.
func (b *bucket) take(now time.Time) time.Duration {
	b.tokens = min(b.tokens+now.Sub(b.filled).Seconds()*b.rate, b.rate)
	b.filled = now
	b.tokens--
	if b.tokens >= 0 {
		return 0
	}
	return time.Duration(-b.tokens / b.rate * float64(time.Second))
}
