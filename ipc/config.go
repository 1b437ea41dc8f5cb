package ipc

import (
	"context"
	"fmt"
	"math"
	"os"
	"time"
)

// Config says how to open one end of a channel.
type Config struct {
	Initiator bool     // the supervisor's end: it speaks first and may send descriptors
	Secret    [32]byte // the pre-shared key; fresh for each channel
	Prologue  []byte   // what both ends must agree on without sending it
	Limits    Limits   // what this end accepts; zero members take their defaults
	Handler   Handler  // nil refuses calls and ignores notifications

	// Paused, if not nil, reports whether the peer is known to be stopped by
	// somebody else. A time limit that it oversteps then begins anew.
	Paused func() bool
}

// Handler takes what the peer sends.
type Handler interface {
	// HandleCall answers a call, on a goroutine of its own. Body and files are
	// the handler's to keep; it must close the files. Ctx ends when the caller
	// gives the call up and when the connection ends. An error arrives at the
	// caller as a *RemoteError with its text.
	HandleCall(ctx context.Context, body []byte, files []*os.File) ([]byte, error)

	// HandleNotify takes a notification, on the reading goroutine and in the
	// order of their arrival. Nothing else is received until it returns, so it
	// must neither block for long nor call or notify through this Conn. Body is
	// valid only until it returns.
	HandleNotify(body []byte)
}

// Limits bound what the peer may make this end hold, and how long it may make
// it wait. Counts and sizes are announced to the peer in the handshake.
type Limits struct {
	Message int // bytes of one message's body; default 2 MiB
	Calls   int // calls of the peer's in flight at once; default 64
	Window  int // bytes of messages, apart for requests and for replies, that the peer may have outstanding; default and least 2 × Message

	Handshake time.Duration // for the whole handshake; default 10 s
	Frame     time.Duration // from a frame's first byte to its last; default 10 s
	Stall     time.Duration // in which the peer must take at least one byte of what is sent; default 30 s
	Idle      time.Duration // in which something must arrive; default 0: for ever

	RekeyFrames uint64        // a new key after so many frames sent; default 65,536
	RekeyBytes  uint64        // or so many bytes; default 256 MiB
	RekeyAfter  time.Duration // or so long, at the next frame; default 10 min
}

// The bounds of what either end may announce.
const (
	maxMessage = 64 << 20
	maxCalls   = 4096
	maxWindow  = 256 << 20
)

// filled gives l with its defaults, checked.
func (l Limits) filled() (Limits, error) {
	fill(&l.Message, 2<<20)
	fill(&l.Calls, 64)
	fill(&l.Window, 2*l.Message)
	fill(&l.Handshake, 10*time.Second)
	fill(&l.Frame, 10*time.Second)
	fill(&l.Stall, 30*time.Second)
	fill(&l.RekeyFrames, 1<<16)
	fill(&l.RekeyBytes, 256<<20)
	fill(&l.RekeyAfter, 10*time.Minute)
	if l.Handshake < 0 || l.Frame < 0 || l.Stall < 0 || l.Idle < 0 || l.RekeyAfter < 0 {
		return l, fmt.Errorf("a limit of time is negative")
	}
	for _, n := range []int{l.Message, l.Calls, l.Window} {
		if n < 0 || n > math.MaxInt32 {
			return l, fmt.Errorf("limit %d is out of bounds", n)
		}
	}
	return l, l.announced().check()
}

// announced is the part of the limits that the peer must know.
func (l Limits) announced() announced {
	return announced{uint32(l.Message), uint32(l.Calls), uint32(l.Window)}
}

func limitError(what string, is, least, most uint32) error {
	return fmt.Errorf("limit of %s is %d, not between %d and %d", what, is, least, most)
}

func fill[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}
