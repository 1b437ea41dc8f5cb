package mp

import (
	"fmt"
	"time"
)

// Limits bound what one worker may use. The zero value is not usable: start
// from DefaultLimits.
type Limits struct {
	Memory      int64         `json:"memory"`       // bytes, everything the worker uses, swap included
	Pids        int64         `json:"pids"`         // tasks (threads count)
	CPU         float64       `json:"cpu"`          // processors: 0.5 is half of one
	CallTimeout time.Duration `json:"call_timeout"` // for one call, and for one turn of the event loop; nanoseconds in JSON
	LogRate     int           `json:"log_rate"`     // console lines a second; more are counted and dropped
}

// DefaultLimits are what a program gets that asks for nothing.
func DefaultLimits() Limits {
	return Limits{Memory: 64 << 20, Pids: 32, CPU: 1, CallTimeout: 5 * time.Second, LogRate: 200}
}

// The bounds of each limit, whoever asks for it. Below MinMemory the worker's
// own runtime has no room; the Go runtime needs MinPids threads.
const (
	MinMemory      = 16 << 20
	MaxMemory      = 4 << 30
	MinPids        = 16
	MaxPids        = 4096
	MinCPU         = 0.05
	MaxCPU         = 64
	MinCallTimeout = 10 * time.Millisecond
	MaxCallTimeout = time.Hour
	MaxLogRate     = 10000
)

// Check reports the first limit that is out of its bounds.
func (l Limits) Check() error {
	switch {
	case l.Memory < MinMemory || l.Memory > MaxMemory:
		return fmt.Errorf("memory limit %d is not between %d and %d bytes", l.Memory, MinMemory, int64(MaxMemory))
	case l.Pids < MinPids || l.Pids > MaxPids:
		return fmt.Errorf("pids limit %d is not between %d and %d", l.Pids, MinPids, MaxPids)
	case !(l.CPU >= MinCPU && l.CPU <= MaxCPU): // the negation catches NaN
		return fmt.Errorf("cpu limit %g is not between %g and %d processors", l.CPU, MinCPU, MaxCPU)
	case l.CallTimeout < MinCallTimeout || l.CallTimeout > MaxCallTimeout:
		return fmt.Errorf("call timeout %v is not between %v and %v", l.CallTimeout, MinCallTimeout, MaxCallTimeout)
	case l.LogRate < 0 || l.LogRate > MaxLogRate:
		return fmt.Errorf("log rate %d is not between 0 and %d lines a second", l.LogRate, MaxLogRate)
	}
	return nil
}
