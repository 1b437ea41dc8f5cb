package server

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/isolate"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
	"github.com/mpsupervisor/mpsupervisor/seccomp/compile"
)

// maxLearned is how many kinds of calls are told apart for one worker: as many
// as fit a packet.
const maxLearned = 500

// learner records the system calls of one worker, whose filter asks about each:
// every one is let go on, and counted with what the role's filters would have
// done. It runs on a goroutine of its own that ends with the worker.
type learner struct {
	worker *isolate.Worker
	decide func(call string, args [6]uint64) seccomp.Action
	apart  bool // process 1 is not the program: its calls do not count

	begun atomic.Bool // what the worker does to seal itself is over

	stop  sync.Once
	ended chan struct{} // closed when the worker has
	done  chan struct{} // closed when nothing is counted any more

	counts map[learned]uint64 // these are the goroutine's, until done
	names  map[int32]string
	ours   map[uint32]bool // threads: whether they are process 1's
}

// learned is what calls are counted by.
type learned struct {
	call   string
	action seccomp.Action
}

// learn begins to record a worker that has just been started.
func learn(w *isolate.Worker, decide func(string, [6]uint64) seccomp.Action, apart bool, fail func(error)) *learner {
	l := &learner{
		worker: w, decide: decide, apart: apart, ended: make(chan struct{}), done: make(chan struct{}),
		counts: map[learned]uint64{}, names: map[int32]string{}, ours: map[uint32]bool{},
	}
	go func() {
		defer close(l.done)
		f, err := l.listener()
		if err == nil {
			defer f.Close()
			err = answerAll(f, l.note)
		}
		if err != nil {
			fail(err)
		}
	}()
	return l
}

// listenerLook is how often the listener is looked for. The worker is held at
// its first call until it is found.
const listenerLook = 2 * time.Millisecond

func (l *learner) listener() (*os.File, error) {
	for {
		f, err := takeListener(l.worker)
		if !errors.Is(err, errNoListener) {
			return f, err
		}
		select {
		case <-l.ended:
			return nil, errNoListener
		case <-time.After(listenerLook):
		}
	}
}

// result ends the recording and gives what was learned, by name.
func (l *learner) result() []launch.Learned {
	if l == nil {
		return nil
	}
	l.stop.Do(func() { close(l.ended) })
	<-l.done
	var all []launch.Learned
	for k, n := range l.counts {
		all = append(all, launch.Learned{Syscall: k.call, Count: n, Action: k.action.String()})
	}
	slices.SortFunc(all, func(a, b launch.Learned) int {
		return cmp.Or(cmp.Compare(a.Syscall, b.Syscall), cmp.Compare(a.Action, b.Action))
	})
	return all
}

// begin makes the calls of a worker that is its own program count. It is called
// when the worker's locks are verified: what it did before was to seal itself.
func (l *learner) begin() {
	if l != nil {
		l.begun.Store(true)
	}
}

// note counts one call.
func (l *learner) note(q question) {
	if l.apart && l.own(q.tid) || !l.apart && !l.begun.Load() {
		return
	}
	name := l.name(q)
	k := learned{name, l.decide(name, q.args)}
	if _, ok := l.counts[k]; !ok && len(l.counts) >= maxLearned {
		k = learned{moreCalls, k.action}
	}
	l.counts[k]++
}

// remembered bounds what is kept to save looking it up again.
const remembered = 1024

// own reports whether a thread is process 1's.
func (l *learner) own(tid uint32) bool {
	own, ok := l.ours[tid]
	if !ok {
		if len(l.ours) >= remembered {
			clear(l.ours)
		}
		_, err := os.Stat(fmt.Sprintf("/proc/%d/task/%d", l.worker.Pid, tid))
		own = err == nil
		l.ours[tid] = own
	}
	return own
}

// name names a call. Only the native entry asks: the others are killed.
func (l *learner) name(q question) string {
	name, ok := l.names[q.nr]
	if !ok {
		if len(l.names) >= remembered {
			clear(l.names)
		}
		name = compile.Name(q.arch, int(q.nr))
		l.names[q.nr] = name
	}
	return name
}
