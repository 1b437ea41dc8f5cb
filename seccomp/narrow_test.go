package seccomp

import (
	"slices"
	"syscall"
	"testing"
)

func TestNarrow(t *testing.T) {
	whole, err := Table(RoleNative)
	if err != nil {
		t.Fatal(err)
	}
	narrow := Narrow(whole, []string{"uname", "mount", "clock_settime", "no such call"})
	const enosys, eperm = syscall.ENOSYS, syscall.EPERM
	tests := []struct {
		call string
		args [6]uint64
		want Action
	}{
		{"uname", [6]uint64{}, Allow},                     // named
		{"mkdir", [6]uint64{}, Errno(enosys)},             // taken away
		{"socket", [6]uint64{0: 1, 1: 1}, Errno(enosys)},  // the same
		{"setsockopt", [6]uint64{1: 1}, Errno(enosys)},    // the same
		{"mount", [6]uint64{}, Errno(eperm)},              // named, and refused as ever
		{"clock_settime", [6]uint64{}, Errno(eperm)},      // the same
		{"ptrace", [6]uint64{}, Errno(eperm)},             // not named, and refused as ever
		{"clone3", [6]uint64{}, Errno(enosys)},            // the same
		{"ioctl", [6]uint64{1: 0x5412}, Errno(eperm)},     // TIOCSTI: the same
		{"mmap", [6]uint64{2: protRead}, Allow},           // needed
		{"mmap", [6]uint64{2: 7, 3: 0x22}, Errno(eperm)},  // and no more of it
		{"execve", [6]uint64{}, Allow},                    // needed
		{"seccomp", [6]uint64{1, 1}, Allow},               // by process 1
		{"seccomp", [6]uint64{1, 8}, Errno(eperm)},        // SECCOMP_FILTER_FLAG_NEW_LISTENER
		{"no such call", [6]uint64{}, Errno(enosys)},      // adds nothing
		{"exit_group", [6]uint64{}, Allow},                // needed
		{"wait4", [6]uint64{}, Allow},                     // by process 1 under both filters
		{"clone", [6]uint64{0x10000011}, Errno(eperm)},    // CLONE_NEWUSER
		{"prctl", [6]uint64{0x53564d41}, Errno(22)},       // PR_SET_VMA, refused quietly as ever
		{"fcntl", [6]uint64{1: 1031}, Errno(eperm)},       // F_SETPIPE_SZ
		{"sync", [6]uint64{}, Errno(0)},                   // as ever
		{"prctl", [6]uint64{0: 15}, Errno(syscall.EPERM)}, // PR_SET_NAME: taken away, though prctl is named
	}
	for _, test := range tests {
		if got := Decide(RoleNative, narrow, test.call, test.args); got != test.want {
			t.Errorf("%s %#x: %v, want %v", test.call, test.args, got, test.want)
		}
	}
}

// What is left is never more than there was.
func TestNarrowNeverAdds(t *testing.T) {
	whole, err := Table(RoleNative)
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]bool{}
	for _, r := range whole {
		in[r.Syscall+r.conditions()+r.Action.String()] = true
	}
	for _, r := range Narrow(whole, []string{"read", "socket", "reboot"}) {
		if !in[r.Syscall+r.conditions()+r.Action.String()] {
			t.Errorf("%s was added", r.Syscall)
		}
	}
	if all := Narrow(whole, nil); len(all) != len(whole) {
		t.Errorf("no names at all leave %d of %d rows", len(all), len(whole))
	}
	all := Narrow(whole, nil)
	if all[0].Syscall = "mount"; whole[0].Syscall == "mount" {
		t.Error("a caller changed the table")
	}
}

// What process 1 needs is in the program's table, whatever that is narrowed to:
// it is under both filters.
func TestInitIsWithinNative(t *testing.T) {
	whole, err := Table(RoleNative)
	if err != nil {
		t.Fatal(err)
	}
	narrow := Narrow(whole, []string{"read"})
	for _, r := range pid1() {
		var args [6]uint64
		for _, a := range r.Args {
			args[a.Index] = a.Value
		}
		if got := Decide(RoleNative, narrow, r.Syscall, args); got != r.Action {
			t.Errorf("%s %#x: role native gives %v, role init %v", r.Syscall, args, got, r.Action)
		}
	}
	for _, name := range starting {
		if !slices.ContainsFunc(whole, func(r Rule) bool { return r.Syscall == name && r.Action == Allow }) {
			t.Errorf("%s is needed to start a program, and not allowed", name)
		}
	}
}
