package server

import (
	"errors"
	"os"
	"slices"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/isolate"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
	"github.com/mpsupervisor/mpsupervisor/seccomp/compile"
)

// Role is what a worker of one role gets.
type Role struct {
	Table   seccomp.Role // of the system calls that it may make
	Filters Filters      // descriptor 5: what it is held to
	Learn   Filters      // in their place for one that is recorded; none if none may be
	Other   *os.File     // descriptor 6: the heap image, or the filters that come later
	Later   []byte       // the stack in Other, if it is one
	Code    bool         // it loads machine code, and Later ends that
	Native  bool         // it executes a program out of a root directory
	Forks   bool         // its workers have processes besides process 1
	Args    []string
	Env     []string
}

// Filters are a stack in the form in which it is installed, as bytes and in a
// sealed file that all who are held to it share.
type Filters struct {
	Stack []byte
	File  *os.File
}

// NewFilters gives filters a file.
func NewFilters(s seccomp.Stack) (Filters, error) {
	return seal(s.Marshal())
}

func seal(stack []byte) (Filters, error) {
	f, err := Seal("mpsupervisor-filters", stack)
	return Filters{stack, f}, err
}

// spec describes the worker that a request asks for. close gives back what was
// made for it alone, when it has started or failed to.
func (r Role) spec(req launch.Request, slot uint32, files []*os.File, n *narrowed) (s isolate.Spec, close func(), err error) {
	f, close, err := r.filters(req, n)
	if err != nil {
		return s, nil, err
	}
	s = isolate.Spec{
		ID: string(req.ID), Slot: slot, Args: r.args(req), Env: r.Env,
		Stderr: files[2], Files: []*os.File{files[0], files[1]},
		Limits: groupLimits(*req.Limits), Filter: slices.Concat(f.Stack, r.Later), Learn: req.Learn, Code: r.Code,
	}
	if f.File != nil {
		s.Files = append(s.Files, f.File, r.Other)
	}
	if r.Native {
		s.Native = &isolate.Native{
			Root: files[3], TTY: req.TTY,
			TmpBytes: req.Limits.TmpBytes, TmpFiles: req.Limits.TmpFiles, Files: req.Limits.Files,
		}
	}
	return s, close, nil
}

func (r Role) args(req launch.Request) []string {
	if req.Learn {
		return append(slices.Clone(r.Args), "learn")
	}
	return r.Args
}

// filters are those of the role, those that record, or what a program's own
// list leaves of the role's.
func (r Role) filters(req launch.Request, n *narrowed) (f Filters, close func(), err error) {
	switch {
	case req.Learn && r.Learn.File == nil:
		return f, nil, errors.New("this launcher records no system calls: it was started without --learn")
	case req.Learn:
		return r.Learn, func() {}, nil
	case len(req.Only) == 0:
		return r.Filters, func() {}, nil
	}
	stack, err := n.stack(r.Table, req.Only)
	if err != nil {
		return f, nil, err
	}
	if f, err = seal(stack); err != nil {
		return f, nil, err
	}
	return f, func() { f.File.Close() }, nil
}

// decider says what the role's filters do with a call, as far as a program's
// own list leaves them.
func (r Role) decider(only []string) func(call string, args [6]uint64) seccomp.Action {
	rules, err := seccomp.Table(r.Table)
	if err != nil {
		panic(err) // cannot happen: its filters have been compiled
	}
	rules = seccomp.Narrow(rules, only)
	return func(call string, args [6]uint64) seccomp.Action {
		return seccomp.Decide(r.Table, rules, call, args)
	}
}

// compiled gives the stack of a role, in the form in which it is installed.
func compiled(role seccomp.Role, only []string) ([]byte, error) {
	stack, err := compile.Stack(role, only)
	if err != nil {
		return nil, err
	}
	return stack.Marshal(), nil
}
