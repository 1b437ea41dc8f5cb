package isolate

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"

	"github.com/mpsupervisor/mpsupervisor/isolate/cgroup"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
	"github.com/opencontainers/runc/libcontainer"
	"github.com/opencontainers/runc/libcontainer/configs"
)

// Spec describes one worker.
type Spec struct {
	ID     string        // a file and control group name; unique among the running
	Slot   uint32        // which range of user ids; nobody else may be using it
	Args   []string      // without the program's name
	Env    []string      // in addition to what every worker gets
	Stderr *os.File      // descriptor 2; 0 and 1 are /dev/null
	Files  []*os.File    // descriptors 3 and up
	Limits cgroup.Limits // of everything the worker uses
	Filter []byte        // the system call filters that the worker will install: part of the policy's digest

	// Native makes the worker process 1 of a native program, with a root file
	// system of the program's own. Nil is a worker that sees nothing but itself.
	Native *Native

	// Code says that the worker loads machine code when it has entered and before
	// it runs any: Filter ends with what it installs then, and package verify tells
	// that MDWE comes with that.
	Code bool

	// Learn says that Filter asks about every call and refuses next to none, so
	// that package verify tells that the lock is open on purpose.
	Learn bool

	// Without leaves locks out, so that a test can show what each of them
	// stops. Nothing that comes over a socket reaches it.
	Without []lock.Name
}

var validID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

func (s Spec) check(c Config) error {
	switch {
	case !validID.MatchString(s.ID):
		return fmt.Errorf("worker id %.80q is not lower-case letters, digits and dashes", s.ID)
	case s.Slot >= c.Slots:
		return fmt.Errorf("slot %d is not one of %d", s.Slot, c.Slots)
	case s.Stderr == nil || slices.Contains(s.Files, nil):
		return fmt.Errorf("worker %s lacks a file", s.ID)
	}
	if err := errors.Join(s.Native.check(), s.checkLearn(), s.checkCode()); err != nil {
		return err
	}
	for _, name := range s.Without {
		if _, ok := omissions[name]; !ok {
			return fmt.Errorf("lock %q cannot be left out by the launcher", name)
		}
	}
	return nil
}

// checkLearn holds the filter to what is said of it. One that asks about every
// call refuses nothing: it must be asked for, and the kernel must keep data from
// being executed by itself, which elsewhere a filter does.
func (s Spec) checkLearn() error {
	filters, _ := seccomp.ParseStack(s.Filter)
	asks := slices.ContainsFunc(filters, func(f seccomp.Filter) bool { return f.Listen })
	switch {
	case asks != s.Learn:
		return fmt.Errorf("worker %s: a filter that asks (%v) where learning is %v", s.ID, asks, s.Learn)
	case s.Learn && !lock.InKernel(lock.MDWE):
		return lock.Missing(lock.MDWE, "not in this kernel, and a filter that refuses nothing cannot do instead")
	}
	return nil
}

// checkCode holds the filter to what is said of it: one for Enter, and what comes
// on top of it when the code is there.
func (s Spec) checkCode() error {
	filters, err := seccomp.ParseStack(s.Filter)
	if s.Code && (err != nil || len(filters) < 2 || s.Native != nil || s.Learn) {
		return fmt.Errorf("worker %s: it is to load code, and has %d filters (%v), or is a native program, or learning", s.ID, len(filters), err)
	}
	return nil
}

// Policy is the SHA-256 of every setting that a worker is started with: two
// workers have the same one exactly if they are locked in the same way.
type Policy [sha256.Size]byte

// policy hashes the settings in the canonical form of encoding/json: members
// in the order of the struct, map keys sorted. What only names the instance is
// not in it, apart from the range of user ids; nor is which directory a native
// program has for a root, which locks nothing.
func policy(conf *configs.Config, proc *libcontainer.Process, limits cgroup.Limits, s Spec) (Policy, error) {
	locks := *conf
	var native *Native
	if s.Native != nil {
		locks.Rootfs = ""
		native = new(*s.Native)
		native.Root = nil
	}
	h := sha256.New()
	fmt.Fprintf(h, "mpsupervisor policy 2\x00")
	err := json.NewEncoder(h).Encode(struct {
		Config *configs.Config
		Args   []string
		Env    []string
		Files  int
		Limits cgroup.Limits
		Filter []byte
		Native *Native
		Learn  bool
		Code   bool `json:",omitempty"`
	}{&locks, proc.Args, proc.Env, len(proc.ExtraFiles), limits, s.Filter, native, s.Learn, s.Code})
	if err != nil {
		return Policy{}, fmt.Errorf("cannot encode policy: %w", err)
	}
	return Policy(h.Sum(nil)), nil
}
