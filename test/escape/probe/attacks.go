package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/test/escape/attack"
)

// attacks says how each attack is tried.
var attacks = map[string]func(attack.Request) attack.Outcome{
	attack.Native:     native,
	attack.Entry32:    entry32,
	attack.EntryX:     entryX,
	attack.Open:       open,
	attack.ReadFD:     readFD,
	attack.MapExec:    mapExec,
	attack.TurnExec:   turnExec,
	attack.RunWritten: runWritten,
	attack.BindTCP:    bindTCP,
	attack.Connect:    connect,
	attack.Sockets:    sockets,
	attack.RaiseLimit: raiseLimit,
	attack.SpyOnKin:   spy,
	attack.SetUID:     setUID,
	attack.HostName:   hostName,
	attack.SetName:    setName,
	attack.WhoAmI:     whoAmI,
	attack.Grow:       grow,
	attack.Breed:      breed,
	attack.Spin:       spin,
	attack.FindShm:    findShm,
	attack.ReadKey:    readKey,
}

// result tells a system call's results.
func result(ret uintptr, errno syscall.Errno) attack.Outcome {
	if errno != 0 {
		return attack.Outcome{Errno: errno}
	}
	return attack.Outcome{Ret: uint64(ret)}
}

// ended tells an error of package unix, or success.
func ended(err error) attack.Outcome {
	if err == nil {
		return attack.Outcome{}
	}
	if errno, ok := err.(syscall.Errno); ok {
		return attack.Outcome{Errno: errno}
	}
	return attack.Outcome{Failed: err.Error()}
}

// registers gives a system call's number and arguments.
func registers(r attack.Request) (v [7]uintptr) {
	for i := range min(len(v), len(r.Args)) {
		v[i] = uintptr(r.Args[i])
	}
	return v
}

func native(r attack.Request) attack.Outcome {
	v := registers(r)
	ret, _, errno := syscall.Syscall6(v[0], v[1], v[2], v[3], v[4], v[5], v[6])
	return result(ret, errno)
}

// entryX is the native instruction with a bit that says that the pointers and
// structures are 32-bit ones.
func entryX(r attack.Request) attack.Outcome {
	const x32 = 0x40000000
	v := registers(r)
	ret, _, errno := syscall.Syscall6(v[0]|x32, v[1], v[2], v[3], v[4], v[5], v[6])
	return result(ret, errno)
}

func open(r attack.Request) attack.Outcome {
	fd, err := unix.Open(r.Text, int(r.Args[0]), 0o600)
	if err == nil && isNull(fd) {
		return attack.Outcome{Note: attack.Masked}
	}
	return ended(err)
}

// isNull reports whether the null device is open, which the launcher puts over
// files that nobody is to have.
func isNull(fd int) bool {
	var st unix.Stat_t
	return unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFCHR && st.Rdev == unix.Mkdev(1, 3)
}

func readFD(r attack.Request) attack.Outcome {
	var b [8]byte
	ret, _, errno := syscall.Syscall6(unix.SYS_PREAD64, uintptr(r.Args[0]), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0, 0, 0)
	return result(ret, errno)
}

func mapExec(attack.Request) attack.Outcome {
	_, err := unix.Mmap(-1, 0, unix.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	return ended(err)
}

// ret is the instruction that returns from a function.
var ret = map[string][]byte{"amd64": {0xc3}, "arm64": {0xc0, 0x03, 0x5f, 0xd6}}

// runWritten executes a function of one instruction that it has written.
func runWritten(attack.Request) attack.Outcome {
	page, err := unix.Mmap(-1, 0, unix.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return attack.Outcome{Failed: err.Error()}
	}
	copy(page, ret[runtime.GOARCH])
	if err := unix.Mprotect(page, unix.PROT_READ|unix.PROT_EXEC); err != nil {
		return ended(err)
	}
	value := &struct{ code *byte }{&page[0]} // what a function's value points to
	(*(*func())(unsafe.Pointer(&value)))()
	return attack.Outcome{}
}

func turnExec(attack.Request) attack.Outcome {
	page, err := unix.Mmap(-1, 0, unix.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return attack.Outcome{Failed: err.Error()}
	}
	page[0] = 0xc3
	return ended(unix.Mprotect(page, unix.PROT_READ|unix.PROT_EXEC))
}

func raiseLimit(attack.Request) attack.Outcome {
	return ended(unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: 1 << 20, Max: 1 << 20}))
}

func setName(attack.Request) attack.Outcome {
	return ended(unix.Sethostname([]byte("conquered")))
}

func hostName(attack.Request) attack.Outcome {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ended(err)
	}
	return attack.Outcome{Note: unix.ByteSliceToString(u.Nodename[:])}
}

func whoAmI(attack.Request) attack.Outcome {
	return attack.Outcome{Note: fmt.Sprint(unix.Getuid())}
}

func grow(r attack.Request) attack.Outcome {
	b := make([]byte, r.Args[0])
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	return attack.Outcome{}
}

func findShm(r attack.Request) attack.Outcome {
	ret, _, errno := syscall.Syscall(unix.SYS_SHMGET, uintptr(r.Args[0]), 0, 0)
	return result(ret, errno)
}

// became says who a program became by being executed, and whether it can do
// anything that its user could not.
func became() string {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var have [2]unix.CapUserData
	if err := unix.Capget(&header, &have[0]); err != nil {
		return err.Error()
	}
	caps := "no capability"
	if have[0].Effective|have[1].Effective != 0 {
		caps = "capabilities"
	}
	return strings.Join([]string{fmt.Sprint("user ", os.Geteuid()), caps}, ", ")
}

// setUID becomes another program: that tells what it became.
func setUID(r attack.Request) attack.Outcome {
	return ended(unix.Exec(r.Text, []string{r.Text, "setuid"}, []string{"GOMAXPROCS=1"}))
}
