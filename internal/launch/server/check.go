package server

import (
	"errors"
	"fmt"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
)

// check holds a request to the protocol. What it refuses no supervisor sends.
func check(r launch.Request, files int) error {
	if r.Seq == 0 {
		return fmt.Errorf("%.40q request without a number", string(r.Op))
	}
	var err error
	switch r.Op {
	case launch.OpStart:
		err = checkStart(r, files)
	case launch.OpSample:
		err = checkSample(r, files)
	case launch.OpLimit, launch.OpFreeze, launch.OpThaw, launch.OpKill, launch.OpStat:
		err = checkOne(r, files)
	default:
		return fmt.Errorf("unknown request %.40q", string(r.Op))
	}
	if err != nil {
		return fmt.Errorf("%s request %w", r.Op, err)
	}
	return nil
}

// checkOne is about requests that name one worker and, apart from limits,
// nothing else.
func checkOne(r launch.Request, files int) error {
	switch {
	case !r.ID.Valid():
		return fmt.Errorf("for %.80q", string(r.ID))
	case files != 0:
		return fmt.Errorf("with %d descriptors", files)
	case (r.Op == launch.OpLimit) != (r.Limits != nil):
		return errors.New("whose limits are there or not as they should not be")
	case r.Role != "" || startOnly(r):
		return errors.New("with what only a start has")
	case r.IDs != nil:
		return errors.New("for several workers")
	}
	return nil
}

// startOnly reports whether a request has what only a native start may have.
func startOnly(r launch.Request) bool { return r.TTY || r.Learn || r.Only != nil }

func checkSample(r launch.Request, files int) error {
	switch {
	case r.ID != "" || r.Limits != nil || r.Role != "" || startOnly(r) || files != 0:
		return errors.New("with more than names")
	case len(r.IDs) == 0 || len(r.IDs) > launch.MaxSamples:
		return fmt.Errorf("for %d workers, not 1 to %d", len(r.IDs), launch.MaxSamples)
	}
	for _, id := range r.IDs {
		if !id.Valid() {
			return fmt.Errorf("for %.80q", string(id))
		}
	}
	return nil
}

func checkStart(r launch.Request, files int) error {
	want := 3
	if r.Role == launch.RoleNative {
		want = 4
	}
	switch {
	case !r.ID.Valid():
		return fmt.Errorf("for %.80q", string(r.ID))
	case r.Limits == nil:
		return errors.New("without limits")
	case r.IDs != nil:
		return errors.New("for several workers")
	case files != want:
		return fmt.Errorf("with %d descriptors, not %d", files, want)
	case r.Role != launch.RoleNative && (r.TTY || r.Only != nil):
		return fmt.Errorf("of role %.40q with what only a native program has", string(r.Role))
	case r.Learn && (r.Role == launch.RoleWasm || r.Role == launch.RoleWasmCompile):
		return fmt.Errorf("of role %s, of which no system calls are recorded", r.Role)
	case len(r.Only) > launch.MaxOnly:
		return fmt.Errorf("with %d system calls, more than %d", len(r.Only), launch.MaxOnly)
	}
	for _, name := range r.Only {
		if !syscallName(name) {
			return fmt.Errorf("with a system call %.80q", name)
		}
	}
	return nil
}

// syscallName reports whether a name has the form of a system call's.
func syscallName(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 32
}
