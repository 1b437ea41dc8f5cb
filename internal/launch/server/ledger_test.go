package server

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
)

// heard is what a ledger told.
type heard struct {
	mu  sync.Mutex
	all []launch.Response
}

func (h *heard) send(r launch.Response) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, r)
}

// take gives what was told since the last time, as text.
func (h *heard) take() (s []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.all {
		s = append(s, fmt.Sprint(r.Denied.Syscall, " ", r.Denied.Action, " ", r.Denied.Count, " by ", r.Denied.Pid))
	}
	h.all = nil
	return s
}

func (l *ledger) deny(call, action string, pid int) {
	l.add(launch.Notice{Denied: &launch.Denied{Syscall: call, Arch: "x86_64", Action: action, Pid: pid}})
}

func expect(t *testing.T, h *heard, want ...string) {
	t.Helper()
	if got := h.take(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

func TestLedger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &heard{}
		l := newLedger(h.send)
		l.deny("mount", actionRefused, 7)
		l.deny("mount", actionRefused, 8)
		expect(t, h) // its start has not been answered
		l.open(7)
		expect(t, h, "mount refused 2 by 7")
		l.deny("bpf", actionRefused, 9)
		expect(t, h, "bpf refused 1 by 9")
		for i := range 1000 {
			l.deny("bpf", actionRefused, 10+i)
		}
		expect(t, h)
		time.Sleep(interval + 1)
		synctest.Wait()
		expect(t, h, "bpf refused 1000 by 10")
		time.Sleep(10 * interval)
		synctest.Wait()
		expect(t, h)
		l.deny("bpf", actionRefused, 5)
		l.deny("bpf", actionKilled, 6)
		expect(t, h, "bpf killed 1 by 6")
		l.close()
		expect(t, h, "bpf refused 1 by 5")
		l.deny("mount", actionRefused, 7)
		time.Sleep(2 * interval)
		synctest.Wait()
		expect(t, h)
	})
}

// A worker chooses how many kinds there are; only so many are told apart.
func TestLedgerIsBounded(t *testing.T) {
	h := &heard{}
	l := newLedger(h.send)
	l.open(1)
	for i := range 10 * maxKinds {
		l.deny(fmt.Sprint("call", i), actionRefused, 1)
	}
	l.deny("mount", actionKilled, 2)
	if n := len(l.kinds); n != maxKinds+2 {
		t.Errorf("%d kinds", n)
	}
	h.all = h.all[maxKinds:]
	expect(t, h, "(more) refused 1 by 1", "(more) killed 1 by 2")
	for i := range 10 * maxEnds {
		l.killed(1+i, "mount")
	}
	l.killed(1, "bpf")
	if n := len(l.ends); n != maxEnds || l.call(1) != "bpf" {
		t.Errorf("%d ends, %q", n, l.call(1))
	}
	l.close()
}

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace{most: 10}
		begin := time.Now()
		for range 35 {
			p.step()
		}
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("35 steps took %v", took)
		}
		time.Sleep(time.Hour) // nothing is saved up
		begin = time.Now()
		for range 11 {
			p.step()
		}
		if took := time.Since(begin); took != time.Second {
			t.Errorf("11 steps took %v", took)
		}
	})
}
