// Command rogue is a worker that somebody has taken over. It is started in the
// real worker's place, shakes hands and seals itself as that one does, and then
// misbehaves as the name of the first call says, which is one of tricks. The
// call "honest" is answered.
//
// What it does before it is sealed is one of earlyTricks, which the build names
// (-ldflags -X main.earlyTrick=NAME): nothing else reaches a worker so early.
package main

import (
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/isolate/enter"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

// The descriptors that the launcher gives.
const (
	fdChannel = 3
	fdBirth   = 4
	fdFilter  = 5
)

var earlyTrick string

func main() {
	trick := earlyTricks[earlyTrick]
	if trick.dead != nil {
		trick.dead()
	}
	b := must(wire.UnmarshalBirth(must(io.ReadAll(os.NewFile(fdBirth, "birth")))))
	f := os.NewFile(fdChannel, "channel")
	if trick.instead != nil {
		trick.instead(f)
	}
	if trick.birth != nil {
		trick.birth(&b)
	}
	c := shake(f, b)
	if !trick.unsealed {
		seal()
	}
	c.notify(wire.MethodSealed, sealed())
	serve(c)
}

// seal puts on the last locks, as an honest worker does.
func seal() {
	filter := os.NewFile(fdFilter, "filter")
	filters := must(seccomp.ParseStack(must(io.ReadAll(io.NewSectionReader(filter, 0, 1<<20)))))
	check(filter.Close())
	must(enter.Enter(enter.Config{Filters: filters, Keep: []int{0, 1, 2, fdChannel}}))
}

// sealed claims every lock.
func sealed() *wire.Sealed {
	m := &wire.Sealed{Image: "mapped"}
	for _, l := range lock.All() {
		m.Locks = append(m.Locks, string(l.Name))
	}
	return m
}

// serve answers Boot and events, and then does what each call names.
func serve(c *channel) {
	number, _, _ := c.receive()
	c.send(frameReply, number, must(wire.MarshalReply(&wire.Booted{Exports: []string{"honest"}})))
	for {
		number, method, body := c.receive()
		if method == wire.MethodEvent {
			c.send(frameReply, number, must(wire.MarshalReply(&wire.EventDone{})))
			continue
		}
		var call wire.Call
		check(wire.Unmarshal(body, &call))
		if trick := tricks[call.Name]; trick != nil {
			trick(c, number)
			stay()
		}
		c.send(frameReply, number, answer(`"honest"`))
	}
}

func answer(json string) []byte {
	return must(wire.MarshalReply(&wire.Reply{Output: []byte(json)}))
}

// stay does nothing, for ever.
func stay() {
	for {
		time.Sleep(time.Hour)
	}
}

func must[T any](v T, err error) T {
	check(err)
	return v
}

// check ends this program as soon as the supervisor has had enough of it.
func check(err error) {
	if err != nil {
		os.Stderr.WriteString("rogue: " + err.Error() + "\n")
		unix.Exit(1)
	}
}
