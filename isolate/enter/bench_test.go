package enter_test

import (
	"slices"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
)

// BenchmarkStart is a process that enters and ends: with every lock, with all
// but one, and with none. The differences are what each costs a start. (Here
// the capabilities cost most, because a full bounding set is emptied one by
// one; a worker comes with an empty one.)
func BenchmarkStart(b *testing.B) {
	run := func(name string, without []lock.Name) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				start(b, "nothing", options{without: without}).finish()
			}
		})
	}
	run("all", nil)
	for _, name := range everyLock {
		if name != lock.NoNewPrivs { // which others demand
			run("without "+string(name), []lock.Name{name})
		}
	}
	run("launched", []lock.Name{lock.Capabilities, lock.Securebits})
	run("none", slices.Clone(everyLock))
}
