package isolate

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/mpsupervisor/mpsupervisor/isolate/cgroup"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/isolate/stage"
	"github.com/mpsupervisor/mpsupervisor/isolate/verify"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
	"github.com/opencontainers/runc/libcontainer"
	"github.com/opencontainers/runc/libcontainer/configs"
	"golang.org/x/sys/unix"
)

// Start starts a worker. When it returns without an error the worker's own
// binary is running; on an error nothing is left of it. The files stay the
// caller's.
func (l *Launcher) Start(s Spec) (_ *Worker, err error) {
	if err := s.check(l.conf); err != nil {
		return nil, err
	}
	var undo undo
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("cannot start worker %s: %w", s.ID, err), undo.run())
		}
	}()
	if <-l.settled; l.astray != nil {
		return nil, l.astray
	}
	limits := s.limits()
	group, err := l.conf.Groups.Create(s.ID, limits)
	if err != nil {
		return nil, err
	}
	undo.add(func() error { return clear(group) })
	if s.Native != nil {
		if err := l.furnish(s); err != nil {
			return nil, err
		}
		undo.add(func() error { return l.strip(s.ID) })
	}
	conf, err := l.container(s)
	if err != nil {
		return nil, err
	}
	proc := l.process(s)
	w := l.worker(s, group)
	if w.Policy, err = policy(conf, proc, limits, s); err != nil {
		return nil, err
	}
	undo.add(func() error { return os.RemoveAll(w.state) })
	container, err := l.load(s.ID, conf)
	if err != nil {
		return nil, err
	}
	// Born in its control groups, as far as those allow it.
	undo.add(func() error { return end(proc) })
	if err := group.Inside(func() error { return container.Start(proc) }); err != nil {
		return nil, err
	}
	if err := w.identify(proc); err != nil {
		return nil, err
	}
	undo.add(w.Pidfd.Close)
	// It waits before its execve: the moment to join the rest, so that all
	// memory of the worker's own program is charged to the right group.
	if err := w.join(); err != nil {
		return nil, err
	}
	if err := container.Exec(); err != nil {
		return nil, fmt.Errorf("cannot execute it: %w", err)
	}
	return w, nil
}

// worker gives what is known of a worker before it exists.
func (l *Launcher) worker(s Spec, group *cgroup.Group) *Worker {
	uid := l.conf.uid(s.Slot)
	w := &Worker{
		ID: s.ID, Slot: s.Slot, UID: uid + workerUID, Group: group,
		state: l.state(s.ID), joined: make(chan struct{}),
		subject: verify.Subject{
			Program: l.program(), UID: uid + workerUID, UIDBase: uid, UIDCount: l.conf.UIDCount,
			Group: group, Limits: s.Limits, Learn: s.Learn,
		},
	}
	if s.Code {
		filters, _ := seccomp.ParseStack(s.Filter) // check has
		w.subject.Code = &verify.Code{Filters: len(filters)}
	}
	if s.Native != nil {
		w.tmp = filepath.Join(l.place(s.ID), "tmp")
		w.strip = func() error { return l.strip(s.ID) }
		w.subject.Native = &verify.Native{Binary: l.binary, Files: s.Native.Files}
	}
	return w
}

// limits gives the limits without those that are left out.
func (s Spec) limits() cgroup.Limits {
	l := s.Limits
	for name, zero := range map[lock.Name]func(){
		lock.MemoryLimit: func() { l.Memory = 0 },
		lock.PidsLimit:   func() { l.Pids = 0 },
		lock.CPULimit:    func() { l.CPU = 0 },
	} {
		if slices.Contains(s.Without, name) {
			zero()
		}
	}
	return l
}

// process gives the worker's program for libcontainer.
func (l *Launcher) process(s Spec) *libcontainer.Process {
	uid := workerUID
	if slices.Contains(s.Without, lock.UserNamespace) {
		uid += int(l.conf.uid(s.Slot))
	}
	files := s.Files
	program := l.program()
	if s.Native != nil {
		program = self(len(files))
		files = append(files[:len(files):len(files)], l.binary)
	}
	return &libcontainer.Process{
		Args: append([]string{program}, s.Args...),
		// HOME is set because libcontainer would else look for /etc/passwd.
		Env:        append([]string{"HOME=/", "GOMAXPROCS=1"}, s.Env...),
		UID:        uid,
		GID:        uid,
		Cwd:        "/",
		Stderr:     s.Stderr,
		ExtraFiles: files,
		Init:       true,
		LogLevel:   s.omissions().LogLevel(),
	}
}

// omissions are what package stage is to leave out.
func (s Spec) omissions() (o stage.Omissions) {
	if slices.Contains(s.Without, lock.Securebits) {
		o |= stage.OmitSecurebits
	}
	if slices.Contains(s.Without, lock.Keyring) {
		o |= stage.OmitKeyring
	}
	return o
}

// load makes a container by way of a state file instead of libcontainer.Create,
// since only there the control group can be named: it names none. The worker is
// in its group before libcontainer has a process to move, and moving it once
// more would cost 7 ms on an idle machine, in hierarchies that it does not need.
func (l *Launcher) load(id string, conf *configs.Config) (*libcontainer.Container, error) {
	hierarchy := "none" // not one of version 1: ignored
	if l.conf.Groups.Mode() == cgroup.Unified {
		hierarchy = "" // not below the mount point: tolerated, see container
	}
	state := libcontainer.State{
		BaseState:   libcontainer.BaseState{ID: id, Config: *conf},
		CgroupPaths: map[string]string{hierarchy: "/nowhere"},
	}
	b, err := json.Marshal(&state)
	if err != nil {
		return nil, fmt.Errorf("cannot encode container: %w", err)
	}
	dir := l.state(id)
	if err := os.Mkdir(dir, 0o711); err != nil {
		return nil, fmt.Errorf("cannot make container: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "state.json"), b, 0o600); err != nil {
		return nil, fmt.Errorf("cannot make container: %w", err)
	}
	c, err := libcontainer.Load(l.states(), id)
	if err != nil {
		return nil, fmt.Errorf("cannot make container: %w", err)
	}
	return c, nil
}

// state is libcontainer's directory for one worker.
func (l *Launcher) state(id string) string { return filepath.Join(l.states(), id) }

// end ends a process whose start failed half way.
func end(p *libcontainer.Process) error {
	pid, err := p.Pid()
	if err != nil {
		return nil // there never was one
	}
	if err := unix.Kill(pid, unix.SIGKILL); err != nil && err != unix.ESRCH {
		return err
	}
	p.Wait() // fails if libcontainer has waited for it already
	return nil
}

// undo collects what must be taken back if a later step fails, last first.
type undo []func() error

func (u *undo) add(f func() error) { *u = append(*u, f) }

func (u undo) run() error {
	var errs []error
	for _, f := range slices.Backward(u) {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}
