package privilege

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// state is what every thread must be found in.
type state struct {
	uid, gid uint32
	caps     uint64 // permitted and effective
	emptied  bool   // the bounding set and the groups are empty too
}

// verify reads back what the kernel holds for each thread (proc_pid_status(5))
// and then tries what must fail. A thread that appears meanwhile has its
// creator's credentials, so one pass over the threads is enough.
func verify(want state) error {
	threads, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil {
		return err // cannot happen: the pattern is well formed
	}
	checked := 0
	for _, path := range threads {
		status, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // the thread has ended
		}
		if err != nil {
			return fmt.Errorf("cannot verify: %w", err)
		}
		if err := want.compare(fields(status)); err != nil {
			return fmt.Errorf("verified and found wrong: %s: %w", path, err)
		}
		checked++
	}
	if checked == 0 {
		return errors.New("cannot verify: no thread found in /proc/self/task")
	}
	return tryReturn()
}

// compare reports the first line of one thread's status that differs.
func (s state) compare(status map[string]string) error {
	caps := fmt.Sprintf("%016x", s.caps)
	want := [][2]string{
		{"Uid", four(s.uid)}, {"Gid", four(s.gid)},
		{"CapPrm", caps}, {"CapEff", caps},
		{"CapInh", none}, {"CapAmb", none},
		{"NoNewPrivs", "1"},
	}
	if s.emptied {
		want = append(want, [2]string{"CapBnd", none}, [2]string{"Groups", ""})
	}
	for _, w := range want {
		found, ok := status[w[0]]
		if !ok || found != w[1] {
			return fmt.Errorf("%s is %q, not %q", w[0], found, w[1])
		}
	}
	return nil
}

const none = "0000000000000000" // an empty capability set

// four is a user or group as status shows it: real, effective, saved and
// file system.
func four(id uint32) string {
	n := strconv.FormatUint(uint64(id), 10)
	return strings.Join([]string{n, n, n, n}, " ")
}

// fields reads "Name: value" lines; runs of white space become one space.
func fields(status []byte) map[string]string {
	m := make(map[string]string)
	lines := bufio.NewScanner(bytes.NewReader(status))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		m[name] = strings.Join(strings.Fields(value), " ")
	}
	return m
}

// tryReturn tries to become root on one thread, by the bare system call, and
// is content when the kernel refuses.
func tryReturn() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, 0, 0, 0); errno != unix.EPERM {
		return fmt.Errorf("verified and found wrong: becoming root again gave %v, not EPERM", errno)
	}
	return nil
}
