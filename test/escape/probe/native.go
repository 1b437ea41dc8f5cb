package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/test/escape/attack"
)

// write writes a byte to a file.
func write(r attack.Request) attack.Outcome {
	fd, err := unix.Open(r.Text, unix.O_WRONLY, 0)
	if err != nil {
		return ended(err)
	}
	defer unix.Close(fd)
	_, err = unix.Pwrite(fd, []byte{0}, 0)
	return ended(err)
}

// leaks lists what is open besides what a program is given and what it has
// opened itself.
func leaks(attack.Request) attack.Outcome {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return attack.Outcome{Failed: err.Error()}
	}
	var found []string
	for _, e := range entries {
		n, _ := strconv.Atoi(e.Name())
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		own := strings.HasPrefix(target, "anon_inode:") || strings.HasPrefix(target, "/proc/")
		if n > channel && n != terminal && err == nil && !own {
			found = append(found, e.Name())
		}
	}
	return attack.Outcome{Note: "[" + strings.Join(found, " ") + "]"}
}

func mount(r attack.Request) attack.Outcome {
	return ended(unix.Mount("escape", r.Text, "tmpfs", 0, ""))
}

// spawn starts a process with the namespace flags Args[0].
func spawn(r attack.Request) attack.Outcome {
	proc, err := os.StartProcess("/proc/self/exe", []string{"probe", "nothing"}, &os.ProcAttr{
		Files: []*os.File{nil, nil, inherited[stderr]},
		Sys:   &syscall.SysProcAttr{Cloneflags: uintptr(r.Args[0])},
	})
	if err != nil {
		return failed(err)
	}
	proc.Kill()
	proc.Wait()
	return attack.Outcome{}
}

// failed tells an error of package os by its number.
func failed(err error) attack.Outcome {
	var errno syscall.Errno
	if pe, ok := err.(*os.PathError); ok {
		if errno, ok = pe.Err.(syscall.Errno); ok {
			return attack.Outcome{Errno: errno}
		}
	}
	return attack.Outcome{Failed: err.Error()}
}

// clone3 makes a process that sleeps, by the call whose flags no filter sees.
//
//go:norace
func clone3(attack.Request) attack.Outcome {
	args := struct{ flags, pidfd, childTID, parentTID, exitSignal, stack, stackSize, tls uint64 }{exitSignal: uint64(unix.SIGCHLD)}
	pid, _, errno := syscall.RawSyscall(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&args)), unsafe.Sizeof(args), 0)
	for pid == 0 && errno == 0 {
		syscall.RawSyscall6(unix.SYS_EXIT_GROUP, 0, 0, 0, 0, 0, 0)
	}
	if errno == 0 {
		unix.Wait4(int(pid), nil, 0, nil)
	}
	return result(0, errno)
}

// join joins a namespace.
func join(r attack.Request) attack.Outcome {
	runtime.LockOSThread() // for ever: the thread is spoilt
	fd, err := unix.Open(r.Text, unix.O_RDONLY, 0)
	if err != nil {
		return ended(err)
	}
	return ended(unix.Setns(fd, 0))
}

// own gives this program's bytes.
func own() ([]byte, error) { return os.ReadFile("/proc/self/exe") }

// runMemory executes a copy of the program in a file that has no name.
func runMemory(attack.Request) attack.Outcome {
	fd, err := unix.MemfdCreate("escape", 0)
	if err != nil {
		return ended(err)
	}
	b, err := own()
	if err != nil {
		return attack.Outcome{Failed: err.Error()}
	}
	if _, err := unix.Write(fd, b); err != nil {
		return ended(err)
	}
	return setUID(attack.Request{Text: fmt.Sprintf("/proc/self/fd/%d", fd)})
}

// made puts a copy of the program into /tmp.
func made() (string, error) {
	b, err := own()
	if err != nil {
		return "", err
	}
	path := filepath.Join("/tmp", "made")
	return path, os.WriteFile(path, b, 0o755)
}

func runTmp(attack.Request) attack.Outcome {
	path, err := made()
	if err != nil {
		return attack.Outcome{Failed: err.Error()}
	}
	return setUID(attack.Request{Text: path})
}

