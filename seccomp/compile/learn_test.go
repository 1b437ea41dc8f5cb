package compile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	libseccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// The learning filter on the kernel: somebody else finds the listener, hears of
// every call and lets it go on, and the program does what it does without. What
// it executes has no listener.
func TestLearning(t *testing.T) {
	stack, err := Learn()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	cmd := helper(t, "exec", stack, "/bin/sh", "-c", "ls -l /proc/self/fd; cat < /dev/null; exit 7")
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listener := findListener(t, cmd.Process.Pid)
	ended := make(chan struct{})
	go func() { // at once: kernels before 6.11 keep the filter of a process that nobody has waited for
		cmd.Wait()
		close(ended)
	}()
	counts, err := answer(listener)
	if err != nil {
		t.Error(err)
	}
	<-ended
	if code := cmd.ProcessState.ExitCode(); code != 7 {
		t.Errorf("the program exited with %d:\n%s", code, out.String())
	}
	if !strings.Contains(out.String(), "/dev/null") && !strings.Contains(out.String(), "pipe:") || strings.Contains(out.String(), "seccomp") {
		t.Errorf("the program has these descriptors:\n%s", out.String())
	}
	for _, name := range []string{"execve", "openat", "mmap", "read", "write", "getdents64", "wait4"} {
		if counts[name] == 0 {
			t.Errorf("nobody was asked about %s: %v", name, counts)
		}
	}
	for _, name := range []string{"exit", "exit_group", "rt_sigreturn"} {
		if counts[name] != 0 {
			t.Errorf("%s was asked about", name)
		}
	}
}

// findListener waits for the listener of a process, and takes it. It sees the
// process end as well.
func findListener(t *testing.T, pid int) libseccomp.ScmpFd {
	t.Helper()
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pidfd)
	for {
		links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		if err != nil || len(links) == 0 {
			t.Fatalf("process %d has ended: %v", pid, err)
		}
		for _, link := range links {
			if to, _ := os.Readlink(link); to == "anon_inode:seccomp notify" {
				var fd int
				fmt.Sscan(filepath.Base(link), &fd)
				listener, err := unix.PidfdGetfd(pidfd, fd, 0)
				if err != nil {
					t.Fatal(err)
				}
				return libseccomp.ScmpFd(listener)
			}
		}
		unix.Poll(nil, 1)
	}
}

// answer lets every call go on until no process has the filter any more, and
// counts the calls by name.
func answer(listener libseccomp.ScmpFd) (map[string]int, error) {
	defer unix.Close(int(listener))
	counts := map[string]int{}
	for {
		fds := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		if _, err := unix.Poll(fds, -1); err == unix.EINTR {
			continue
		} else if err != nil {
			return counts, err
		}
		if fds[0].Revents&unix.POLLIN == 0 {
			return counts, nil // POLLHUP: nobody has it
		}
		req, err := libseccomp.NotifReceive(listener)
		if gone(err) {
			continue
		}
		if err != nil {
			return counts, err
		}
		name, _ := req.Data.Syscall.GetName()
		counts[name]++
		err = libseccomp.NotifRespond(listener, &libseccomp.ScmpNotifResp{ID: req.ID, Flags: libseccomp.NotifRespFlagContinue})
		if err != nil && !gone(err) {
			return counts, err
		}
	}
}

// gone reports that the caller was interrupted or killed before it was answered.
func gone(err error) bool {
	return errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.EINTR)
}
