package server

import "time"

// pace bounds how many things are done in a second. What makes more of them
// than that waits, in a buffer of the kernel's that overflows.
type pace struct {
	most  int // a second
	done  int
	until time.Time // when the second ends
}

// step returns when one more may be done.
func (p *pace) step() {
	now := time.Now()
	if p.done >= p.most && now.Before(p.until) {
		time.Sleep(p.until.Sub(now))
		now = p.until
	}
	if !now.Before(p.until) {
		p.done, p.until = 0, now.Add(time.Second)
	}
	p.done++
}