// mapTmp maps a file of its own making, to execute it.
func mapTmp(attack.Request) attack.Outcome {
	path, err := made()
	if err != nil {
		return attack.Outcome{Failed: err.Error()}
	}
	fd, err := unix.Open(path, unix.O_RDONLY, 0)
	if err != nil {
		return ended(err)
	}
	_, err = unix.Mmap(fd, 0, unix.Getpagesize(), unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE)
	return ended(err)
}

// mapShm makes System V memory, and attaches it a second time to execute.
func mapShm(attack.Request) attack.Outcome {
	const shmExec = 0o100000
	id, err := unix.SysvShmGet(unix.IPC_PRIVATE, unix.Getpagesize(), unix.IPC_CREAT|0o700)
	if err != nil {
		return ended(err)
	}
	defer unix.SysvShmCtl(id, unix.IPC_RMID, nil)
	_, _, errno := syscall.Syscall(unix.SYS_SHMAT, uintptr(id), 0, shmExec|unix.SHM_RDONLY)
	return result(0, errno)
}

// push types a byte into the terminal Text by the ioctl request Args[0].
func push(r attack.Request) attack.Outcome {
	if _, err := unix.Setsid(); err != nil {
		return attack.Outcome{Failed: "setsid: " + err.Error()}
	}
	if _, _, errno := syscall.Syscall(unix.SYS_IOCTL, terminal, unix.TIOCSCTTY, 0); errno != 0 {
		return attack.Outcome{Failed: "no terminal to control it: " + errno.Error()}
	}
	c := byte('x')
	_, _, errno := syscall.Syscall(unix.SYS_IOCTL, terminal, uintptr(r.Args[0]), uintptr(unsafe.Pointer(&c)))
	return result(0, errno)
}

// meet connects to the abstract socket Text.
func meet(r attack.Request) attack.Outcome {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return ended(err)
	}
	return ended(unix.Connect(fd, &unix.SockaddrUnix{Name: r.Text}))
}

// fill writes Args[0] bytes to a file in /tmp.
func fill(r attack.Request) attack.Outcome {
	fd, err := unix.Open("/tmp/filled", unix.O_CREAT|unix.O_WRONLY, 0o600)
	if err != nil {
		return ended(err)
	}
	defer unix.Unlink("/tmp/filled")
	b := make([]byte, 1<<16)
	for n := uint64(0); n < r.Args[0]; n += uint64(len(b)) {
		if _, err := unix.Write(fd, b); err != nil {
			return ended(err)
		}
	}
	return attack.Outcome{}
}

// litter makes Args[0] files in /tmp.
func litter(r attack.Request) attack.Outcome {
	for i := range r.Args[0] {
		name := fmt.Sprintf("/tmp/litter%d", i)
		if err := unix.Mkdir(name, 0o700); err != nil {
			return ended(err)
		}
		defer unix.Rmdir(name)
	}
	return attack.Outcome{}
}

// hoard opens Args[0] descriptors.
func hoard(r attack.Request) attack.Outcome {
	for range r.Args[0] {
		if _, err := unix.Dup(stderr); err != nil {
			return ended(err)
		}
	}
	return attack.Outcome{}
}

// takeFD takes a descriptor of process 1.
func takeFD(r attack.Request) attack.Outcome {
	pidfd, err := unix.PidfdOpen(1, 0)
	if err != nil {
		return ended(err)
	}
	_, err = unix.PidfdGetfd(pidfd, int(r.Args[0]), 0)
	return ended(err)
}

// terminal is the descriptor of a terminal, for the attacks that need one.
const terminal = 7

// nativeAttacks are those that need what only a native program has.
var nativeAttacks = map[string]func(attack.Request) attack.Outcome{
	attack.Write: write, attack.Leaks: leaks, attack.Mount: mount, attack.Spawn: spawn, attack.Clone3: clone3,
	attack.Join: join, attack.RunMemory: runMemory, attack.RunTmp: runTmp, attack.MapTmp: mapTmp, attack.MapShm: mapShm,
	attack.Push: push, attack.Meet: meet, attack.Fill: fill, attack.Litter: litter, attack.Hoard: hoard, attack.TakeFD: takeFD,
}

// nativeVariable is in the environment of a probe in a native worker's place.
const nativeVariable = "ESCAPE=native"

func isNative() bool { return slices.Contains(os.Environ(), nativeVariable) }
