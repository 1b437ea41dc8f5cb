package monitor

import "time"

// enough is the part of a window for which a metric must be on one side.
const enough = 0.9

// series is the ring of a program's latest samples. Samples are numbered from
// 1 on.
type series struct {
	ring []Rates // grows to size, then turns
	size int
	base uint64 // how many samples there were before ring[0] was first written
	last uint64 // number of the newest sample; 0 is none yet
}

func (s *series) add(r Rates) {
	s.last++
	if len(s.ring) < s.size {
		s.ring = append(s.ring, r)
	} else {
		*s.at(s.last) = r
	}
}

// at gives the sample of a number that is kept.
func (s *series) at(n uint64) *Rates { return &s.ring[(n-s.base-1)%uint64(s.size)] }

// first is the number of the oldest sample that is kept.
func (s *series) first() uint64 { return s.last - uint64(len(s.ring)) + 1 }

// all gives what is kept, oldest first.
func (s *series) all() []Rates {
	out := make([]Rates, 0, len(s.ring))
	for n := s.first(); n <= s.last; n++ {
		out = append(out, *s.at(n))
	}
	return out
}

// resized gives a series that keeps another number of samples. Their numbers
// stay: rules remember some.
func (s *series) resized(size int) series {
	kept := s.all()
	kept = kept[max(len(kept)-size, 0):]
	return series{ring: kept, size: size, base: s.last - uint64(len(kept)), last: s.last}
}

// window looks at the newest samples after number from, over a time. It tells
// what it saw, and whether the metric was on the side that is asked for during
// enough of a window that is full. Frozen samples are passed over.
func (s *series) window(of func(Rates) float64, side func(float64) bool, from uint64, over time.Duration) (e Evidence, broken bool) {
	var sum float64
	var on time.Duration
	for n := s.last; n > from && n >= s.first() && n > 0; n-- {
		r := s.at(n)
		if r.Frozen {
			continue
		}
		v := of(*r)
		e.Window += r.Over
		e.Samples++
		e.Peak = max(e.Peak, v)
		sum += v * r.Over.Seconds()
		if side(v) {
			on += r.Over
		}
		if e.Window+r.Over/2 >= over { // to the nearest sample
			e.Value = sum / e.Window.Seconds()
			return e, on.Seconds() >= enough*e.Window.Seconds()
		}
	}
	return e, false
}
