package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/mpsupervisor/mpsupervisor/isolate/enter"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
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
		err = seal(r.Without, ready)
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
func seal(without []lock.Name, also []int) error {
	filter, err := io.ReadAll(io.NewSectionReader(inherited[program], 0, 1<<20))
	if err != nil {
		return fmt.Errorf("cannot read filter: %w", err)
	}
	filters, err := seccomp.ParseStack(filter)
	if err != nil {
		return fmt.Errorf("cannot read filter: %w", err)
	}
	if isNative() {
		also = append(also, terminal)
	}
	_, err = enter.Enter(enter.Config{Filters: filters, Native: isNative(), Keep: append(also, kept...), Without: without})
	return err
}

// victim seals itself, says so, and waits for its channel's end.
func victim(request string) {
	var r attack.Request
	if err := json.Unmarshal([]byte(request), &r); err != nil {
		return
	}
	if err := seal(r.Without, nil); err != nil {
		tell(attack.Outcome{Failed: err.Error()})
		return
	}
	tell(attack.Outcome{})
	io.Copy(io.Discard, inherited[channel])
}
