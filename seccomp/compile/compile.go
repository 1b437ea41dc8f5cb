// Package compile turns a role's table into the BPF program that the kernel
// runs, by means of libseccomp, and names system calls by number.
//
// It is apart from package seccomp because libseccomp needs cgo: the launcher
// links it, workers and supervisor do not. A program is compiled once when the
// launcher starts, never on the path of a start.
package compile

import (
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

// Compile gives the program of a role for this machine: an array of struct
// sock_filter in native byte order.
func Compile(role seccomp.Role) ([]byte, error) {
	native, err := libseccomp.GetNativeArch()
	if err != nil {
		return nil, fmt.Errorf("cannot compile seccomp role %q: %w", string(role), err)
	}
	return For(role, Arch(native.String()))
}

// For gives the program of a role for an architecture. This machine must have
// the same byte order.
func For(role seccomp.Role, arch Arch) ([]byte, error) {
	rules, err := seccomp.Table(role)
	if err != nil {
		return nil, err
	}
	filter, err := build(rules, arch)
	if err != nil {
		return nil, fmt.Errorf("cannot compile seccomp role %q for %s: %w", string(role), arch, err)
	}
	defer filter.Release()
	program, err := export(filter)
	if err != nil {
		return nil, fmt.Errorf("cannot compile seccomp role %q for %s: %w", string(role), arch, err)
	}
	return program, nil
}

// build makes libseccomp's filter: the architecture alone, every other entry
// killed, then the rows.
//
// The numbers are compared in a row, not in a binary tree (SetOptimize): the
// kernel (since 5.11) remembers which calls are allowed whatever their
// arguments and does not run the program for them, so that what counts is the
// few others, and those a table marks hot are compared first. For futex the row takes 11
// instructions, the tree 15.
func build(rules []seccomp.Rule, arch Arch) (*libseccomp.ScmpFilter, error) {
	filter, err := libseccomp.NewFilter(action(seccomp.Default))
	if err != nil {
		return nil, err
	}
	if err := prepare(filter, arch); err != nil {
		filter.Release()
		return nil, err
	}
	if err := addRules(filter, rules, arch); err != nil {
		filter.Release()
		return nil, err
	}
	return filter, nil
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

func addRules(filter *libseccomp.ScmpFilter, rules []seccomp.Rule, arch Arch) error {
	for _, r := range rules {
		if err := addRule(filter, r, arch); err != nil {
			return fmt.Errorf("%s: %w", r.Syscall, err)
		}
	}
	return nil
}

func addRule(filter *libseccomp.ScmpFilter, r seccomp.Rule, arch Arch) error {
	// The number is the native one: libseccomp translates it for another
	// architecture. That the other knows the name is asked apart.
	id, err := libseccomp.GetArchFromString(string(arch))
	if err != nil {
		return err
	}
	if _, err := libseccomp.GetSyscallFromNameByArch(r.Syscall, id); err != nil {
		return fmt.Errorf("no such system call: %w", err)
	}
	nr, err := libseccomp.GetSyscallFromName(r.Syscall)
	if err != nil {
		return err
	}
	if r.Hot {
		const early = 255 // the highest priority that libseccomp has
		if err := filter.SetSyscallPriority(nr, early); err != nil {
			return err
		}
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
	if a == seccomp.Allow {
		return libseccomp.ActAllow
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
