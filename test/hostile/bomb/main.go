// Command bomb is a native program that attacks its host's resources, for the
// tests of what a neighbour feels of it. It runs until it is ended:
//
//	bomb KIND
package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// bombs are the attacks by name. None returns.
var bombs = map[string]func(){
	"cpu":     func() { burn(32) },
	"fork":    fork,
	"memory":  memory,
	"tmp":     tmp,
	"inode":   inodes,
	"fd":      descriptors,
	"log":     shout,
	"dentry":  dentries,
	"refused": refused,
	"host":    hostCalls,
	"signal":  signals,
}

func main() {
	if len(os.Args) == 2 {
		if bomb := bombs[os.Args[1]]; bomb != nil {
			bomb()
		}
	}
	fmt.Fprintln(os.Stderr, "usage: bomb KIND, one of", strings.Join(kinds(), ", "))
	os.Exit(2)
}

func kinds() (names []string) {
	for name := range bombs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// burn keeps threads busy.
func burn(threads int) {
	for range threads {
		go func() {
			for x := uint64(1); ; x = x*6364136223846793005 + 1 {
				if x == 0 {
					os.Exit(3) // cannot happen; or the loop would be nothing
				}
			}
		}()
	}
	select {}
}

// fork starts itself as often as it can; each copy does the same.
func fork() {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		null = os.Stderr
	}
	for {
		_, err := os.StartProcess("/proc/self/exe", os.Args, &os.ProcAttr{Files: []*os.File{null, null, null}})
		if err != nil {
			time.Sleep(time.Millisecond)
		}
	}
}

// memory touches more and more.
func memory() {
	var all [][]byte
	for {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		all = append(all, b)
	}
}

// tmp fills /tmp with bytes, and begins again when it is full.
func tmp() {
	block := make([]byte, 1<<16)
	for {
		f, err := os.Create("/tmp/fill")
		if err != nil {
			time.Sleep(time.Millisecond)
			continue
		}
		for err == nil {
			_, err = f.Write(block)
		}
		f.Close()
	}
}

// inodes fills /tmp with empty files and directories.
func inodes() {
	for i := 0; ; i++ {
		name := "/tmp/i" + strconv.Itoa(i)
		if os.Mkdir(name, 0o700) != nil {
			for j := range i {
				os.Remove("/tmp/i" + strconv.Itoa(j))
			}
			i = 0
		}
	}
}

// descriptors opens all that it may: pipes full of bytes, and sockets with
// descriptors on their way in them, which count to nobody's limit but memory's.
func descriptors() {
	full := make([]byte, 1<<16)
	for {
		var open []int
		for {
			var p [2]int
			if unix.Pipe2(p[:], unix.O_NONBLOCK) != nil {
				break
			}
			unix.Write(p[1], full)
			s, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, 0)
			if err != nil {
				open = append(open, p[:]...)
				break
			}
			for unix.Sendmsg(s[0], []byte{1}, unix.UnixRights(p[:]...), nil, 0) == nil {
			}
			open = append(open, p[0], p[1], s[0], s[1])
		}
		for _, fd := range open {
			unix.Close(fd)
		}
	}
}

// shout writes to both outputs as fast as they take it.
func shout() {
	line := []byte(strings.Repeat("very important ", 60) + "\n")
	go func() {
		for {
			os.Stderr.Write(line)
		}
	}()
	for {
		os.Stdout.Write(line)
	}
}

// dentries looks up names that are not there, each of which the kernel
// remembers.
func dentries() {
	for i := 0; ; i++ {
		os.Stat("/tmp/" + strconv.Itoa(i) + strings.Repeat("x", 200))
	}
}

// refused makes calls that the filter refuses and the kernel tells of.
func refused() {
	for {
		unix.Unshare(unix.CLONE_NEWUSER)
		unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW, 0)
	}
}

// hostCalls asks the host as fast as it can, and reads no answer.
func hostCalls() {
	fd, err := strconv.Atoi(os.Getenv("MP_HOST_FD"))
	if err != nil {
		os.Exit(3)
	}
	f := os.NewFile(uintptr(fd), "host")
	for i := 0; ; i++ {
		if _, err := fmt.Fprintf(f, `{"jsonrpc":"2.0","id":%d,"method":"nothing.of.the.kind"}`+"\n", i); err != nil {
			os.Exit(3)
		}
	}
}

// signals sends every signal to everybody it sees, and asks for a better
// priority.
func signals() {
	for sig := unix.Signal(1); ; sig = sig%31 + 1 {
		if sig != unix.SIGKILL && sig != unix.SIGSTOP {
			unix.Kill(1, sig)
		}
		unix.Kill(1, unix.SIGKILL)
		unix.Setpriority(unix.PRIO_PROCESS, 0, -20)
	}
}
