package enter

import (
	"fmt"
	"os"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/isolate/landlock"
)

// processName is what others see process 1 called. It is executed through a
// descriptor, and would have that one's number for a name.
const processName = "mpworker"

// setName names every thread (PR_SET_NAME(2const)).
func setName() error {
	name := append([]byte(processName), 0)
	_, err := allThreads(unix.SYS_PRCTL, unix.PR_SET_NAME, uintptr(unsafe.Pointer(&name[0])), 0)
	return err
}

// ours are the directories of a native program's root that package isolate has
// put there, and what may be done in each besides reading. What is executed must
// not come from one of them.
var ours = []ourDir{
	{"tmp", landlock.Change}, {"dev", landlock.Use}, {"proc", landlock.Read},
}

type ourDir struct {
	name   string
	access uint64
}

// maxEntries bounds how many names the root directory itself may have: each
// takes a rule.
const maxEntries = 4096

// nativeRules makes the ruleset of a native program: reading everywhere,
// executing below every name of the root that is the program's own. A name that
// comes later can be read and not executed.
func nativeRules(kernel landlock.Kernel) (ruleset int, err error) {
	ruleset, err = kernel.CreateNative()
	if err != nil {
		return -1, err
	}
	defer func() {
		if err != nil {
			unix.Close(ruleset)
		}
	}()
	if err := allow(kernel, ruleset, "/", landlock.Read); err != nil {
		return -1, err
	}
	for _, o := range ours {
		if err := allow(kernel, ruleset, "/"+o.name, o.access); err != nil {
			return -1, err
		}
	}
	names, err := rootNames()
	if err != nil {
		return -1, err
	}
	for _, name := range names {
		if err := allow(kernel, ruleset, "/"+name, landlock.Execute); err != nil {
			return -1, err
		}
	}
	return ruleset, nil
}

// rootNames lists what the program's own directory has at its top.
func rootNames() ([]string, error) {
	root, err := os.Open("/")
	if err != nil {
		return nil, err
	}
	defer root.Close()
	names, err := root.Readdirnames(maxEntries + 1)
	if len(names) > maxEntries {
		return nil, fmt.Errorf("the root directory has more than %d names", maxEntries)
	}
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return slices.ContainsFunc(ours, func(o ourDir) bool { return o.name == name })
	}), nil
}

// allow adds a rule for a file or directory. Symbolic links need none, since
// their targets have one; and a name that has gone meanwhile names nothing.
func allow(kernel landlock.Kernel, ruleset int, name string, access uint64) error {
	fd, err := unix.Open(name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR, unix.S_IFREG:
	default:
		return nil
	}
	if err := kernel.Allow(ruleset, fd, access); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// device is a name that is not there.
const device = "/tmp/.device"

// proveNativeFiles tries something in /tmp that Landlock denies. Nobody but root
// may make a device there anyway, but Landlock is asked first, and its errno is
// another one: without it this is EPERM, for want of a capability. A character
// device of number 0, which everybody may make, does not do: some kernels (the
// 6.1 of Debian 12 among them) count it as a file. The root can be read, or the
// program could not be executed.
func proveNativeFiles() error {
	if err := unix.Mknod(device, unix.S_IFBLK, 0); err != unix.EACCES {
		unix.Unlink(device)
		return fmt.Errorf("making a device in /tmp gives %w, want EACCES", orSuccess(err))
	}
	fd, err := unix.Open("/", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("opening the root directory gives %w, and a native program reads it", err)
	}
	return unix.Close(fd)
}
