package supervisor

import (
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// FuzzInbox sends messages, each with its length before it, to a worker's inbox,
// which is told to boot after the first. Whatever they are: once one is refused,
// so are all that follow, what is kept stays within its bounds, and a claim is
// only ever one that a worker may make.
func FuzzInbox(f *testing.F) {
	pack := func(bodies ...[]byte) (all []byte) {
		for _, b := range bodies {
			all = append(append(all, byte(len(b))), b...)
		}
		return all
	}
	f.Add(pack(sealedBody, logBody, endingBody))
	f.Add(pack(sealedBody, sealedBody))
	f.Add(pack(logBody))
	f.Add(pack(endingBody, logBody))
	f.Add(pack(sealedBody, []byte{17, 0xa1, 1, 0x9f, 0xff}))
	f.Fuzz(func(t *testing.T, script []byte) {
		now := time.Unix(1000, 0)
		i := &instance{
			console: newConsole(10, DefaultSettings(), now),
			sup:     &Supervisor{timing: timing{linger: time.Hour}},
			sealed:  make(chan struct{}),
			dead:    make(chan struct{}),
			state:   ended, // so that nothing is killed
		}
		close(i.dead)
		b := newInbox(i, 10, now)
		i.console.told = now // no events
		refused := false
		for len(script) > 0 {
			n := min(int(script[0]), len(script)-1)
			err := b.receive(script[1:1+n], now)
			script = script[1+n:]
			if refused && err == nil {
				t.Fatal("a message was taken after one that was refused")
			}
			if err != nil && !refused {
				refused = true
				b.reject(err)
			}
			b.boot()
		}
		if (i.broke != nil) != refused {
			t.Fatalf("refused %v, but noted %v", refused, i.broke)
		}
		if c := i.claim; c != nil && (c.Cause == mp.CauseKilled || c.Cause == mp.CauseSeccomp || c.Cause == mp.CauseSignal) {
			t.Fatalf("claim %+v", c)
		}
		if kept, _ := i.console.counts(); kept > 20+wire.MaxLogLines+10 {
			t.Fatalf("%d lines were kept", kept)
		}
	})
}
