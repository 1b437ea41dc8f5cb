// View is a worker for tests: it tells how the world looks from inside, or
// misbehaves. What it says goes to descriptor 2, as JSON.
package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// View is what a worker sees of itself and around it.
type View struct {
	Pid, UID, GID int
	Groups        []int
	Hostname      string
	Args, Env     []string
	Root, Dev     []string
	Cwd           string
	Open          []int // descriptors
	Caps          [5]uint64
	NoNewPrivs    int
	Securebits    int
	Core, Files   uint64
	WriteRoot     string // what writing to the root gave
	WriteSelf     string // what writing to its own binary gave
	MountProc     string // what mounting /proc gave
	KillHost      string // what signalling process 2 of the host gave
	Loopback      string // what connecting to the loopback gave
}

func main() {
	mode := cmp.Or(os.Getenv("VIEW"), "view")
	if len(os.Args) > 1 {
		mode = os.Args[1]
	}
	switch mode {
	case "view":
		json.NewEncoder(os.Stderr).Encode(view())
	case "hold": // until descriptor 3 ends
		fmt.Fprintln(os.Stderr, "ready")
		os.NewFile(3, "hold").Read(make([]byte, 1))
	case "sealed": // as far as it can be seen from outside
		unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
		filter()
		fmt.Fprintln(os.Stderr, "ready")
		time.Sleep(time.Hour)
	case "exit":
		os.Exit(7)
	case "crash":
		*(*int)(nil) = 1
	case "memory":
		for all := [][]byte{}; ; {
			b := make([]byte, 1<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			all = append(all, b)
		}
	case "fork":
		n := 0
		for {
			if _, err := syscall.ForkExec(os.Args[0], []string{os.Args[0], "sleep"}, &syscall.ProcAttr{Env: os.Environ()}); err != nil {
				break
			}
			n++
		}
		fmt.Fprintln(os.Stderr, n)
		time.Sleep(time.Hour)
	case "sleep":
		time.Sleep(time.Hour)
	case "spin":
		fmt.Fprintln(os.Stderr, "ready")
		for {
		}
	case "syscall": // one that a filter of the test kills for
		filter()
		unix.Sethostname([]byte("x"))
	}
}

func view() View {
	v := View{
		Pid: os.Getpid(), UID: os.Getuid(), GID: os.Getgid(),
		Args: os.Args, Env: os.Environ(), Root: list("/"), Dev: list("/dev"),
		WriteRoot: fmt.Sprint(os.WriteFile("/x", nil, 0o600)),
		MountProc: fmt.Sprint(unix.Mount("proc", "/dev", "proc", 0, "")),
		KillHost:  fmt.Sprint(unix.Kill(2, 0)),
		Loopback:  fmt.Sprint(connect()),
	}
	_, err := os.OpenFile(os.Args[0], os.O_WRONLY, 0)
	v.WriteSelf = fmt.Sprint(err)
	v.Groups, _ = os.Getgroups()
	v.Hostname, _ = os.Hostname()
	v.Cwd, _ = os.Getwd()
	for fd := range 256 {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			v.Open = append(v.Open, fd)
		}
	}
	v.Caps = caps()
	v.NoNewPrivs, _ = unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	v.Securebits, _ = unix.PrctlRetInt(unix.PR_GET_SECUREBITS, 0, 0, 0, 0)
	v.Core, v.Files = limit(unix.RLIMIT_CORE), limit(unix.RLIMIT_NOFILE)
	return v
}

func list(dir string) []string {
	entries, _ := os.ReadDir(dir)
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func limit(which int) uint64 {
	var l unix.Rlimit
	unix.Getrlimit(which, &l)
	return l.Max
}

// caps gives the effective, permitted, inheritable, bounding and ambient sets.
func caps() (sets [5]uint64) {
	h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var d [2]unix.CapUserData
	unix.Capget(&h, &d[0])
	for i, w := range d {
		sets[0] |= uint64(w.Effective) << (32 * i)
		sets[1] |= uint64(w.Permitted) << (32 * i)
		sets[2] |= uint64(w.Inheritable) << (32 * i)
	}
	for c := range uintptr(64) {
		if n, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, c, 0, 0, 0); err == nil && n == 1 {
			sets[3] |= 1 << c
		}
		if n, err := unix.PrctlRetInt(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_IS_SET, c, 0, 0); err == nil && n == 1 {
			sets[4] |= 1 << c
		}
	}
	return sets
}

func connect() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	return unix.Connect(fd, &unix.SockaddrInet4{Port: 9, Addr: [4]byte{127, 0, 0, 1}})
}

// filter kills for sethostname and logs it: linux/bpf_common.h, linux/seccomp.h.
func filter() {
	prog := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the system call's number
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: unix.SYS_SETHOSTNAME},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_KILL_PROCESS},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	p := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	const log, tsync = 2, 1
	if _, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, log|tsync, uintptr(unsafe.Pointer(&p))); e != 0 {
		fmt.Fprintln(os.Stderr, e)
		os.Exit(1)
	}
}
