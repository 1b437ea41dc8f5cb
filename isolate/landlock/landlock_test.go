package landlock

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What each kernel that is met denies and leaves, and how much of the
// structure it is shown.
func TestKernels(t *testing.T) {
	const all = "truncating TCP device commands abstract sockets signals named sockets UDP"
	tests := []struct {
		linux   string
		kernel  Kernel
		size    uintptr
		missing string
	}{
		{"5.13", Kernel{ABI: 1}, 8, all},
		{"6.1", Kernel{ABI: 2}, 8, all},
		{"6.2", Kernel{ABI: 3}, 8, strings.TrimPrefix(all, "truncating ")},
		{"6.7", Kernel{ABI: 4}, 16, "device commands abstract sockets signals named sockets UDP"},
		{"6.10", Kernel{ABI: 5}, 16, "abstract sockets signals named sockets UDP"},
		{"6.12", Kernel{ABI: 6}, 24, "signals named sockets UDP"},
		{"6.15", Kernel{ABI: 6, Errata: 3}, 24, "named sockets UDP"},
		{"newest", Kernel{ABI: 10, Errata: 15}, 24, ""},
	}
	for _, test := range tests {
		if got := strings.Join(test.kernel.Missing(), " "); got != test.missing {
			t.Errorf("Linux %s lacks %q, want %q", test.linux, got, test.missing)
		}
		if got := test.kernel.size(); got != test.size {
			t.Errorf("Linux %s is shown %d bytes, want %d", test.linux, got, test.size)
		}
		deny := test.kernel.Deny()
		if deny.Net != 0 && test.size < 16 || deny.Scoped != 0 && test.size < 24 {
			t.Errorf("Linux %s: %+v does not fit into %d bytes", test.linux, deny, test.size)
		}
		const everyFile = 1<<13 - 1 // the thirteen rights of ABI 1
		if deny.FS&everyFile != everyFile {
			t.Errorf("Linux %s: files are not denied: %#x", test.linux, deny.FS)
		}
	}
}

// A right is in the ruleset of the ABI that brought it and in none before.
func TestRightsComeWithTheirABI(t *testing.T) {
	for _, r := range rights {
		before, with := Kernel{r.abi - 1, ^0}.Deny(), Kernel{r.abi, ^0}.Deny()
		if (before.FS&r.adds.FS)|(before.Net&r.adds.Net)|(before.Scoped&r.adds.Scoped) != 0 {
			t.Errorf("%+v is denied before ABI %d", r.adds, r.abi)
		}
		if with.FS&r.adds.FS != r.adds.FS || with.Net&r.adds.Net != r.adds.Net || with.Scoped&r.adds.Scoped != r.adds.Scoped {
			t.Errorf("%+v is not denied with ABI %d", r.adds, r.abi)
		}
	}
}

// This kernel takes its own ruleset, and that of every ABI before its own:
// what an older kernel would be given is valid.
func TestRunningKernelTakesTheRuleset(t *testing.T) {
	running, err := Running()
	if err != nil {
		t.Fatal(err)
	}
	for abi := 1; abi <= running.ABI; abi++ {
		fd, err := Kernel{abi, running.Errata}.Create()
		if err != nil {
			t.Errorf("ABI %d: %v", abi, err)
			continue
		}
		unix.Close(fd)
	}
	unknown := Ruleset{FS: 1 << 63}
	if fd, err := create(&unknown, 8, 0); err == nil {
		unix.Close(fd)
		t.Error("a right that does not exist was taken")
	}
}

// A native program's ruleset denies what the other does, but for signals; and
// what is allowed nowhere covers execution of data, or devices.
func TestNativeRules(t *testing.T) {
	for abi := 1; abi <= 10; abi++ {
		all, native := Kernel{abi, ^0}.Deny(), Kernel{abi, ^0}.DenyNative()
		all.Scoped &^= unix.LANDLOCK_SCOPE_SIGNAL
		if all != native {
			t.Errorf("ABI %d: %+v, and for native programs %+v", abi, all, native)
		}
	}
	const devices = unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK
	if (Read|Execute|Change|Use)&devices != 0 || (Read|Change|Use)&Execute != 0 || (Read|Execute)&^uint64(Use|Execute) != 0 {
		t.Error("the rights overlap")
	}
}

// The kernel takes a rule of each kind for a directory, and that for executing
// for a file, in the ruleset of every ABI.
func TestRunningKernelTakesTheRules(t *testing.T) {
	running, err := Running()
	if err != nil {
		t.Fatal(err)
	}
	open := func(name string) int {
		fd, err := unix.Open(name, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		return fd
	}
	dir, file := open("/"), open("/proc/self/exe")
	for abi := 1; abi <= running.ABI; abi++ {
		k := Kernel{abi, running.Errata}
		ruleset, err := k.CreateNative()
		if err != nil {
			t.Errorf("ABI %d: %v", abi, err)
			continue
		}
		for _, access := range []uint64{Read, Execute, Change, Use} {
			if err := k.Allow(ruleset, dir, access); err != nil {
				t.Errorf("ABI %d: %#x: %v", abi, access, err)
			}
		}
		if err := k.Allow(ruleset, file, Execute); err != nil {
			t.Errorf("ABI %d: for a file: %v", abi, err)
		}
		if err := k.Allow(ruleset, file, Change); err == nil {
			t.Errorf("ABI %d: a file takes what is a directory's", abi)
		}
		unix.Close(ruleset)
	}
}
