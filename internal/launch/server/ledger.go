package server

import (
	"strconv"
	"sync"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
)

// maxKinds is how many kinds of refusals are told apart for one worker: it
// chooses how many there are. The rest share a kind called moreCalls.
const maxKinds = 64

const moreCalls = "(more)"

// interval is how often what is not the first of its kind is told.
const interval = time.Second

// ledger is what there is to tell of one worker between the answer to its start
// and its end. The first of each kind goes out at once, what follows once a
// second with its number, so that a worker that makes a thousand a second costs
// a packet a second. It takes no more memory than its kinds.
type ledger struct {
	send func(launch.Response)

	mu      sync.Mutex
	pid     int // of the worker; 0 before its start has been answered
	closed  bool
	kinds   map[kind]*tally
	timer   *time.Timer    // nil if nothing waits for it
	ends    map[int]string // pid → the call that it was killed for
	faulted bool
}

// kind is what notices are counted by.
type kind struct{ what, entry, outcome string }

// tally counts the notices of one kind that have not been told.
type tally struct {
	first launch.Notice
	count uint64
	told  bool // one of them has been
}

func newLedger(send func(launch.Response)) *ledger {
	return &ledger{send: send, kinds: map[kind]*tally{}, ends: map[int]string{}}
}

// open begins to tell, with what has been noted already.
func (l *ledger) open(pid int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pid = pid
	l.tellAll()
}

// close tells what is left, and ends the telling.
func (l *ledger) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
	}
	l.tellAll()
	l.closed = true
}

// add notes something, and tells it now or later.
func (l *ledger) add(n launch.Notice) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.faulted = l.faulted || n.Fault != nil
	t := l.tally(n)
	if t.count == 0 {
		t.first = n
	}
	t.count++
	switch {
	case l.pid == 0: // open will
	case !t.told:
		l.tell(t)
	case l.timer == nil:
		l.timer = time.AfterFunc(interval, l.tick)
	}
}

// tally finds the count that n belongs to. Only refusals come in kinds without
// number.
func (l *ledger) tally(n launch.Notice) *tally {
	k := kindOf(n)
	if n.Denied != nil && l.kinds[k] == nil && len(l.kinds) >= maxKinds {
		n.Denied.Syscall, n.Denied.Arch = moreCalls, ""
		k = kindOf(n)
	}
	if l.kinds[k] == nil {
		l.kinds[k] = &tally{}
	}
	return l.kinds[k]
}

func kindOf(n launch.Notice) kind {
	if d := n.Denied; d != nil {
		return kind{d.Syscall, d.Arch, d.Action}
	}
	return kind{"fault", string(n.Fault.Class), strconv.Itoa(n.Fault.Signal)}
}

func (l *ledger) tick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timer = nil
	if !l.closed {
		l.tellAll()
	}
}

func (l *ledger) tellAll() {
	for _, t := range l.kinds {
		if t.count > 0 {
			l.tell(t)
		}
	}
}

func (l *ledger) tell(t *tally) {
	r := launch.Response{Denied: t.first.Denied, Fault: t.first.Fault}
	if r.Denied != nil {
		r.Denied.Count = t.count
	} else {
		r.Fault.Count = t.count
	}
	l.send(r)
	*t = tally{told: true}
}

// maxEnds is how many killed processes' calls are remembered.
const maxEnds = 16

// killed notes the call that a process was killed for.
func (l *ledger) killed(pid int, call string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ends) < maxEnds || pid == l.pid {
		l.ends[pid] = call
	}
}

// call gives the system call that process pid was killed for; "" if none is known.
func (l *ledger) call(pid int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ends[pid]
}

// hasKill and hasFault report whether any of them has been noted.
func (l *ledger) hasKill() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.ends) > 0
}

func (l *ledger) hasFault() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.faulted
}
