package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// TestExit holds what run makes of a program's end: its status, and whether
// there is anything to say.
func TestExit(t *testing.T) {
	tests := []struct {
		exit   mp.Exit
		status int
		says   string // "" for nothing
	}{
		{mp.Exit{Cause: mp.CauseExited}, 0, ""},
		{mp.Exit{Cause: mp.CauseExited, Code: 72}, 72, ""},
		{mp.Exit{Cause: mp.CauseExited, Code: 2, Detail: "the worker crashed: fatal error"}, 2, "crashed: fatal error"},
		{mp.Exit{Cause: mp.CauseExited, Code: 70, Detail: "the worker crashed: panic"}, 70, "crashed: panic"},
		{mp.Exit{Cause: mp.CauseSeccomp, Signal: 31, Syscall: "socket"}, 159, "seccomp: socket"},
		{mp.Exit{Cause: mp.CauseMemoryLimit, Signal: 9, Detail: "the heap's"}, 137, "memory limit (the heap's)"},
		{mp.Exit{Cause: mp.CauseSupervisorGone}, 125, "supervisor gone"},
	}
	for _, tt := range tests {
		var said strings.Builder
		status := (&app{err: &said}).finish(t.Context(), exitError(tt.exit))
		if status != tt.status || (said.Len() > 0) != (tt.says != "") || !strings.Contains(said.String(), tt.says) {
			t.Errorf("%v: status %d, said %q; want %d, %q", tt.exit, status, &said, tt.status, tt.says)
		}
	}
}

// TestFailedStart holds that a worker's exit code is not taken for the
// program's when the program was never in it.
func TestFailedStart(t *testing.T) {
	answer := func(err error) error {
		return fmt.Errorf("%w: %w", &control.Error{Message: "cannot start", Exit: &mp.Exit{Cause: mp.CauseExited, Code: 72}}, err)
	}
	tests := []struct {
		err    error
		status int
		hint   bool
	}{
		{answer(mp.ErrMissing), 125, true},
		{answer(errors.New("the worker ended")), 125, true},
		{answer(mp.ErrBadPackage), 126, false},
		{control.ErrBusy, 125, false},
	}
	for _, tt := range tests {
		err := fmt.Errorf("cannot run: %w", tt.err)
		if status, hint := statusOf(err), startHint(err) != ""; status != tt.status || hint != tt.hint {
			t.Errorf("%v: status %d, hint %v, want %d, %v", err, status, hint, tt.status, tt.hint)
		}
	}
}
