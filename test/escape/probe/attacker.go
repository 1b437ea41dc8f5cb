package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/mpsupervisor/mpsupervisor/isolate/enter"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
	"github.com/mpsupervisor/mpsupervisor/test/escape/attack"
)

// kept are the descriptors that the worker keeps.
var kept = []int{0, 1, stderr, channel}

// blocked is how long a system call may take before it counts as not returning.
// Those that block at all block for ever with the arguments that are used.
const blocked = 500 * time.Millisecond

// attacker enters, makes one attack, and tells what came of it.
func attacker(request string) {
	var r attack.Request
	if err := json.Unmarshal([]byte(request), &r); err != nil {
		tell(attack.Outcome{Failed: err.Error()})
		return
	}
	try, ok := attacks[r.Attack]
	if !ok {
		try, ok = nativeAttacks[r.Attack]
	}
	if !ok {
		tell(attack.Outcome{Failed: "no such attack"})
		return
	}
	ready, err := prepareAttack(r)
	if err == nil {
		err = seal(r, ready)
	}
	if err != nil {
		tell(attack.Outcome{Failed: err.Error()})
		return
	}
	tell(within(r, try))
}

// within makes the attack, and gives up on a system call that does not return.
func within(r attack.Request, try func(attack.Request) attack.Outcome) attack.Outcome {
	switch r.Attack {
	case attack.Native, attack.Entry32, attack.EntryX:
	default:
		return try(r)
	}
	done := make(chan attack.Outcome, 1)
	go func() { done <- try(r) }()
	select {
	case o := <-done:
		return o
	case <-time.After(blocked):
		return attack.Outcome{Blocked: true}
	}
}

// seal is what the worker does, with the program that it was given.
func seal(r attack.Request, also []int) error {
	filters, err := stack(program)
	if err != nil {
		return err
	}
	var later seccomp.Stack
	if r.Code != "" {
		if later, err = stack(image); err != nil {
			return err
		}
	}
	if isNative() {
		also = append(also, terminal)
	}
	report, err := enter.Enter(enter.Config{
		Filters: filters, Native: isNative(), Code: r.Code != "", Keep: append(also, kept...), Without: r.Without,
	})
	if err == nil && r.Code == attack.Loaded {
		err = report.Finish(later)
	}
	return err
}

// stack reads filters that the launcher left.
func stack(fd int) (seccomp.Stack, error) {
	b, err := io.ReadAll(io.NewSectionReader(inherited[fd], 0, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("cannot read filter: %w", err)
	}
	s, err := seccomp.ParseStack(b)
	if err != nil {
		return nil, fmt.Errorf("cannot read filter: %w", err)
	}
	return s, nil
}

// victim seals itself, says so, and waits for its channel's end.
func victim(request string) {
	var r attack.Request
	if err := json.Unmarshal([]byte(request), &r); err != nil {
		return
	}
	if err := seal(r, nil); err != nil {
		tell(attack.Outcome{Failed: err.Error()})
		return
	}
	tell(attack.Outcome{})
	io.Copy(io.Discard, inherited[channel])
}
