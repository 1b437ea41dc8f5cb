// Package compile turns a role's table into the BPF program that the kernel
// runs, by means of libseccomp, and names system calls by number.
//
// It is apart from package seccomp because libseccomp needs cgo: the launcher
// links it, workers and supervisor do not. A program is compiled once when the
// launcher starts, never on the path of a start.
package compile

import (
	"errors"
	"fmt"
	"io"
	"os"

	libseccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

// Arch is an architecture that has tables, by libseccomp's name.
type Arch string

// The architectures.
const (
	AMD64 Arch = "amd64"
	ARM64 Arch = "arm64"
)

// Compile gives the one program of a role of our own processes, for this
// machine: an array of struct sock_filter in native byte order.
func Compile(role seccomp.Role) ([]byte, error) {
	stack, err := Stack(role, nil)
	if err != nil {
		return nil, err
	}
	if len(stack) != 1 {
		return nil, fmt.Errorf("seccomp role %q has %d filters, and not one", string(role), len(stack))
	}
	return stack[0].Program, nil
}

// Stack gives the filters of a role for this machine, in the order in which
// they are installed. The names in only, if there are any, narrow the role as
// seccomp.Narrow says; a name that is of no system call is an error.
func Stack(role seccomp.Role, only []string) (seccomp.Stack, error) {
	native, err := nativeArch()
	if err != nil {
		return nil, fmt.Errorf("cannot compile seccomp role %q: %w", string(role), err)
	}
	return For(role, only, native)
}

// For gives the filters of a role for an architecture. This machine must have
// the same byte order.
func For(role seccomp.Role, only []string, arch Arch) (seccomp.Stack, error) {
	rules, err := seccomp.Table(role)
	if err != nil {
		return nil, err
	}
	if err := known(only); err != nil {
		return nil, fmt.Errorf("cannot narrow seccomp role %q: %w", string(role), err)
	}
	var stack seccomp.Stack
	for _, l := range layers(role, seccomp.Narrow(rules, only)) {
		program, err := l.compile(arch)
		if err != nil {
			return nil, fmt.Errorf("cannot compile seccomp role %q for %s: %w", string(role), arch, err)
		}
		stack = append(stack, seccomp.Filter{Program: program, Log: l.log})
	}
	return stack, nil
}

// known finds a name that no architecture with a table has.
func known(names []string) error {
	for _, name := range names {
		if !has(AMD64, name) && !has(ARM64, name) {
			return fmt.Errorf("no system call %q", name)
		}
	}
	return nil
}

// has reports whether an architecture has a system call. libseccomp gives those
// of other architectures numbers below zero.
func has(arch Arch, name string) bool {
	if isNewer(name) {
		return true
	}
	id, err := libseccomp.GetArchFromString(string(arch))
	if err != nil {
		return false
	}
	nr, err := libseccomp.GetSyscallFromNameByArch(name, id)
	return err == nil && nr >= 0
}

func nativeArch() (Arch, error) {
	native, err := libseccomp.GetNativeArch()
	return Arch(native.String()), err
}

// compile makes the program of a layer: the architecture alone, every other
// entry killed, then the rows.
//
// The numbers are compared in a row, not in a binary tree (SetOptimize): the
// kernel (since 5.11) remembers which calls are allowed whatever their
// arguments and does not run the program for them, so that what counts is the
// few others. They are compared first.
func (l layer) compile(arch Arch) ([]byte, error) {
	filter, err := libseccomp.NewFilter(action(l.otherwise))
	if err != nil {
		return nil, err
	}
	defer filter.Release()
	if err := prepare(filter, arch); err != nil {
		return nil, err
	}
	if err := addRules(filter, l, arch); err != nil {
		return nil, err
	}
	before, err := prologue(l.rules, arch)
	if err != nil {
		return nil, err
	}
	program, err := export(filter)
	return append(before, program...), err
}

// prepare leaves the filter with one architecture. What enters by another,
// x32 among them, gets the action for a bad architecture.
func prepare(filter *libseccomp.ScmpFilter, arch Arch) error {
	id, err := libseccomp.GetArchFromString(string(arch))
	if err != nil {
		return err
	}
	if err := filter.SetBadArchAction(libseccomp.ActKillProcess); err != nil {
		return err
	}
	native, err := libseccomp.GetNativeArch()
	if err != nil || native == id {
		return err
	}
	if err := filter.AddArch(id); err != nil {
		return err
	}
	return filter.RemoveArch(native)
}

func addRules(filter *libseccomp.ScmpFilter, l layer, arch Arch) error {
	for _, r := range l.rules {
		if isNewer(r.Syscall) {
			continue // prologue has it
		}
		// Calls that x86-64 has and other architectures have not are those that the
		// others never had: newer ones took their place.
		if !has(arch, r.Syscall) && has(AMD64, r.Syscall) {
			continue
		}
		if err := addRule(filter, r, l.priority(r.Syscall), arch); err != nil {
			return fmt.Errorf("%s: %w", r.Syscall, err)
		}
	}
	return nil
}

func addRule(filter *libseccomp.ScmpFilter, r seccomp.Rule, priority uint8, arch Arch) error {
	if !has(arch, r.Syscall) {
		return errors.New("no such system call")
	}
	// The number is the native one: libseccomp translates it for another
	// architecture.
	nr, err := libseccomp.GetSyscallFromName(r.Syscall)
	if err != nil {
		return err
	}
	if err := filter.SetSyscallPriority(nr, priority); err != nil {
		return err
	}
	if len(r.Args) == 0 {
		return filter.AddRuleExact(nr, action(r.Action))
	}
	conditions, err := conditions(r.Args)
	if err != nil {
		return err
	}
	return filter.AddRuleConditionalExact(nr, action(r.Action), conditions)
}

func conditions(args []seccomp.Arg) ([]libseccomp.ScmpCondition, error) {
	var all []libseccomp.ScmpCondition
	for _, a := range args {
		c, err := libseccomp.MakeCondition(uint(a.Index), libseccomp.CompareMaskedEqual, a.Mask, a.Value)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func action(a seccomp.Action) libseccomp.ScmpAction {
	if e, ok := a.Errno(); ok {
		return libseccomp.ActErrno.SetReturnCode(int16(e))
	}
	switch a {
	case seccomp.Allow:
		return libseccomp.ActAllow
	case seccomp.Notify:
		return libseccomp.ActNotify
	}
	return libseccomp.ActKillProcess
}

// export writes the program into a memory file and reads it back: the
// libseccomp of Debian 12 exports to a descriptor and nothing else.
func export(filter *libseccomp.ScmpFilter) ([]byte, error) {
	fd, err := unix.MemfdCreate("seccomp", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
	f := os.NewFile(uintptr(fd), "seccomp")
	defer f.Close()
	if err := filter.ExportBPF(f); err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return io.ReadAll(f)
}
