package enter

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// limits are set to zero, soft and hard. The others are the launcher's, or the
// cgroup's.
var limits = []struct {
	resource int
	name     string
}{
	{unix.RLIMIT_CORE, "RLIMIT_CORE"},         // no copy of the memory on a disk
	{unix.RLIMIT_MEMLOCK, "RLIMIT_MEMLOCK"},   // no page that cannot be taken back
	{unix.RLIMIT_MSGQUEUE, "RLIMIT_MSGQUEUE"}, // no kernel memory in message queues
}

func setRlimits(*state) error {
	for _, l := range limits {
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{}); err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
	}
	return nil
}

// proveRlimits reads each limit, and tries to raise it.
func proveRlimits(*state) error {
	for _, l := range limits {
		var have unix.Rlimit
		if err := unix.Getrlimit(l.resource, &have); err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		if have != (unix.Rlimit{}) {
			return fmt.Errorf("%s is %+v", l.name, have)
		}
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: 1, Max: 1}); err != unix.EPERM {
			return fmt.Errorf("raising %s gives %w, want EPERM", l.name, orSuccess(err))
		}
	}
	return nil
}

func setDumpable(*state) error {
	_, err := prctl(unix.PR_SET_DUMPABLE, 0, 0)
	return err
}

func proveDumpable(*state) error {
	dumpable, err := prctl(unix.PR_GET_DUMPABLE, 0, 0)
	if err == nil && dumpable != 0 {
		err = fmt.Errorf("prctl reads %d", dumpable)
	}
	return err
}

// setMDWE has the kernel refuse memory that is writable and executable, and
// executable memory that was once not (PR_SET_MDWE, Linux 6.3; for the whole
// address space, so for all threads).
func setMDWE(*state) error {
	if _, err := prctl(unix.PR_SET_MDWE, unix.PR_MDWE_REFUSE_EXEC_GAIN, 0); err != nil {
		return fmt.Errorf("prctl PR_SET_MDWE (Linux 6.3): %w", err)
	}
	return nil
}

// proveMDWE tries both ways to a page that is made executable at run time.
func proveMDWE(*state) error {
	size := unix.Getpagesize()
	const rwx = unix.PROT_READ | unix.PROT_WRITE | unix.PROT_EXEC
	if page, err := anonymous(size, rwx); err != unix.EACCES {
		unix.Munmap(page)
		return fmt.Errorf("mapping a page to write and execute gives %w, want EACCES", orSuccess(err))
	}
	return proveNoExec(nil)
}

func anonymous(size, prot int) ([]byte, error) {
	return unix.Mmap(-1, 0, size, prot, unix.MAP_PRIVATE|unix.MAP_ANON)
}
