package supervisor

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/monitor"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

// state is how far a program is in its life. It only moves forward:
//
//	starting ──▶ running ──▶ ending ──▶ ended
//	    │          ▲  │        ▲  ▲      ▲
//	    │          │  ▼        │  │      │
//	    │       suspending ────┘  │      │
//	    └──────────┴──────────────┴──────┘
//
// ending means that its worker is being killed; one that ends by itself goes
// to ended at once. suspending means that it is about to be hibernated: it goes
// back to running when that cannot be done. The worker of a hibernated program
// has ended; what there is of it then is a sleeper.
type state string

const (
	starting   state = "starting"
	running    state = "running"
	suspending state = "suspending"
	ending     state = "ending"
	ended      state = "ended"
)

// instance is one program in one worker.
type instance struct {
	id      mp.InstanceID
	prog    program
	born    time.Time
	began   time.Time // before it was born, if it has been hibernated meanwhile
	wake    *wake     // how it comes back from that; nil otherwise
	maker   bool      // it is there to make a ready image, and serves nobody
	console *console
	sup     *Supervisor
	slots   chan struct{} // one is held by each call under way

	exited  chan launch.Exited // what the launcher told; has room for it
	sealed  chan struct{}      // closed when Sealed came
	opened  chan struct{}      // closed when the channel is there, or never will be
	said    chan struct{}      // closed when standard error ended
	dead    chan struct{}      // closed when the process has ended; the launcher may not be done with it
	done    chan struct{}      // closed when state is ended
	inbox   inbox
	askRate askRate
	asks    atomic.Uint64 // made so far
	crashed *capture      // standard error
	witness witness       // of what the kernel told
	turn    sync.Mutex    // held while the launcher is asked to change the worker; comes before mu
	telling chan struct{} // has an element while the program is told of its life; comes after turn and before mu

	mu         sync.Mutex
	state      state
	limits     mp.Limits // as they were asked for; a rule may hold it back further
	pause      pause
	heap       heapLimit
	taken      int64 // bytes of the worker's memory that the program's machine code takes
	entered    bool  // the program was handed to the worker
	sampled    monitor.Counters
	peaks      peaks
	proc       launch.Started
	conn       *ipc.Conn // nil before the handshake
	exports    []string
	image      string // what the worker says of its engine's heap
	build      string // what it is a build of
	start      start
	life       life
	asleep     bool     // it ended because its program was hibernated
	remembered bool     // sup.mu guards it
	ours       *verdict // why we kill it
	broke      error    // the rule that it broke
	claim      *wire.Ending
	exit       mp.Exit // when ended
	endTime    time.Time
	last       launch.Exited // for usage when ended
	stats      ipc.Stats     // likewise
	handshake  string
	calls      uint64
	attached   int         // callers of Wait that the program lives for
	lease      *time.Timer // ends a program whose first such caller never comes
}

func newInstance(s *Supervisor, p program, limits mp.Limits, settings Settings) *instance {
	now := time.Now()
	i := &instance{
		id:      mp.NewInstanceID(),
		prog:    p,
		limits:  limits,
		witness: newWitness(now),
		born:    now,
		began:   now,
		console: newConsole(limits.LogRate, settings, now),
		sup:     s,
		slots:   make(chan struct{}, maxCalls),
		telling: make(chan struct{}, 1),
		exited:  make(chan launch.Exited, 1),
		sealed:  make(chan struct{}),
		opened:  make(chan struct{}),
		said:    make(chan struct{}),
		dead:    make(chan struct{}),
		done:    make(chan struct{}),
		crashed: &capture{},
		state:   starting,
	}
	i.inbox = newInbox(i, limits.LogRate, now)
	i.askRate = newAskRate(limits.IPCRate, now)
	return i
}

func (i *instance) app() mp.AppID { return i.prog.app }

// bounds gives the limits that are in force, but for a rule's.
func (i *instance) bounds() mp.Limits {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.limits
}

// setState moves forward, and reports whether it did.
func (i *instance) setState(from, to state) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.state != from {
		return false
	}
	i.state = to
	return true
}

// result gives the end of a program that has ended.
func (i *instance) result() (mp.Exit, time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.exit, i.endTime
}

// endedError says that, and how, the program has ended.
func (i *instance) endedError() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.gone()
}

// gone is endedError for who holds i.mu.
func (i *instance) gone() error {
	if i.asleep {
		return errAsleep(i.id)
	}
	return control.About(i.id, control.EncodeExit(i.exit, i.endTime), fmt.Errorf("%w: %v", mp.ErrEnded, i.exit))
}

// available says why the program cannot be asked for anything now, if it cannot.
// i.mu is held.
func (i *instance) available() error {
	switch i.state {
	case running:
		return nil
	case starting:
		return fmt.Errorf("%w: %s is still starting", control.ErrBusy, i.id)
	case suspending:
		return fmt.Errorf("%w: %s is just being hibernated", control.ErrBusy, i.id)
	case ending:
		if i.asleep {
			return errAsleep(i.id)
		}
		return control.About(i.id, nil, fmt.Errorf("%w: it is being ended", mp.ErrEnded))
	}
	return i.gone()
}

// within waits for a channel to be closed, for at most d.
func within(done <-chan struct{}, d time.Duration) bool {
	select {
	case <-done:
		return true
	default:
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}
