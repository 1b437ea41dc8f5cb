package server

import (
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"
)

// record is what the kernel's audit says of one system call, in words of the
// form key=value:
//
//	audit(1700000000.123:45): auid=4294967295 uid=1900000001 gid=1900000001
//	ses=4294967295 pid=321 comm="sh" exe="/bin/busybox" sig=0 arch=c000003e
//	syscall=165 compat=0 ip=0x7f12 code=0x50000
//
// It is kernel/auditsc.c, audit_seccomp, that writes it. Names that a process
// chose (comm, exe) are in quotes, or in hexadecimal where that would need an
// escape or a blank: they cannot pose as another word.
type record struct {
	when    time.Time // of the clock's last tick before it
	uid     uint32
	pid     int // of the process, not of its thread
	command string
	arch    uint32 // AUDIT_ARCH_*
	nr      int
	code    uint32 // what the filter answered: SECCOMP_RET_*
}

// What a filter did, as launch.Denied has it.
const (
	actionKilled  = "killed"
	actionRefused = "refused"
	actionLogged  = "logged"
)

// From linux/seccomp.h.
const (
	retActionFull  = 0xffff0000
	retKillProcess = 0x80000000
	retKillThread  = 0
	retTrap        = 0x00030000
	retLog         = 0x7ffc0000
)

// action says what came of the call.
func (r record) action() string {
	switch r.code & retActionFull {
	case retKillProcess, retKillThread, retTrap: // a signal in any case
		return actionKilled
	case retLog:
		return actionLogged
	}
	return actionRefused
}

// parseRecord reads one record.
func parseRecord(b []byte) (r record, ok bool) {
	s := strings.TrimRight(string(b), "\x00")
	uid, err1 := strconv.ParseUint(word(s, "uid"), 10, 32)
	pid, err2 := strconv.ParseInt(word(s, "pid"), 10, 32)
	arch, err3 := strconv.ParseUint(word(s, "arch"), 16, 32)
	nr, err4 := strconv.ParseInt(word(s, "syscall"), 10, 64)
	code, err5 := strconv.ParseUint(strings.TrimPrefix(word(s, "code"), "0x"), 16, 32)
	when, err6 := stamp(s)
	if errors.Join(err1, err2, err3, err4, err5, err6) != nil {
		return record{}, false
	}
	return record{when, uint32(uid), int(pid), untrusted(word(s, "comm")), uint32(arch), int(nr), uint32(code)}, true
}

// word gives the value behind a key; "" if there is none.
func word(s, key string) string {
	_, rest, ok := strings.Cut(s, " "+key+"=")
	if !ok {
		return ""
	}
	value, _, _ := strings.Cut(rest, " ")
	return value
}

var errNoTime = errors.New("no time")

// stamp reads the time, in seconds and milliseconds.
func stamp(s string) (time.Time, error) {
	s, ok := strings.CutPrefix(s, "audit(")
	s, _, found := strings.Cut(s, ":")
	secs, millis, dot := strings.Cut(s, ".")
	if !ok || !found || !dot || len(millis) != 3 {
		return time.Time{}, errNoTime
	}
	n, err1 := strconv.ParseInt(secs, 10, 64)
	m, err2 := strconv.ParseUint(millis, 10, 16)
	return time.Unix(n, int64(m)*int64(time.Millisecond)), errors.Join(err1, err2)
}

// untrusted reads a name that a process chose.
func untrusted(value string) string {
	if name, ok := strings.CutPrefix(value, `"`); ok {
		return strings.TrimSuffix(name, `"`)
	}
	b, err := hex.DecodeString(value)
	if err != nil {
		return ""
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}
