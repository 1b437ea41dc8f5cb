package wasm

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/tetratelabs/wazero/sys"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// trap is why a function of the host's ends the guest's call: what a WebAssembly
// instruction would trap for.
type trap string

func (t trap) Error() string { return string(t) }

// What wazero puts around the reason of a trap.
const (
	traceMark     = "\nwasm stack trace:\n\t"
	goTraceMark   = "\n\nGo runtime stack trace:"
	recoveredMark = " (recovered by wazero)"
	wasmMark      = "wasm error: "
	overflowText  = "stack overflow"
)

// outcomeOf turns what a call of the guest's came to into a *mp.GuestError, or an
// *engine.Exit when the guest asked to end.
func outcomeOf(err error) error {
	var exit *sys.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit):
		return exitOf(exit.ExitCode())
	}
	message, stack, _ := strings.Cut(err.Error(), traceMark)
	stack, _, _ = strings.Cut(stack, goTraceMark)
	message = strings.TrimSuffix(message, recoveredMark)
	if i := strings.LastIndex(message, wasmMark); i >= 0 {
		message = message[i+len(wasmMark):]
	}
	g := &mp.GuestError{Name: "RuntimeError", Message: cut(message, wire.MaxErrText), Stack: cut(stackOf(stack), wire.MaxErrText)}
	if isOverflow(message) {
		g.Name, g.Message = "RangeError", "the call stack is full"
	}
	return g
}

// isOverflow reports whether a call ended for want of stack. It has no trace.
func isOverflow(message string) bool { return strings.HasSuffix(message, overflowText) }

// isLinking reports whether a module was not made, as opposed to one whose start
// function failed.
func isLinking(err error) bool {
	var exit *sys.ExitError
	return err != nil && !errors.As(err, &exit) && !strings.Contains(err.Error(), traceMark) && !isOverflow(err.Error())
}

// stackOf writes frames one a line, as errors of JavaScript have them.
func stackOf(trace string) string {
	if trace == "" {
		return ""
	}
	return "    at " + strings.ReplaceAll(strings.TrimRight(trace, "\n"), "\n\t", "\n    at ")
}

// exitOf is the end of a program that asked for it. Of its status the lower 8
// bits are kept, as wait(2) keeps them.
func exitOf(status uint32) *engine.Exit {
	return &engine.Exit{Exit: mp.Exit{Cause: mp.CauseExited, Code: int(status & 0xff)}}
}

// cut shortens s to limit bytes, at the end of a character, and makes it UTF-8.
func cut(s string, limit int) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return strings.Clone(s[:limit])
}
