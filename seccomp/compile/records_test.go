package compile

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// records reads what the kernel tells of refused calls: audit records of type
// 1326 (linux/audit.h, AUDIT_SECCOMP).
type records struct{ fd int }

func listen(t *testing.T) records {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_AUDIT)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	const readLog = 1 // AUDIT_NLGRP_READLOG, as a bit
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: readLog}); err != nil {
		t.Fatal(err)
	}
	// Only so that a record that never comes fails a test, and does not hang it.
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 60}); err != nil {
		t.Fatal(err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 4<<20); err != nil {
		t.Fatal(err)
	}
	return records{fd}
}

var record = regexp.MustCompile(`uid=` + strconv.Itoa(workUser) + ` .*arch=([0-9a-f]+) syscall=([0-9]+)`)

// until gives the calls that workUser was refused since listen. Records come
// some time after the call, in order: so one more is caused, whose call is last.
func (r records) until(t *testing.T, last string) (calls []string) {
	t.Helper()
	output(t, asWorkUser(helper(t, "last", nativeStack(t, true))))
	b := make([]byte, 16<<10)
	for {
		n, _, err := unix.Recvfrom(r.fd, b, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			t.Fatalf("no record of %s came: %v (before it: %v)", last, err, calls)
		}
		if m := record.FindSubmatch(b[:n]); m != nil {
			arch, _ := strconv.ParseUint(string(m[1]), 16, 32)
			nr, _ := strconv.Atoi(string(m[2]))
			name := Name(uint32(arch), nr)
			if name == last {
				return calls
			}
			calls = append(calls, name)
		}
	}
}

// makeLast makes the one call that until waits for.
func makeLast([]string) {
	takeFilters()
	becomeUser()
	call(unix.SYS_MOUNT)(0)
}
